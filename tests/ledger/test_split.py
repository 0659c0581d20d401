"""A task becomes a composite in one step: its parts join the plan, and it waits for them."""

from __future__ import annotations

from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.part import Part
from ops_orchestrate.core.split import composite_of, parts_of
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.ledger import Edge, Ledger
from tests.builders import make_outcome, make_settlement, make_task
from tests.ledger.play import completed, ended, granted, planned

BIG = make_task("big", blocked_by=("t1",), estimate=60.0)
PARTS = parts_of(BIG, (Part(title="one"), Part(title="two", after=(0,))), (), by="rule")


def worn_out(ledger: Ledger) -> StageKey:
    """`big` waits for `t1`, which is done, and `last` for `big`; the attempt at `big` has stalled."""
    planned(ledger, make_task("t1"), BIG, make_task("last", blocked_by=("big",)))
    completed(ledger, "t1")
    key = granted(ledger, "big")
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(OutcomeKind.STALLED), goes_on=False)
    return key


def split(ledger: Ledger, key: StageKey) -> bool:
    return ledger.tasks.split(key, composite_of(BIG, PARTS), PARTS, why="too big", by="rule")


def states(ledger: Ledger) -> dict[str, TaskState]:
    return {task.spec.id: task.state for task in ledger.tasks.all("r1")}


def test_its_parts_join_the_plan_and_it_waits_for_them(ledger: Ledger) -> None:
    key = worn_out(ledger)
    assert split(ledger, key)
    assert list(states(ledger)) == ["t1", "big", "last", "big-1", "big-2"]
    big = ledger.tasks.get("r1", "big")
    assert (big.state, big.spec.parts, big.reason) == (TaskState.QUEUED, ("big-1", "big-2"), "too big")
    assert [ledger.tasks.dependants("r1", name) for name in ("big-1", "big-2", "big")] == [
        ["big-2", "big"],
        ["big"],
        ["last"],
    ]
    assert ledger.runs.counts("r1")[TaskState.QUEUED] == 4
    assert ledger.board.work_left() == {"app": 660.0}
    told = [event for event in ledger.events.read("r1") if event.seq > 0][-3:]
    assert [(event.kind, event.task) for event in told] == [
        (EventKind.TASK_PLANNED, "big-1"),
        (EventKind.TASK_PLANNED, "big-2"),
        (EventKind.TASK_SPLIT, "big"),
    ]


def test_a_composite_is_never_granted_and_its_parts_are(ledger: Ledger) -> None:
    split(ledger, worn_out(ledger))
    offered = {name: bool(ledger.board.offer("r1", name)) for name in states(ledger)}
    assert offered == {"t1": False, "big": False, "last": False, "big-1": True, "big-2": False}
    for part in ("big-1", "big-2"):
        completed(ledger, part)
    assert not ledger.board.offer("r1", "big")
    assert ledger.tasks.settle_planned("r1", "big", make_settlement())
    assert ledger.board.offer("r1", "last")
    assert [given.task for given in ledger.tasks.hand_overs("r1", "last")] == ["big-1", "big-2"]


def test_only_an_attempt_that_is_over_is_split_and_once(ledger: Ledger) -> None:
    key = worn_out(ledger)
    assert not split(ledger, key.model_copy(update={"fence": key.fence - 1}))
    assert split(ledger, key)
    assert not split(ledger, key)
    assert len(states(ledger)) == 5


def test_nothing_is_split_while_its_agent_is_at_work(ledger: Ledger) -> None:
    planned(ledger, make_task("big"))
    assert not split(ledger, granted(ledger, "big"))
    assert list(states(ledger)) == ["big"]


def test_an_id_that_is_taken_refuses_the_whole_split(ledger: Ledger) -> None:
    planned(ledger, make_task("big"), make_task("big-2"))
    key = granted(ledger, "big")
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(OutcomeKind.STALLED), goes_on=False)
    assert not split(ledger, key)
    assert states(ledger) == {"big": TaskState.RUNNING, "big-2": TaskState.QUEUED}


def test_with_the_whole_its_parts_are_withdrawn(ledger: Ledger) -> None:
    split(ledger, worn_out(ledger))
    key = granted(ledger, "big-1")
    assert ledger.tasks.cancel("r1", "big", by="ann", reason="no") == "cancelled"
    assert ledger.attempts.stop_asked(key.run, key.task) == "cancel"
    assert states(ledger)["big-2"] is TaskState.CANCELLED


