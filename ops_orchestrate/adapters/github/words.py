"""GitHub's words as ours. A word that we do not know is UNKNOWN, and no rule accepts that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from ops_orchestrate.core.merge.pull import (
    Conclusion,
    Mergeable,
    MergeState,
    PullState,
    ReviewDecision,
    ReviewState,
)

W = TypeVar("W")

#: What a check run or workflow run is while it has no conclusion.
_UNDER_WAY = frozenset({"QUEUED", "IN_PROGRESS", "PENDING", "REQUESTED", "WAITING", "EXPECTED"})
_CONCLUSIONS: Mapping[str, Conclusion] = {
    "SUCCESS": Conclusion.SUCCESS,
    "FAILURE": Conclusion.FAILURE,
    "ERROR": Conclusion.FAILURE,
    "TIMED_OUT": Conclusion.TIMED_OUT,
    "STARTUP_FAILURE": Conclusion.STARTUP_FAILURE,
    "ACTION_REQUIRED": Conclusion.ACTION_REQUIRED,
    "CANCELLED": Conclusion.CANCELLED,
    "STALE": Conclusion.STALE,
    "NEUTRAL": Conclusion.NEUTRAL,
    "SKIPPED": Conclusion.SKIPPED,
}
_DECISIONS: Mapping[str, ReviewDecision] = {
    "APPROVED": ReviewDecision.APPROVED,
    "CHANGES_REQUESTED": ReviewDecision.CHANGES_REQUESTED,
    "REVIEW_REQUIRED": ReviewDecision.REVIEW_REQUIRED,
    "": ReviewDecision.NONE,
}


def conclusion_of(status: str | None, conclusion: str | None) -> Conclusion:
    """What a check run or workflow run has come to; `conclusion` counts only once it is completed."""
    state = (status or "").upper()
    if state in _UNDER_WAY:
        return Conclusion.PENDING
    if state != "COMPLETED":
        return Conclusion.UNKNOWN
    return _CONCLUSIONS.get((conclusion or "").upper(), Conclusion.UNKNOWN)


def status_of(state: str | None) -> Conclusion:
    """What a commit status says: it has a state and no conclusion."""
    word = (state or "").upper()
    if word in _UNDER_WAY:
        return Conclusion.PENDING
    return _CONCLUSIONS[word] if word in {"SUCCESS", "FAILURE", "ERROR"} else Conclusion.UNKNOWN


def pull_state_of(word: str | None) -> PullState:
    """OPEN, CLOSED, MERGED."""
    return _word(word, {one.name: one for one in PullState}, PullState.UNKNOWN)


def mergeable_of(word: str | None) -> Mergeable:
    """MERGEABLE, CONFLICTING, UNKNOWN."""
    return _word(word, {one.name: one for one in Mergeable}, Mergeable.UNKNOWN)


def merge_state_of(word: str | None) -> MergeState:
    """GitHub's `mergeStateStatus`."""
    return _word(word, {one.name: one for one in MergeState}, MergeState.UNKNOWN)


def review_state_of(word: str | None) -> ReviewState:
    """One review's state."""
    return _word(word, {one.name: one for one in ReviewState}, ReviewState.UNKNOWN)


def decision_of(word: str | None) -> ReviewDecision:
    """What the reviews amount to; GitHub says null where none is required."""
    return _word(word or "", _DECISIONS, ReviewDecision.UNKNOWN)


def time_of(text: str | None) -> float:
    """Seconds since 1970; 0 where GitHub says no time, or none that can be read."""
    if not text:
        return 0.0
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return found.timestamp() if found.tzinfo else 0.0


def _word(word: str | None, table: Mapping[str, W], unknown: W) -> W:
    return unknown if word is None else table.get(word.upper(), unknown)
