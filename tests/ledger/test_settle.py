"""The end of an attempt: back to verify, settling, merges and salvage. A stale call changes nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.change import MergeIntent
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.ledger import Announced, Closing, Edge, End, Ledger, Settled
from ops_orchestrate.ledger.server import Server
from tests.builders import make_outcome, make_settlement, make_task
from tests.ledger.play import (
    DONE,
    LEASE,
    at_stage,
    claimed,
    completed,
    data_of,
    ended,
    failed,
    granted,
    kinds,
    planned,
    snapshot,
    story,
)

INTENT = MergeIntent(repo="app", branch="dev", base="b1", head="h1", tree="t1", commit="m1")


def claim(ledger: Ledger, key: StageKey, stage: Stage, holder: str = "me", lease: float = LEASE) -> tuple[str, str]:
    found = ledger.attempts.claim(key, stage, holder=holder, host="h1", lease=lease, agent="scripted")
    return found.kind, found.stop


# Back to verify -----------------------------------------------------------------------------------------------------


def test_a_moved_base_goes_back_to_verify(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    claimed(ledger, key, Stage.LAND)
    newer = ledger.attempts.again(key, holder="me", frm=Stage.LAND, to=Stage.VERIFY)
    assert newer == key.model_copy(update={"seq": 1})
    assert ledger.tasks.get("r1", "t1").state is TaskState.VERIFYING
    assert claim(ledger, key, Stage.VERIFY) == ("stale", "")
    assert claim(ledger, key, Stage.LAND) == ("stale", "")
    ended(ledger, newer, Stage.VERIFY)  # by the same holder as before: it is another end
    assert ledger.tasks.get("r1", "t1").state is TaskState.SHIPPING


def test_only_the_holder_goes_back(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    claimed(ledger, key, Stage.LAND)
    assert ledger.attempts.again(key, holder="other", frm=Stage.LAND, to=Stage.VERIFY) is None
    assert ledger.tasks.get("r1", "t1").state is TaskState.SHIPPING


def test_only_the_holder_snoozes_and_saying_it_twice_is_once(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    claimed(ledger, key, Stage.LAND)
    assert not ledger.attempts.snooze(key, Stage.LAND, holder="other", seconds=9, note="")
    for _ in range(2):
        assert ledger.attempts.snooze(key, Stage.LAND, holder="me", seconds=9, note="")
    assert len(data_of(ledger, EventKind.TASK_SNOOZED)) == 1


# A quota ------------------------------------------------------------------------------------------------------------


def out_of_quota(ledger: Ledger, pause: float) -> StageKey:
    """An attempt that ended for a quota, and waits for so many seconds."""
    planned(ledger)
    key = granted(ledger)
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(OutcomeKind.QUOTA), goes_on=False)
    settlement = make_settlement(TaskState.RETRYABLE, reason="no quota", not_before=ledger.now() + pause)
    assert ledger.attempts.settle(key, settlement).applied
    return key


def test_a_quota_does_not_count_and_holds_nothing(ledger: Ledger) -> None:
    out_of_quota(ledger, 300)
    task = ledger.tasks.get("r1", "t1")
    assert (task.state, task.spent) == (TaskState.RETRYABLE, 0)
    assert ledger.board.slots() == []
    assert ledger.board.owners() == []


def test_nobody_starts_before_the_quota_is_back(ledger: Ledger) -> None:
    out_of_quota(ledger, 300)
    assert not ledger.board.offer("r1", "t1")
    assert ledger.board.wake() == []
    assert ledger.board.look(5).candidates == ()
    wake_at = ledger.tasks.get("r1", "t1").wake_at
    assert 290 < wake_at - ledger.now() <= 300
    assert ledger.board.next_wake() == wake_at
    assert [data["stage"] for data in data_of(ledger, EventKind.TASK_SNOOZED)] == ["implement"]


def test_when_it_is_back_the_task_is_offered_again(ledger: Ledger) -> None:
    key = out_of_quota(ledger, 1)
    while ledger.board.next_wake() is not None:
        assert ledger.board.wake() == [], "a task that waits for an attempt has no chain to go on with"
    assert [one.task for one in ledger.board.look(5).candidates] == ["t1"]
    newer = granted(ledger)
    assert (newer.attempt, ledger.tasks.get("r1", "t1").wake_at) == (key.attempt + 1, 0.0)
    claimed(ledger, newer, Stage.IMPLEMENT)
    assert ledger.attempts.spent("r1", "t1") == 1


def test_a_withdrawn_task_that_comes_back_waits_for_nothing(ledger: Ledger) -> None:
    out_of_quota(ledger, 300)
    assert ledger.tasks.cancel("r1", "t1", by="me", reason="no") == "cancelled"
    assert ledger.tasks.reopen("r1", "t1", to=TaskState.QUEUED, by="me", answer="retry", expect={TaskState.CANCELLED})
    assert ledger.board.offer("r1", "t1")


# Settling -----------------------------------------------------------------------------------------------------------


def test_a_completed_task_says_its_merge_and_offers_what_waited_for_it_alone(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2", blocked_by=("t1",)))
    key = at_stage(ledger, Stage.LAND)
    ended(ledger, key, Stage.LAND, goes_on=False)
    settled = ledger.attempts.settle(key, make_settlement(reason="merged"))
    assert settled == Settled(applied=True, state=TaskState.COMPLETED, wanted=True)
    assert [one.task for one in ledger.board.look(5).candidates] == ["t2"]
    assert ledger.tasks.get("r1", "t1").merge == "m1"
    assert ledger.tasks.edges_pending() == []
    assert data_of(ledger, EventKind.TASK_SETTLED) == [
        {"state": "completed", "reason": "merged", "ask": "", "merge": "m1", "head": "h1"}
    ]


def test_what_a_completed_task_leaves_to_do_is_due_until_it_is_done(ledger: Ledger) -> None:
    planned(ledger, *[make_task(name) for name in ("t1", "t2")], make_task("t3", blocked_by=("t1", "t2")))
    granted(ledger, "t2")
    key = at_stage(ledger, Stage.LAND)
    ended(ledger, key, Stage.LAND, goes_on=False)
    first, again = (ledger.attempts.settle(key, make_settlement()) for _ in range(2))
    assert first.edges == (Edge("t3", 0, 2, parts=False, first=True),)
    assert (first.in_flight, first.wanted) == (1, False)
    assert (again.applied, again.edges) == (False, first.edges), "nobody knows how far the first one came"
    assert ledger.tasks.edges_pending() == [("r1", "t1")]
    ledger.tasks.edges_done("r1", "t1")
    assert ledger.attempts.settle(key, make_settlement()).edges == ()


def touched(ledger: Ledger) -> int:
    """How many tasks have a hash of their own: those that a script has loaded."""
    return len(ledger._server.client.keys("*:task:r1:*"))


def test_a_task_that_very_many_wait_for_is_seen_to_in_short_calls(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(ledger, make_task("t1"), *[make_task(f"leaf-{n}", blocked_by=("t1",)) for n in range(201)])
    key = at_stage(ledger, Stage.LAND)
    ended(ledger, key, Stage.LAND, goes_on=False)
    assert touched(ledger) == 1, "before it has completed nobody looks at what waits for it"
    counts, run = [1], Server.run

    def counting(*call: Any) -> object:
        answer = run(*call)
        counts.append(touched(ledger))
        return answer

    monkeypatch.setattr(Server, "run", counting)
    settled = ledger.attempts.settle(key, make_settlement())
    assert (settled.edges, settled.wanted, ledger.tasks.edges_pending()) == ((), True, [])
    assert [after - before for before, after in pairwise(counts)] == [100, 100, 1]
    assert len(ledger.board.look(5).candidates) == 201


def test_what_is_offered_in_a_later_call_wants_a_slot_and_what_is_left_of_an_earlier_one_is_due(ledger: Ledger) -> None:
    joins = [make_task(f"join-{n}", blocked_by=("t1", "t2")) for n in range(100)]
    planned(ledger, make_task("t1"), make_task("t2", repo="web"), *joins, make_task("leaf", blocked_by=("t1",)))
    granted(ledger, "t2")
    key = at_stage(ledger, Stage.LAND)
    ended(ledger, key, Stage.LAND, goes_on=False)
    settled = ledger.attempts.settle(key, make_settlement())
    assert [edge.child for edge in settled.edges] == [join.id for join in joins]
    assert (settled.wanted, [one.task for one in ledger.board.look(5).candidates]) == (True, ["leaf"])
    assert ledger.tasks.edges_pending() == [("r1", "t1")]


@pytest.mark.parametrize("others", [0, 4, 5])
def test_a_task_that_is_to_be_tried_again_is_offered_and_wants_a_slot_that_is_free(ledger: Ledger, others: int) -> None:
    names = [f"other-{number}" for number in range(others)]
    planned(ledger, *[make_task(name) for name in ("t1", *names)])
    key = granted(ledger)
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(OutcomeKind.FAILED), goes_on=False)
    for name in names:
        granted(ledger, name)
    settled = ledger.attempts.settle(key, make_settlement(TaskState.RETRYABLE))
    assert [one.task for one in ledger.board.look(5).candidates] == ["t1"]
    # Where no slot is free, whoever gives one back fills it.
    assert (settled.wanted, settled.in_flight) == (others < 5, others)


def test_settling_twice_changes_nothing(ledger: Ledger) -> None:
    planned(ledger)
    key = completed(ledger)
    before = snapshot(ledger)
    settled = ledger.attempts.settle(key, make_settlement(TaskState.DISCARDED))
    assert (settled.applied, settled.state) == (False, TaskState.COMPLETED)
    assert snapshot(ledger) == before


@pytest.mark.parametrize("stage", list(Stage))
def test_an_attempt_that_is_not_over_is_not_settled(ledger: Ledger, stage: Stage) -> None:
    planned(ledger)
    key = at_stage(ledger, stage)
    claimed(ledger, key, stage)
    assert not ledger.attempts.settle(key, make_settlement(TaskState.RETRYABLE)).applied


def test_an_old_fence_settles_nothing(ledger: Ledger) -> None:
    planned(ledger)
    old = failed(ledger, TaskState.RETRYABLE)
    key = granted(ledger)
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(OutcomeKind.FAILED), goes_on=False)
    assert not ledger.attempts.settle(old, make_settlement(TaskState.DISCARDED)).applied
    assert ledger.tasks.get("r1", "t1").state is TaskState.RUNNING


@pytest.mark.parametrize("state", [TaskState.SHIPPING, TaskState.VERIFYING])
def test_a_settlement_that_is_no_end_of_an_agents_stage_is_an_error(ledger: Ledger, state: TaskState) -> None:
    planned(ledger)
    key = granted(ledger)
    ended(ledger, key, Stage.IMPLEMENT, goes_on=False)
    before = snapshot(ledger)
    with pytest.raises(ValueError, match=f"from running to {state}"):
        ledger.attempts.settle(key, make_settlement(state))
    assert snapshot(ledger) == before


@pytest.mark.parametrize(
    ("state", "stays"), [(TaskState.BLOCKED, True), (TaskState.RETRYABLE, False), (TaskState.DISCARDED, False)]
)
def test_a_change_that_waits_for_a_person_stays_unmerged(ledger: Ledger, state: TaskState, stays: bool) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.VERIFY)
    ended(ledger, key, Stage.VERIFY, make_outcome(OutcomeKind.WAITING, head="h1"), goes_on=False)
    ledger.attempts.settle(key, make_settlement(state, reason="look at it", ask="approve"))
    assert bool(ledger.board.look(5).unmerged) is stays
    task = ledger.tasks.get("r1", "t1")
    assert (task.state, task.reason, task.ask) == (state, "look at it", "approve")


# Merges and salvage -------------------------------------------------------------------------------------------------


def test_a_merge_is_announced_then_proved(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    assert not ledger.attempts.intend(key, holder="me", intent=INTENT)  # not claimed yet
    claimed(ledger, key, Stage.LAND)
    for _ in range(2):
        assert ledger.attempts.intend(key, holder="me", intent=INTENT)
    assert ledger.attempts.intent("r1", "t1") == INTENT
    assert not ledger.attempts.prove(key, holder="other", intent=INTENT)
    for _ in range(2):
        assert ledger.attempts.prove(key, holder="me", intent=INTENT)
    assert ledger.tasks.get("r1", "t1").merge == "m1"
    told = {"commit": "m1", "branch": "dev", "base": "b1", "head": "h1", "tree": "t1", "method": "squash"}
    assert data_of(ledger, EventKind.MERGE_INTENDED) == data_of(ledger, EventKind.MERGE_PROVED) == [told]


def test_the_lock_of_the_base_comes_with_the_announcement(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    claimed(ledger, key, Stage.LAND)
    ledger.locks.acquire("base:dev", "another", LEASE)

    def intend(holder: str = "me") -> Announced:
        return ledger.attempts.intend(key, holder=holder, intent=INTENT, lock="base:dev", ttl=LEASE)

    assert intend() is Announced.BUSY
    assert ledger.attempts.intent("r1", "t1") is None, "nothing is announced"
    ledger.locks.release("base:dev", "another")
    assert intend("another") is Announced.LOST
    assert ledger.locks.holder("base:dev") == "", "without the claim there is no lock"
    assert [intend(), intend(), ledger.locks.holder("base:dev")] == [Announced.DONE, Announced.DONE, "me"]


def test_the_end_says_all_that_goes_with_it_once(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    claimed(ledger, key, Stage.LAND)
    ledger.attempts.intend(key, holder="me", intent=INTENT, lock="base:dev", ttl=LEASE)
    closing = Closing(told=[{"what": "a"}, {"what": "b"}], proof=INTENT, unlock="base:dev")

    def end(holder: str) -> End:
        done = DONE[Stage.LAND]
        return ledger.attempts.end(key, Stage.LAND, holder=holder, outcome=done, goes_on=False, closing=closing)

    before = snapshot(ledger)
    assert not end("another")
    assert (snapshot(ledger), ledger.locks.holder("base:dev")) == (before, "me")
    known = len(story(ledger))
    assert [bool(end("me")), bool(end("me"))] == [True, True]
    assert kinds(story(ledger)[known:]) == [EventKind.EVIDENCE, EventKind.EVIDENCE, EventKind.MERGE_PROVED]
    assert (ledger.tasks.get("r1", "t1").merge, ledger.locks.holder("base:dev")) == ("m1", "")


def test_merges_are_counted_by_repository(ledger: Ledger) -> None:
    planned(ledger, *(make_task(task, repo=repo) for task, repo in (("a", "app"), ("b", "web"), ("c", "app"))))
    assert ledger.runs.merges("r1") == {}
    for task in "a", "b", "c":
        key = at_stage(ledger, Stage.LAND, task)
        claimed(ledger, key, Stage.LAND)
        for _ in range(2):
            assert ledger.attempts.prove(key, holder="me", intent=INTENT)
        for _ in range(2):  # proved and ended, said again and again, it is one merge
            assert ledger.attempts.end(key, Stage.LAND, holder="me", outcome=DONE[Stage.LAND], goes_on=False)
    assert ledger.runs.merges("r1") == {"app": 2, "web": 1}


def test_the_end_gives_back_no_lock_of_another(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    claimed(ledger, key, Stage.LAND)
    ledger.locks.acquire("base:dev", "another", LEASE)
    closing, done = Closing(unlock="base:dev"), DONE[Stage.LAND]
    assert ledger.attempts.end(key, Stage.LAND, holder="me", outcome=done, goes_on=False, closing=closing)
    assert ledger.locks.holder("base:dev") == "another"


def test_an_announced_merge_is_taken_back_by_the_newest_grant_only(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    claimed(ledger, key, Stage.LAND)
    ledger.attempts.intend(key, holder="me", intent=INTENT)
    ledger.attempts.drop_intent(key.model_copy(update={"fence": 1}))
    assert ledger.attempts.intent("r1", "t1") == INTENT
    ledger.attempts.drop_intent(key)
    assert ledger.attempts.intent("r1", "t1") is None


def test_salvaged_work_is_named_with_its_attempt(ledger: Ledger) -> None:
    planned(ledger)
    key = failed(ledger, TaskState.RETRYABLE)
    for _ in range(2):
        ledger.attempts.salvaged("r1", "t1", 1, key.fence, "refs/ops/salvage/1", host="h1")
    assert ledger.tasks.attempts("r1", "t1")[0].salvage == "refs/ops/salvage/1"
    assert data_of(ledger, EventKind.SALVAGED) == [{"ref": "refs/ops/salvage/1"}]


# A change on a forge ------------------------------------------------------------------------------------------------


def test_back_to_verify_with_another_head(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    claimed(ledger, key, Stage.LAND)
    assert ledger.attempts.again(key, holder="me", frm=Stage.LAND, to=Stage.VERIFY, head="h2") is not None
    assert ledger.tasks.get("r1", "t1").head == "h2"


def test_only_the_holder_remembers_something_of_a_change(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    assert ledger.attempts.pursuit("r1", "t1") == Pursuit()
    assert not ledger.attempts.pursue(key, holder="me", pursuit=Pursuit(number=7))  # not claimed yet
    claimed(ledger, key, Stage.LAND)
    assert not ledger.attempts.pursue(key, holder="other", pursuit=Pursuit(number=7))
    assert ledger.attempts.pursue(key, holder="me", pursuit=Pursuit(number=7, branch="ops/r1/t1"))
    assert ledger.attempts.pursuit("r1", "t1").number == 7
    assert ledger.tasks.get("r1", "t1").change == "#7"


def test_a_branch_is_frozen_for_the_task_whose_merge_was_not_what_was_verified(ledger: Ledger) -> None:
    assert ledger.facts.frozen("app", "dev") is None
    ledger.facts.freeze("app", "dev", run="r1", task="t1")
    assert ledger.facts.frozen("app", "dev") == ("r1", "t1")
    assert ledger.facts.frozen("app", "main") is None


def test_a_check_is_usual_that_was_green_on_three_of_the_last_five_merged_heads(ledger: Ledger) -> None:
    for checks in (["build"], ["build", "lint"], ["build", "lint"], ["lint", "docs"]):
        assert "docs" not in ledger.facts.usual_checks("app", "dev")
        ledger.facts.merged_with("app", "dev", checks)
    assert ledger.facts.usual_checks("app", "dev") == ("build", "lint")
    for _ in range(4):
        ledger.facts.merged_with("app", "dev", ["other"])
    assert ledger.facts.usual_checks("app", "dev") == ("other",)
    assert ledger.facts.usual_checks("app", "main") == ()


def test_how_long_ci_takes_is_the_median_of_the_last_heads(ledger: Ledger) -> None:
    assert ledger.facts.usual_ci("app", "dev") == 0.0
    for seconds in (9000.0, 60.0, 62.0, 64.0, 400.0, 61.0):
        ledger.facts.merged_with("app", "dev", ["build"], seconds=seconds)
    assert (ledger.facts.usual_ci("app", "dev"), ledger.facts.usual_ci("app", "main")) == (62.0, 0.0)