def test_another_run_takes_the_whole_only_while_no_part_is_worked_on(ledger: Ledger) -> None:
    item = ("app", BIG.fingerprint, "big", "")
    split(ledger, worn_out(ledger))
    assert not ledger.claims.take("r1", [item])
    key = granted(ledger, "big-1")
    assert ledger.claims.take("r2", [item], over=[("r1", "big")])
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(OutcomeKind.FAILED), goes_on=False)
    ledger.attempts.settle(key, make_settlement(TaskState.RETRYABLE))
    assert not ledger.claims.take("r2", [item], over=[("r1", "big")])
    assert {states(ledger)[name] for name in ("big", "big-1", "big-2")} == {TaskState.CANCELLED}


def test_what_a_person_said_of_the_whole_its_parts_are_told(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), BIG)
    completed(ledger, "t1")
    key = granted(ledger, "big")
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(OutcomeKind.FAILED), goes_on=False)
    ledger.attempts.settle(key, make_settlement(TaskState.DISCARDED))
    ledger.tasks.reopen(
        "r1", "big", to=TaskState.QUEUED, expect=[TaskState.DISCARDED], by="ann", answer="retry", note="mind the tests"
    )
    key = granted(ledger, "big")
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(OutcomeKind.STALLED), goes_on=False)
    assert split(ledger, key)
    assert ledger.tasks.notes("r1", "big-1") == ["mind the tests"]


def test_a_part_that_waits_for_another_alone_is_offered_when_that_has_completed(ledger: Ledger) -> None:
    """What the whole waited for has completed before there was a part, and returns itself to no join of theirs."""
    split(ledger, worn_out(ledger))
    completed(ledger, "big-1")
    assert [one.task for one in ledger.board.look(5).candidates] == ["big-2"]
    assert ledger.tasks.get("r1", "big-2").spec.blocked_by == ("t1", "big-1")
    assert [given.task for given in ledger.tasks.hand_overs("r1", "big-2")] == ["t1", "big-1"]


def test_the_join_of_its_parts_is_beside_its_own(ledger: Ledger) -> None:
    """What the whole waited for was counted before: two edges into one task, each in its own join."""
    planned(ledger, make_task("t1"), make_task("t2"), BIG.model_copy(update={"blocked_by": ("t1", "t2")}))
    for task in ("t1", "t2"):
        assert ledger.tasks.settle_planned("r1", task, make_settlement())
    assert ledger.tasks.edges("r1", "t2") == (Edge("big", 1, 2, parts=False, first=True),)
    key = granted(ledger, "big")
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(OutcomeKind.STALLED), goes_on=False)
    assert split(ledger, key)
    for part in ("big-1", "big-2"):
        assert ledger.tasks.settle_planned("r1", part, make_settlement())
    edges = [edge for name in ("big-2", "big-1") for edge in ledger.tasks.edges("r1", name) if edge.child == "big"]
    assert edges == [Edge("big", 1, 2, parts=True, first=True), Edge("big", 0, 2, parts=True, first=True)]


def test_a_composite_that_is_tried_again_brings_its_parts_back(ledger: Ledger) -> None:
    split(ledger, worn_out(ledger))
    completed(ledger, "big-1")
    assert ledger.tasks.cancel("r1", "big", by="me", reason="not now") == "cancelled"
    assert states(ledger) | {"t1": TaskState.COMPLETED, "last": TaskState.QUEUED} == {
        "t1": TaskState.COMPLETED,
        "last": TaskState.QUEUED,
        "big": TaskState.CANCELLED,
        "big-1": TaskState.COMPLETED,
        "big-2": TaskState.CANCELLED,
    }
    moved = ledger.tasks.reopen(
        "r1", "big", to=TaskState.QUEUED, expect=(TaskState.CANCELLED,), by="me", answer="retry", note="now"
    )
    assert moved is not None and moved.spec.parts == ("big-1", "big-2")
    assert [states(ledger)[name] for name in ("big", "big-1", "big-2")] == ["queued", "completed", "queued"]
    assert ledger.tasks.notes("r1", "big-2")[-1] == "now"
    told = [event.task for event in ledger.events.read("r1") if event.kind is EventKind.TASK_REOPENED]
    assert told == ["big", "big-2"]
    assert ledger.board.offer("r1", "big-2")
    completed(ledger, "big-2")
    assert ledger.tasks.settle_planned("r1", "big", make_settlement())
