"""Where an attempt leaves its task: every outcome, with attempts left and without."""

from __future__ import annotations

from itertools import product

import pytest

from ops_orchestrate.core.attempt import OutcomeKind, Settlement
from ops_orchestrate.core.attempt_rule import LONGEST_PAUSE, after
from ops_orchestrate.core.states import IN_FLIGHT, MOVES, TaskState
from tests.builders import make_outcome

NOW = 1_000_000.0


def settle(
    kind: OutcomeKind,
    spent: int = 1,
    ask: str = "",
    stopping: bool = False,
    cancelled: bool = False,
    resets_at: float = 0.0,
    another: bool = False,
) -> Settlement:
    return after(
        make_outcome(kind, ask=ask, resets_at=resets_at),
        spent=spent,
        max_attempts=3,
        run_stopping=stopping,
        cancelled=cancelled,
        now=NOW,
        quota_pause=900,
        another=another,
    )


R, B, D, C = TaskState.RETRYABLE, TaskState.BLOCKED, TaskState.DISCARDED, TaskState.COMPLETED

TABLE = [
    # outcome, with attempts left, with none left
    (OutcomeKind.EMPTY, R, D),
    (OutcomeKind.FAILED, R, D),
    (OutcomeKind.CRASHED, R, D),
    (OutcomeKind.STALLED, R, D),
    (OutcomeKind.TIMED_OUT, R, D),
    (OutcomeKind.LOST, R, D),
    (OutcomeKind.REFUSED, R, D),
    (OutcomeKind.REJECTED, R, D),
    (OutcomeKind.SENT_BACK, R, B),  # its pull request stays open: a person goes on with it
    (OutcomeKind.CONFLICT, R, D),
    (OutcomeKind.INTERRUPTED, R, R),
    (OutcomeKind.REDIRECTED, R, R),
    (OutcomeKind.PLANNED, R, R),
    (OutcomeKind.QUOTA, R, R),
    (OutcomeKind.UNSTARTED, R, B),
    (OutcomeKind.WAITING, B, B),
    (OutcomeKind.MERGED, C, C),
    (OutcomeKind.ALREADY_DONE, C, C),
    # Nobody settles these: the chain goes on after them. A person is told when it did not.
    (OutcomeKind.SUCCEEDED, B, B),
    (OutcomeKind.VERIFIED, B, B),
]


@pytest.mark.parametrize(
    ("most", "words"),
    [
        (3, "all 3 attempts failed; the last ended as empty: It says the file is not there"),
        (1, "its only attempt ended as empty: It says the file is not there"),
    ],
)
def test_giving_up_is_a_sentence(most: int, words: str) -> None:
    last = make_outcome(OutcomeKind.EMPTY, summary="It says the file is not there")
    found = after(last, spent=most, max_attempts=most, run_stopping=False, cancelled=False, now=NOW, quota_pause=900)
    assert (found.state, found.reason) == (D, words)


def test_the_table_has_every_outcome() -> None:
    assert {row[0] for row in TABLE} == set(OutcomeKind)


@pytest.mark.parametrize(("kind", "left", "none_left"), TABLE)
def test_where_it_leaves_the_task(kind: OutcomeKind, left: TaskState, none_left: TaskState) -> None:
    assert settle(kind, spent=1).state is left
    assert settle(kind, spent=2).state is left
    assert settle(kind, spent=3).state is none_left
    assert settle(kind, spent=4).state is none_left


def test_a_refusal_that_asks_waits_for_a_person() -> None:
    settlement = settle(OutcomeKind.REFUSED, ask="retry")
    assert (settlement.state, settlement.ask) == (B, "retry")


@pytest.mark.parametrize("ask", ["approve-change", "verify", "land"])
def test_what_waits_keeps_its_question(ask: str) -> None:
    assert settle(OutcomeKind.WAITING, ask=ask).ask == ask


@pytest.mark.parametrize("kind", OutcomeKind)
def test_a_cancelled_task_ends_unless_it_is_merged_already(kind: OutcomeKind) -> None:
    merged = kind in {OutcomeKind.MERGED, OutcomeKind.ALREADY_DONE}
    assert settle(kind, cancelled=True).state is (C if merged else TaskState.CANCELLED)


@pytest.mark.parametrize("kind", [OutcomeKind.LOST, OutcomeKind.CRASHED, OutcomeKind.INTERRUPTED])
def test_a_run_that_stops_gives_nothing_up(kind: OutcomeKind) -> None:
    assert settle(kind, spent=3, stopping=True).state is R


@pytest.mark.parametrize(
    ("resets_at", "not_before"),
    [
        (0.0, NOW + 900),
        (NOW - 5, NOW + 900),
        (NOW + 30, NOW + 30),
        (NOW + 7_000, NOW + 7_000),
        (NOW + 1e9, NOW + LONGEST_PAUSE),
    ],
    ids=["nobody said", "past", "soon", "later", "never"],
)
def test_a_quota_waits_for_its_reset(resets_at: float, not_before: float) -> None:
    assert settle(OutcomeKind.QUOTA, resets_at=resets_at).not_before == not_before


def test_a_quota_does_not_wait_where_another_agent_goes_on() -> None:
    left = settle(OutcomeKind.QUOTA, resets_at=NOW + 60, another=True)
    assert (left.state, left.not_before) == (TaskState.RETRYABLE, 0.0)


def test_nothing_else_waits() -> None:
    others = set(OutcomeKind) - {OutcomeKind.QUOTA}
    assert {settle(kind, resets_at=NOW + 30).not_before for kind in others} == {0.0}
    assert settle(OutcomeKind.QUOTA, stopping=True).not_before == 0.0, "the run's end does not wait for it"


def test_every_settlement_is_allowed_has_a_reason_and_asks_only_while_blocked() -> None:
    for kind, spent, ask, stopping, cancelled in product(
        OutcomeKind, range(5), ("", "verify"), (False, True), (False, True)
    ):
        settlement = settle(kind, spent, ask, stopping, cancelled)
        assert settlement.reason
        assert bool(settlement.ask) is (settlement.state is B)
        assert any(settlement.state in MOVES[state] for state in IN_FLIGHT)
