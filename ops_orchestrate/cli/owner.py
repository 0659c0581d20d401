"""The owner's preferences, as far as they concern what is shown: the time zone, and questions of no consequence."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from ops_orchestrate.adapters.preferences import load_preferences
from ops_orchestrate.config import Settings
from ops_orchestrate.report.times import Clock


def owners_clock(settings: Settings) -> Clock:
    """The clock that times are shown by. Raises UsageError where preferences.json cannot be read."""
    zone = load_preferences(settings).timezone
    return Clock(ZoneInfo(zone), zone)


def may_assume(settings: Settings) -> bool:
    """`yolo_enabled`: a question whose answer changes no file, merge or guard may take its recommended answer.

    That is the question for the mode, and no other one: it never stands for `--force`.
    """
    return load_preferences(settings).yolo_enabled
