"""Which night it is: a table of odd moments, and the law that a night asked about every minute comes once."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.names import is_name
from ops_orchestrate.core.night import (
    CATCH_UP,
    last_night,
    next_night,
    night_due,
    night_missed,
    nights_before,
    nights_to_tell,
    read_time,
    run_of,
)

BERLIN, UTC, AUCKLAND = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC"), ZoneInfo("Pacific/Auckland")


def at(text: str, zone: ZoneInfo, fold: int = 0) -> float:
    """A moment of a wall clock."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("begins", "zone", "now", "night"),
    [
        ("03:00", UTC, at("2026-11-27 02:59:59", UTC), None),
        ("03:00", UTC, at("2026-11-27 03:00:00", UTC), "2026-11-27"),
        ("03:00", UTC, at("2026-11-27 08:59:59", UTC), "2026-11-27"),  # beat was down until then
        ("03:00", UTC, at("2026-11-27 09:00:00", UTC), None),  # too late: that would be a day's run
        ("23:30", UTC, at("2026-11-28 01:00:00", UTC), "2026-11-27"),  # begun yesterday, by its date
        ("03:00", BERLIN, at("2026-11-27 02:30:00", UTC), "2026-11-27"),
        ("03:00", AUCKLAND, at("2026-11-26 14:30:00", UTC), "2026-11-27"),
        # The clocks go forward: there is no 02:30 in that night; an hour later it is due.
        ("02:30", BERLIN, at("2026-03-29 01:59:00", BERLIN), None),
        ("02:30", BERLIN, at("2026-03-29 03:30:00", BERLIN), "2026-03-29"),
        # The clocks go back: 02:30 comes twice, and the night has begun with the first one.
        ("02:30", BERLIN, at("2026-10-25 02:30:00", BERLIN, fold=0), "2026-10-25"),
        ("02:30", BERLIN, at("2026-10-25 02:30:00", BERLIN, fold=1), "2026-10-25"),
    ],
)
def test_which_night_is_due(begins: str, zone: ZoneInfo, now: float, night: str | None) -> None:
    assert night_due(read_time(begins), zone, now) == night


@given(
    st.times(timezones=st.none()).map(lambda moment: moment.replace(second=0, microsecond=0)),
    st.sampled_from([BERLIN, UTC, AUCKLAND, ZoneInfo("America/St_Johns")]),
    st.integers(min_value=1_700_000_000, max_value=2_000_000_000),
)
def test_over_three_days_every_night_comes_in_one_piece(begins: time, zone: ZoneInfo, start: int) -> None:
    """So a run named by its night is begun once: no night comes back after another one, and none is left out."""
    asked = [night_due(begins, zone, start + 600 * step) for step in range(3 * 24 * 6)]
    seen = [night for night, before in zip(asked, [None, *asked], strict=False) if night and night != before]
    assert seen == sorted(set(seen))
    assert 3 <= len(seen) <= 4


@given(st.integers(min_value=1_700_000_000, max_value=2_000_000_000))
def test_a_night_that_is_due_is_the_last_one(now: int) -> None:
    night, began = last_night(time(3), BERLIN, now)
    assert 0 <= now - began < 25 * 3600 + 1
    assert night_due(time(3), BERLIN, now) == (night if now - began < CATCH_UP else None)


def test_its_run_has_a_name_that_can_be_a_folder_and_a_branch() -> None:
    assert is_name(run_of("2026-11-27"))


@pytest.mark.parametrize("text", ["", "3", "25:00", "03:60", "3:0", "03.00", "-3:00", "٠٣:٠٠", "03:00:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time of day|must be in"):
        read_time(text)


@given(st.floats(1.7e9, 1.9e9), st.sampled_from([BERLIN, UTC, AUCKLAND]))
def test_the_night_before_the_newest_is_told_as_well(now: float, zone: ZoneInfo) -> None:
    """It may have been open until the next one began, waiting for its day's money."""
    newest, before = nights_to_tell(time(3, 0), zone, now)
    assert newest == last_night(time(3, 0), zone, now)[0]
    assert date.fromisoformat(newest) - date.fromisoformat(before) == timedelta(days=1)


@pytest.mark.parametrize(
    ("night", "before"),
    [
        ("2026-11-27", ("2026-11-26", "2026-11-25")),
        ("2026-03-30", ("2026-03-29", "2026-03-28")),  # the clocks have gone forward
        ("2027-01-01", ("2026-12-31", "2026-12-30")),
        ("2028-03-01", ("2028-02-29", "2028-02-28")),
    ],
)
def test_the_nights_before_one_are_a_week_of_dates(night: str, before: tuple[str, str]) -> None:
    assert nights_before(night, 2) == before == nights_before(night)[:2]
    assert (len(nights_before(night)), night in nights_before(night)) == (7, False)


@given(st.floats(at("2026-03-27 00:00", BERLIN), at("2026-11-02 00:00", BERLIN)), st.times())
def test_the_next_night_is_the_first_that_has_not_begun(now: float, begins: time) -> None:
    coming = next_night(begins, BERLIN, now)
    night, began = last_night(begins, BERLIN, coming)
    assert began == coming > now
    assert last_night(begins, BERLIN, coming - 0.001)[0] == (date.fromisoformat(night) - timedelta(days=1)).isoformat()
    assert coming - now <= 49 * 3600


@given(st.floats(at("2026-03-27 00:00", BERLIN), at("2026-11-02 00:00", BERLIN)), st.times())
def test_a_night_is_missed_when_it_is_no_longer_due(now: float, begins: time) -> None:
    newest, _ = last_night(begins, BERLIN, now)
    assert {night_due(begins, BERLIN, now), night_missed(begins, BERLIN, now)} == {newest, None}
