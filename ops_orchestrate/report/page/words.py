"""States as a page shows them: a sign and a word beside each colour, for who sees none and for paper."""

from __future__ import annotations

from typing import NamedTuple

from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.view import TaskView


class Look(NamedTuple):
    """How a state is shown: the class of its colour, its sign, its word."""

    tone: str
    sign: str
    word: str


_GOOD, _BUSY, _WAIT, _BAD, _CALM = "good", "busy", "wait", "bad", "calm"
_LOOKS: dict[TaskState, Look] = {
    TaskState.QUEUED: Look(_CALM, "○", "queued"),
    TaskState.RUNNING: Look(_BUSY, "◉", "running"),
    TaskState.VERIFYING: Look(_BUSY, "◉", "verifying"),
    TaskState.SHIPPING: Look(_BUSY, "◉", "shipping"),
    TaskState.RETRYABLE: Look(_CALM, "↻", "to be tried again"),
    TaskState.BLOCKED: Look(_WAIT, "■", "waits for you"),
    TaskState.COMPLETED: Look(_GOOD, "✓", "completed"),
    TaskState.CANCELLED: Look(_CALM, "–", "cancelled"),
    TaskState.DISCARDED: Look(_BAD, "✗", "given up"),
}
_DELIVERED = frozenset({OutcomeKind.SUCCEEDED, OutcomeKind.VERIFIED, OutcomeKind.MERGED, OutcomeKind.ALREADY_DONE})
_ASIDE = frozenset(
    {OutcomeKind.WAITING, OutcomeKind.INTERRUPTED, OutcomeKind.QUOTA, OutcomeKind.SENT_BACK, OutcomeKind.PLANNED}
)


def task_look(task: TaskView) -> Look:
    """How a task stands."""
    return Look(_CALM, "○", "held up") if task.held_by else _LOOKS[task.state]


def outcome_tone(outcome: str) -> str:
    """The colour of an attempt: what it delivered counts, also while somebody still has to look at it."""
    if not outcome:
        return _BUSY
    if outcome in _DELIVERED:
        return _GOOD
    return _WAIT if outcome in _ASIDE else _BAD
