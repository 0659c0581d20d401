"""GitHub's words, and that an unknown one is never a good one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.adapters.github import words
from ops_orchestrate.core.merge.pull import Conclusion, Mergeable, MergeState, PullState, ReviewDecision, ReviewState

ENUMS = (Conclusion, Mergeable, MergeState, PullState, ReviewDecision, ReviewState)
KNOWN = {one.name for kind in ENUMS for one in kind} | {"", "ERROR", "COMPLETED"}
KNOWN |= {"QUEUED", "IN_PROGRESS", "REQUESTED", "WAITING", "EXPECTED"}


@pytest.mark.parametrize(
    ("status", "conclusion", "wanted"),
    [
        ("COMPLETED", "SUCCESS", Conclusion.SUCCESS),
        ("completed", "success", Conclusion.SUCCESS),
        ("COMPLETED", "STARTUP_FAILURE", Conclusion.STARTUP_FAILURE),
        ("COMPLETED", None, Conclusion.UNKNOWN),
        ("COMPLETED", "BRAND_NEW", Conclusion.UNKNOWN),
        ("IN_PROGRESS", "SUCCESS", Conclusion.PENDING),
        ("WAITING", None, Conclusion.PENDING),
        ("PAUSED", "SUCCESS", Conclusion.UNKNOWN),
        (None, "SUCCESS", Conclusion.UNKNOWN),
    ],
)
def test_a_conclusion_counts_only_once_the_check_is_completed(
    status: str | None, conclusion: str | None, wanted: Conclusion
) -> None:
    assert words.conclusion_of(status, conclusion) is wanted


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ("SUCCESS", Conclusion.SUCCESS),
        ("error", Conclusion.FAILURE),
        ("EXPECTED", Conclusion.PENDING),
        ("NEUTRAL", Conclusion.UNKNOWN),
        (None, Conclusion.UNKNOWN),
    ],
)
def test_a_status_has_its_own_words(state: str | None, wanted: Conclusion) -> None:
    assert words.status_of(state) is wanted


def test_no_required_review_is_none_and_not_unknown() -> None:
    assert words.decision_of(None) is ReviewDecision.NONE


@given(st.text(max_size=30).filter(lambda text: text.upper() not in KNOWN))
def test_a_word_that_nobody_knows_is_unknown_everywhere(word: str) -> None:
    assert words.conclusion_of("COMPLETED", word) is Conclusion.UNKNOWN
    assert words.conclusion_of(word, "SUCCESS") is Conclusion.UNKNOWN
    assert words.status_of(word) is Conclusion.UNKNOWN
    assert words.pull_state_of(word) is PullState.UNKNOWN
    assert words.mergeable_of(word) is Mergeable.UNKNOWN
    assert words.merge_state_of(word) is MergeState.UNKNOWN
    assert words.review_state_of(word) is ReviewState.UNKNOWN
    assert words.decision_of(word) is ReviewDecision.UNKNOWN


@pytest.mark.parametrize(
    ("text", "at"),
    [("1970-01-01T00:01:00Z", 60.0), (None, 0.0), ("", 0.0), ("soon", 0.0), ("2026-01-01T00:00:00", 0.0)],
)
def test_a_time(text: str | None, at: float) -> None:
    assert words.time_of(text) == at
