"""Tasks: what a person may do with them, what a dependant gets, and who publishes what exactly once."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import MOVES, RunState, Stage, TaskState
from ops_orchestrate.errors import UnknownTask
from ops_orchestrate.ledger import PREFIX, Edge, Ledger
from tests.builders import make_outcome, make_settlement, make_task
from tests.ledger.play import at_stage, claimed, completed, data_of, ended, failed, granted, planned


def waiting(ledger: Ledger, ask: str = "approve") -> StageKey:
    """A verified change that waits for a person."""
    key = at_stage(ledger, Stage.LAND)
    ended(ledger, key, Stage.LAND, make_outcome(OutcomeKind.WAITING, head="h1"), goes_on=False)
    ledger.attempts.settle(key, make_settlement(TaskState.BLOCKED, ask=ask))
    return key


def test_an_unknown_task_is_named(ledger: Ledger) -> None:
    planned(ledger)
    for call in (ledger.tasks.get, ledger.tasks.attempts, ledger.tasks.hand_overs):
        with pytest.raises(UnknownTask, match="ghost"):
            call("r1", "ghost")
    with pytest.raises(UnknownTask, match="ghost"):
        ledger.tasks.approve("r1", "ghost", "h1", "ann")


def test_tasks_come_in_plan_order(ledger: Ledger) -> None:
    planned(ledger, *[make_task(name) for name in ("b", "c", "a")])
    assert [task.spec.id for task in ledger.tasks.all("r1")] == ["b", "c", "a"]
    assert [task.spec.id for task in ledger.tasks.many("r1", ["a", "ghost", "b"])] == ["a", "b"]


def test_a_hand_over_holds_what_the_agent_said_and_what_was_merged(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2"), make_task("t3", blocked_by=("t1", "t2")))
    key = granted(ledger)
    said = make_outcome(head="h1", files=("src/a.py",), hand_over="The field is called `due`.")
    ended(ledger, key, Stage.IMPLEMENT, said)
    ended(ledger, key, Stage.VERIFY)
    ended(ledger, key, Stage.LAND, goes_on=False)
    ledger.attempts.settle(key, make_settlement())
    (one,) = ledger.tasks.hand_overs("r1", "t3")
    assert (one.task, one.project, one.merge, one.summary) == ("t1", "app", "m1", "The field is called `due`.")
    assert one.files == ("src/a.py",)


def done(ledger: Ledger, task: str) -> None:
    """The task turns out to be done, and nobody has told those that wait for it."""
    assert ledger.tasks.settle_planned("r1", task, make_settlement())


def test_whoever_asks_outside_of_the_settlement_sees_to_the_size_of_a_join(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2"), make_task("t3", blocked_by=("t1", "t2")))
    assert ledger.tasks.edges("r1", "t1") == (), "it has not completed"
    for task in ("t1", "t2"):
        done(ledger, task)
    edges = [ledger.tasks.edges("r1", task) for task in ("t1", "t2", "t1")]
    assert edges == [(Edge("t3", place, 2, parts=False, first=True),) for place in (0, 1, 0)]
    assert ledger.board.look(5).candidates == (), "the chord says when it may start, or the reconciler"


def test_what_waits_for_one_task_alone_is_offered_and_nothing_is_left_to_do(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), *[make_task(name, blocked_by=("t1",)) for name in ("t2", "t3")])
    done(ledger, "t1")
    assert ledger.tasks.edges_pending() == [("r1", "t1")]
    assert [ledger.tasks.edges("r1", "t1") for _ in range(2)] == [(), ()]
    assert [one.task for one in ledger.board.look(5).candidates] == ["t2", "t3"]
    assert ledger.tasks.edges_pending() == []


def test_edges_are_due_until_they_are_done(ledger: Ledger) -> None:
    planned(ledger)
    assert ledger.tasks.edges_pending() == []
    done(ledger, "t1")
    assert ledger.tasks.edges_pending() == [("r1", "t1")]
    ledger.tasks.edges_done("r1", "t1")
    assert ledger.tasks.edges_pending() == []


def test_of_a_task_that_is_gone_no_edge_is_due(ledger: Ledger) -> None:
    planned(ledger)
    done(ledger, "t1")
    ledger._server.client.sadd(f"{PREFIX}edges", "r1/ghost", "gone/t1")
    for run, task in (("r1", "ghost"), ("gone", "t1")):
        assert ledger.tasks.edges(run, task) == ()
    assert ledger.tasks.edges_pending() == [("r1", "t1")]
    assert ledger.runs.finish("r1", RunState.DONE, "")
    assert ledger.runs.forget("r1", ended_before=ledger.now() + 1)
    assert ledger.tasks.edges_pending() == []


@pytest.mark.parametrize("ended_run", [RunState.HALTED, RunState.DONE])
def test_an_answer_in_the_morning_goes_on_where_it_stopped(ledger: Ledger, ended_run: RunState) -> None:
    planned(ledger)
    key = waiting(ledger)
    assert ledger.runs.finish("r1", ended_run, "")
    record = ledger.tasks.reopen(
        "r1", "t1", to=TaskState.SHIPPING, expect={TaskState.BLOCKED}, by="ann", answer="approve"
    )
    assert record is not None
    assert (record.state, record.stage, record.seq, record.ask) == (TaskState.SHIPPING, "land", 1, "")
    assert ledger.runs.get("r1").state is RunState.RUNNING
    newer = key.model_copy(update={"seq": 1})
    assert ledger.attempts.claim(key, Stage.LAND, holder="old", host="h", lease=9).kind == "stale"
    claimed(ledger, newer, Stage.LAND)
    assert data_of(ledger, EventKind.TASK_REOPENED) == [{"to": "shipping", "by": "ann", "answer": "approve"}]


def test_a_stopped_run_stays_stopped_when_a_task_is_answered(ledger: Ledger) -> None:
    planned(ledger)
    failed(ledger, TaskState.BLOCKED)
    ledger.runs.finish("r1", RunState.STOPPED, "")
    ledger.tasks.reopen("r1", "t1", to=TaskState.QUEUED, expect={TaskState.BLOCKED}, by="ann", answer="retry")
    assert ledger.runs.get("r1").state is RunState.STOPPED
    assert not ledger.board.offer("r1", "t1")


def test_a_retry_starts_counting_anew_and_keeps_the_note(ledger: Ledger) -> None:
    planned(ledger)
    failed(ledger, TaskState.DISCARDED)
    record = ledger.tasks.reopen(
        "r1", "t1", to=TaskState.QUEUED, expect={TaskState.DISCARDED}, by="ann", answer="retry", note="use the new API"
    )
    assert record is not None
    assert (record.spent, record.attempt) == (0, 1)
    assert ledger.tasks.notes("r1", "t1") == ["use the new API"]
    assert granted(ledger).attempt == 2


def test_an_answer_may_say_that_it_is_done(ledger: Ledger) -> None:
    planned(ledger)
    waiting(ledger)
    ledger.tasks.reopen("r1", "t1", to=TaskState.COMPLETED, expect={TaskState.BLOCKED}, by="ann", answer="done")
    assert ledger.tasks.edges_pending() == [("r1", "t1")]
    board = ledger.board.look(5)
    assert (board.unmerged, ledger.board.work_left()) == ((), {})


@pytest.mark.parametrize("to", list(TaskState))
@pytest.mark.parametrize("state", [TaskState.BLOCKED, TaskState.CANCELLED, TaskState.DISCARDED])
def test_a_person_moves_a_task_only_as_the_table_allows(ledger: Ledger, state: TaskState, to: TaskState) -> None:
    planned(ledger)
    failed(ledger, state)
    moved = ledger.tasks.reopen("r1", "t1", to=to, expect=set(TaskState), by="ann", answer="x")
    # Without a delivered commit there is nothing to verify or to ship.
    allowed = to in MOVES[state] - {TaskState.VERIFYING, TaskState.SHIPPING}
    assert (moved is not None) is allowed
    assert ledger.tasks.get("r1", "t1").state is (to if allowed else state)


def test_an_unexpected_state_is_left_alone(ledger: Ledger) -> None:
    planned(ledger)
    failed(ledger, TaskState.BLOCKED)
    moved = ledger.tasks.reopen("r1", "t1", to=TaskState.QUEUED, expect={TaskState.DISCARDED}, by="a", answer="x")
    assert moved is None


def test_an_approval_names_one_commit(ledger: Ledger) -> None:
    planned(ledger)
    assert ledger.tasks.approved("r1", "t1") == ""
    ledger.tasks.approve("r1", "t1", "h1", "ann")
    assert ledger.tasks.approved("r1", "t1") == "h1"


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (TaskState.RETRYABLE, "cancelled"),
        (TaskState.BLOCKED, "cancelled"),
        (TaskState.DISCARDED, "ended"),
        (TaskState.CANCELLED, "ended"),
    ],
)
def test_cancelling_what_nobody_works_on(ledger: Ledger, state: TaskState, says: str) -> None:
    planned(ledger)
    failed(ledger, state)
    ledger.board.offer("r1", "t1")
    assert ledger.tasks.cancel("r1", "t1", by="ann", reason="not wanted") == says
    task = ledger.tasks.get("r1", "t1")
    assert (task.state, task.reason) == (
        (TaskState.CANCELLED, "not wanted") if says == "cancelled" else (state, task.reason)
    )
    assert ledger.runs.candidates("r1") == 0


@pytest.mark.parametrize("stage", list(Stage))
def test_cancelling_what_is_in_flight_asks(ledger: Ledger, stage: Stage) -> None:
    planned(ledger)
    key = at_stage(ledger, stage)
    claimed(ledger, key, stage)
    assert ledger.tasks.cancel("r1", "t1", by="ann", reason="no") == "asked"
    assert ledger.attempts.renew(key, stage, holder="me", lease=9).stop == "cancel"


def test_a_completed_task_is_not_cancelled(ledger: Ledger) -> None:
    planned(ledger)
    completed(ledger)
    assert ledger.tasks.cancel("r1", "t1", by="ann", reason="no") == "ended"


def test_a_task_that_was_done_already_completes_without_an_attempt(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2", blocked_by=("t1",)))
    ledger.board.offer("r1", "t1")
    assert ledger.tasks.settle_planned("r1", "t1", make_settlement())
    assert not ledger.tasks.settle_planned("r1", "t1", make_settlement(TaskState.BLOCKED))
    assert ledger.runs.candidates("r1") == 0
    assert ledger.tasks.edges_pending() == [("r1", "t1")]
    assert ledger.board.offer("r1", "t2")


def test_a_task_in_flight_is_not_settled_as_planned(ledger: Ledger) -> None:
    planned(ledger)
    granted(ledger)
    assert not ledger.tasks.settle_planned("r1", "t1", make_settlement())
