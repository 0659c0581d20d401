"""Which night it is, and whether its run is due.

A night has one run: its date names it, and the ledger begins a run of one name once.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

#: How late a night may begin, in seconds: after a machine that was off until then. Later it would be tomorrow's work.
CATCH_UP = 6 * 3600


def read_time(text: str) -> time:
    """`03:00`. Raises ValueError."""
    hour, colon, minute = text.strip().partition(":")
    if not (colon and hour.isascii() and hour.isdigit() and minute.isascii() and minute.isdigit() and len(minute) == 2):
        raise ValueError(f"{text[:40]!r} is no time of day such as 03:00")
    return time(int(hour), int(minute))  # raises ValueError itself for 25:00


def last_night(at: time, zone: tzinfo, now: float) -> tuple[str, float]:
    """(the date of the newest night that has begun, its beginning), for nights that begin at that time of day.

    A time that a change of clocks leaves out is an hour later; one that it repeats is the first of both.
    """
    today = datetime.fromtimestamp(now, zone).date()
    for day in (today, today - timedelta(days=1)):
        begins = datetime.combine(day, at, tzinfo=zone).timestamp()
        if begins <= now:
            return day.isoformat(), begins
    raise AssertionError("yesterday's night has begun")


def next_night(at: time, zone: tzinfo, now: float) -> float:
    """When the next night begins, seconds since 1970; one that begins at this moment has begun."""
    today = datetime.fromtimestamp(now, zone).date()
    moments = (datetime.combine(today + timedelta(days=more), at, tzinfo=zone).timestamp() for more in range(3))
    return next(moment for moment in moments if moment > now)


def nights_to_tell(at: time, zone: tzinfo, now: float) -> tuple[str, str]:
    """The two newest nights, the newest first: one may still be open, waiting for money say, when the next begins."""
    newest, _ = last_night(at, zone, now)
    return newest, (date.fromisoformat(newest) - timedelta(days=1)).isoformat()


def nights_before(night: str, most: int = 7) -> tuple[str, ...]:
    """The nights before that one, the newest first."""
    day = date.fromisoformat(night)
    return tuple((day - timedelta(days=back)).isoformat() for back in range(1, most + 1))


def night_due(at: time, zone: tzinfo, now: float) -> str | None:
    """The night whose run may begin now; None between two of them."""
    night, began = last_night(at, zone, now)
    return night if now - began < CATCH_UP else None


def night_missed(at: time, zone: tzinfo, now: float) -> str | None:
    """The newest night, where it is too late for it to begin; None as long as it may."""
    night, began = last_night(at, zone, now)
    return None if now - began < CATCH_UP else night


def run_of(night: str) -> str:
    """The name of a night's run: whoever else begins it begins the same one."""
    return f"night-{night}"
