"""How urgent an error in production is: its level, how often it occurs and whom it hits, against the owner's bars."""

from __future__ import annotations

from ops_orchestrate.core.task import Priority
from ops_orchestrate.core.value import Value


class Bars(Value):
    """From where on an error is P0 or P1: events or users within the period that is looked at."""

    p0_events: int = 1000
    p0_users: int = 100
    p1_events: int = 100
    p1_users: int = 10


class ErrorCount(Value):
    """The errors that occurred in a window of time."""

    events: int = 0
    issues: int = 0
    """Different errors among them."""
    new: tuple[str, ...] = ()
    """Names of those that were never seen before the window."""


def severity(level: str, events: int, users: int, bars: Bars) -> Priority | None:
    """P0, P1, or None: it is no work of its own.

    A `fatal` error is one step more urgent than an `error` of the same size. Warnings and lower levels, and levels
    that are not known, are never work: a wrong one would be worked on every night.
    """
    if level not in ("fatal", "error"):
        return None
    if events >= bars.p0_events or users >= bars.p0_users:
        return Priority.P0
    large = events >= bars.p1_events or users >= bars.p1_users
    if level == "fatal":
        return Priority.P0 if large else Priority.P1
    return Priority.P1 if large else None
