"""Where an attempt begins, whose change is left alone, and which promotion is brought to its end."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.attempt_rule import begin_at
from ops_orchestrate.core.crossref import left_to
from ops_orchestrate.core.merge.pull import Pull, PullState, Review, ReviewState, Thread, ThreadComment
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.merge.words import review_words, said_until
from ops_orchestrate.core.promotion import Promotion, PromotionState, goes_on
from ops_orchestrate.core.states import RunState, TaskState

K = OutcomeKind


@pytest.mark.parametrize(
    ("earlier", "adopted", "start"),
    [
        ([], None, None),
        ([], "ours", "ours"),
        ([K.REJECTED], None, None),
        ([K.SENT_BACK], None, "h0"),
        ([K.SENT_BACK, K.CRASHED], None, "h0"),
        ([K.SENT_BACK, K.STALLED, K.REJECTED], None, "h0"),
        ([K.SENT_BACK, K.SENT_BACK], None, "h1"),
        ([K.SENT_BACK, K.CONFLICT], None, None),
        ([K.SENT_BACK, K.CONFLICT], "ours", "ours"),
        ([K.CONFLICT, K.SENT_BACK], "ours", "h1"),
    ],
)
def test_what_was_sent_back_is_mended_where_it_stands(
    earlier: list[OutcomeKind], adopted: str | None, start: str | None
) -> None:
    outcomes = [None, *(Outcome(kind=kind, head=f"h{at}") for at, kind in enumerate(earlier))]
    assert begin_at(outcomes, adopted) == start


@pytest.mark.parametrize(
    ("state", "ask", "run", "left"),
    [
        (TaskState.SHIPPING, "", RunState.RUNNING, True),
        (TaskState.RUNNING, "", RunState.RUNNING, True),
        (TaskState.RETRYABLE, "", RunState.RUNNING, True),
        (TaskState.RETRYABLE, "", RunState.STOPPED, False),
        (TaskState.BLOCKED, "approve", RunState.HALTED, True),
        (TaskState.BLOCKED, "merged", RunState.HALTED, True),
        (TaskState.BLOCKED, "land", RunState.HALTED, False),
        (TaskState.DISCARDED, "", RunState.DONE, False),
        (TaskState.COMPLETED, "", RunState.DONE, False),
    ],
)
def test_a_change_that_a_run_still_pursues_is_left_to_it(state: TaskState, ask: str, run: RunState, left: bool) -> None:
    assert bool(left_to("r1", state, ask, run)) is left


@pytest.mark.parametrize(
    ("pursuit", "approved", "on"),
    [
        (None, "", False),
        (Pursuit(number=2, head="h1"), "", True),
        (Pursuit(number=2, head="h1"), "h1", True),
        (Pursuit(number=2, head="h1"), "h2", False),
        (Pursuit(number=2, head="h1", merged_at=5.0), "h2", True),
        (Pursuit(number=2, head="h2"), "h2", True),
    ],
)
def test_a_pinned_promotion_ends_before_another_begins_unless_a_person_says_otherwise(
    pursuit: Pursuit | None, approved: str, on: bool
) -> None:
    known = Promotion(state=PromotionState.PENDING, pursuit=pursuit, approved=approved)
    assert goes_on(known, "h2") is on


def said(author: str, body: str, at: float, *, trusted: bool = True) -> ThreadComment:
    return ThreadComment(author=author, body=body, at=at, trusted=trusted)


def test_a_brief_tells_what_those_with_a_say_said_and_until_when() -> None:
    threads = (
        Thread(id="T1", resolved=False, path="a.py", line=3, comments=(said("rita", "Why?\u202e", 5.0),)),
        Thread(id="T2", resolved=False, comments=(said("mallory", "Run this.", 6.0, trusted=False),)),
    )
    reviews = (
        Review(author="rita", state=ReviewState.CHANGES_REQUESTED, commit="h", at=9.0, trusted=True, body="Shorter."),
        Review(author="mallory", state=ReviewState.CHANGES_REQUESTED, commit="h", at=8.0, body="Longer."),
        Review(author="bob", state=ReviewState.APPROVED, commit="h", at=11.0, trusted=True, body="Fine."),
    )
    pull = Pull(number=1, state=PullState.OPEN, head="h", head_ref="ops/t", base_ref="dev", reviews=reviews)
    text = review_words(pull, threads)
    assert "rita asks for changes: Shorter." in text
    assert "Review comment at a.py:3:\nrita: Why?" in text
    assert "\u202e" not in text
    assert not any(word in text for word in ("Run this", "Longer", "Fine"))
    assert "mallory, who has no say in the repository, is left out" in text
    assert said_until(pull, threads[:1]) == 9.0
    assert said_until(pull.model_copy(update={"reviews": ()}), ()) == 0.0


def test_strangers_crowd_no_demand_out_of_a_brief() -> None:
    demand = Review(
        author="rita", state=ReviewState.CHANGES_REQUESTED, commit="h", at=1.0, trusted=True, body="Shorter."
    )
    noise = tuple(
        Review(author=f"m{n}", state=ReviewState.COMMENTED, commit="h", at=2.0 + n, body="Longer.") for n in range(40)
    )
    pull = Pull(number=1, state=PullState.OPEN, head="h", head_ref="ops/t", base_ref="dev", reviews=(demand, *noise))
    assert review_words(pull, ()) == "rita asks for changes: Shorter."


def test_sent_back_twice_at_one_head_is_counted_once() -> None:
    once = Pursuit(number=1, head="h1").sent_back(said_at=5.0, threads=("T1",))
    assert (once.fixes, once.said_at, once.given_threads, once.mending) == (1, 5.5, ("T1",), True)
    assert once.sent_back(said_at=7.0, threads=("T2",)).fixes == 1
    pushed = once.pushed("h2", base="b")
    assert (pushed.fixes, pushed.fixed_at, pushed.given_threads, pushed.mending) == (1, 5.5, ("T1",), False)


@pytest.mark.parametrize(
    ("later", "told"),
    [
        ([], ["first", "second"]),
        ([("rita", "approved", 9.0)], []),
        ([("Rita", "dismissed", 9.0)], []),
        ([("rita", "approved", 6.0)], ["second"]),
        ([("rita", "commented", 9.0)], ["first", "second"]),
        ([("bob", "approved", 9.0)], ["first", "second"]),
        ([("rita", "approved", 9.0), ("rita", "changes-requested", 10.0)], ["later"]),
    ],
)
def test_what_a_reviewer_has_approved_since_is_demanded_no_more(
    later: list[tuple[str, str, float]], told: list[str]
) -> None:
    def one(author: str, state: str, at: float, body: str) -> Review:
        return Review(author=author, state=ReviewState(state), commit="h", at=at, trusted=True, body=body)

    reviews = [
        one("rita", "changes-requested", 5.0, "first"),
        one("rita", "changes-requested", 7.0, "second"),
        *(one(*said, "later") for said in later),
    ]
    pull = Pull(number=1, state=PullState.OPEN, head="h", head_ref="ops/t", base_ref="dev", reviews=tuple(reviews))
    text = review_words(pull, ())
    assert [word for word in ("first", "second", "later") if word in text] == told
