"""What one attempt may use, and when a day ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.spend import Amount, Caps, allowance, day_of


def usd(**dollars: int) -> Caps:
    """Caps in dollars."""
    return Caps(**{scope: Amount(micros=amount * 1_000_000) for scope, amount in dollars.items()})


@pytest.mark.parametrize(
    ("caps", "dollars"),
    [
        ({}, None),
        ({"attempt": 3}, 3),
        ({"attempt": 3, "day": 50}, 3),
        ({"attempt": 30, "day": 20}, 20),  # never more than a wider cap
        ({"attempt": 30, "task": 10, "day": 20}, 10),
        ({"day": 50}, 10),  # five agents share a day
        ({"run": 20, "day": 50}, 4),
        ({"task": 4}, 4),  # a task has one attempt at a time
        ({"project": 8, "day": 50}, 8),
        ({"task": 4, "day": 10}, 2),
    ],
)
def test_what_one_attempt_may_use(caps: dict[str, int], dollars: int | None) -> None:
    found = allowance(usd(**caps), agents=5)
    assert found == Amount(micros=None if dollars is None else dollars * 1_000_000)


def test_dollars_and_tokens_are_caps_of_their_own() -> None:
    caps = Caps(attempt=Amount(tokens=100), day=Amount(tokens=1_000, micros=50))
    assert allowance(caps, agents=5) == Amount(tokens=100, micros=10)


BERLIN, APIA = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")


@pytest.mark.parametrize(
    ("moment", "zone", "label", "hours"),
    [
        ("2026-11-27T00:00:00+00:00", UTC, "2026-11-27", 24),
        ("2026-11-27T23:59:59+00:00", UTC, "2026-11-27", 24),
        ("2026-11-27T23:30:00+00:00", BERLIN, "2026-11-28", 24),
        ("2026-03-29T12:00:00+00:00", BERLIN, "2026-03-29", 23),
        ("2026-10-25T00:30:00+00:00", BERLIN, "2026-10-25", 25),
        ("2026-10-25T01:30:00+00:00", BERLIN, "2026-10-25", 25),  # the hour that comes twice
        ("2026-12-31T12:00:00+00:00", APIA, "2027-01-01", 24),
    ],
)
def test_a_day_is_the_owners(moment: str, zone: Any, label: str, hours: int) -> None:
    at = datetime.fromisoformat(moment).timestamp()
    day = day_of(at, zone)
    assert day.label == label
    assert day.begins <= at < day.ends
    assert day.ends - day.begins == hours * 3600


@given(st.integers(1_500_000_000, 2_500_000_000), st.sampled_from([UTC, BERLIN, APIA]))
def test_days_follow_each_other_without_a_gap(at: int, zone: Any) -> None:
    day = day_of(at, zone)
    after = day_of(day.ends, zone)
    assert day.begins <= at < day.ends == after.begins
    assert datetime.fromisoformat(after.label) - datetime.fromisoformat(day.label) == timedelta(days=1)
