"""What a job does at this moment, in words for whoever looks on. Nothing is decided by it."""

from __future__ import annotations

from enum import StrEnum

from ops_orchestrate.core.names import one_line

#: Characters of one line: what is longer is cut where it is shown.
_LONGEST = 160


class Phase(StrEnum):
    """A part of a job's work. In capitals it is the state that Flower shows."""

    AUDITING = "auditing"
    PREPARING = "preparing"
    WORKING = "working"
    COLLECTING = "collecting"
    JUDGING = "judging"
    GATING = "gating"
    REVIEWING = "reviewing"
    LANDING = "landing"
    WAITING = "waiting"


_WORDS = {
    Phase.AUDITING: "it is looked at",
    Phase.PREPARING: "its tree and its brief are made",
    Phase.WORKING: "the agent works",
    Phase.COLLECTING: "what the agent left is collected",
    Phase.JUDGING: "the change is judged",
    Phase.GATING: "the gate runs",
    Phase.REVIEWING: "a reviewer reads the change",
    Phase.LANDING: "the change is brought in",
    Phase.WAITING: "it waits",
}


def progress_line(phase: Phase, now: str = "") -> str:
    """The phase in words, with what is done in it just `now`, on one line."""
    return one_line(f"{_WORDS[phase]}: {now}" if now.strip() else _WORDS[phase], _LONGEST)
