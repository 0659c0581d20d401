"""Which errors of production are work, and how urgent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.severity import Bars, severity

BARS = Bars(p0_events=1000, p0_users=100, p1_events=100, p1_users=10)
LEVELS = ["sample", "debug", "info", "warning", "error", "fatal", "unknown", "catastrophe"]


@pytest.mark.parametrize(
    ("level", "events", "users", "priority"),
    [
        ("error", 1000, 0, "P0"),
        ("error", 0, 100, "P0"),
        ("error", 999, 99, "P1"),
        ("error", 100, 0, "P1"),
        ("error", 0, 10, "P1"),
        ("error", 99, 9, None),
        ("fatal", 100, 0, "P0"),
        ("fatal", 0, 10, "P0"),
        ("fatal", 99, 9, "P1"),
        ("fatal", 1, 0, "P1"),
        ("warning", 1_000_000, 1_000_000, None),
        ("info", 1_000_000, 0, None),
        ("unknown", 1_000_000, 1_000_000, None),
        ("catastrophe", 1_000_000, 1_000_000, None),
    ],
)
def test_the_priority_of_an_error(level: str, events: int, users: int, priority: str | None) -> None:
    assert severity(level, events, users, BARS) == priority


@given(st.sampled_from(LEVELS), *[st.integers(0, 2000)] * 4)
def test_more_of_it_is_never_less_urgent(level: str, events: int, users: int, more: int, others: int) -> None:
    less, later = severity(level, events, users, BARS), severity(level, events + more, users + others, BARS)
    assert less is None or (later is not None and later <= less)
    as_error, as_fatal = severity("error", events, users, BARS), severity("fatal", events, users, BARS)
    assert as_fatal is not None
    assert as_error is None or as_fatal <= as_error
