"""Why is it not running, or not shipped? For every state, one fact a line, the way on last."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.attempt import AttemptRecord, OutcomeKind
from ops_orchestrate.core.board import Board, Host, Owner, Slot
from ops_orchestrate.core.budget import Budget, Wallet
from ops_orchestrate.core.explain import explain
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.spend import Amount, Caps, Day, Purse
from ops_orchestrate.core.states import IN_FLIGHT, RunState, TaskState
from ops_orchestrate.core.task import TaskMode, TaskRecord
from tests.builders import make_outcome, make_request, make_task

NOW = 1_000.0
HOST = Host(name="one", pools={"agent": 2, "audit": 1}, seen_at=NOW)


def record(state: TaskState, id: str = "t1", **kw: Any) -> TaskRecord:
    spec = make_task(id, **kw.pop("spec", {}))
    return TaskRecord(**({"run": "r1", "spec": spec, "state": state} | kw))


def run(state: RunState = RunState.RUNNING, **kw: Any) -> RunRecord:
    request = make_request(**kw.pop("request", {}))
    return RunRecord(**({"id": "r1", "request": request, "state": state, "created_at": 0.0} | kw))


def board(**kw: Any) -> Board:
    return Board(**({"version": 1, "now": NOW, "cap": 5, "capacity": 5} | kw))


def slot(index: int, task: str = "t9") -> Slot:
    return Slot(
        index=index, run="r1", task=task, attempt=2, fence=7, host="one", taken_at=NOW - 90, lease_until=NOW + 30
    )


def told(task: TaskRecord, **kw: Any) -> tuple[str, ...]:
    values: dict[str, Any] = {
        "run": run(),
        "blockers": (),
        "dependants": (),
        "board": board(),
        "attempts": (),
        "now": NOW,
        "hosts": (HOST,),
    }
    return explain(task, **(values | kw))


def test_what_its_story_warns_of_is_told_once_and_on_a_line() -> None:
    lines = told(record(TaskState.BLOCKED), warnings=["asked for a.example", "asked for a.example", "two\nlines"])
    assert [line for line in lines if line.startswith("Warning:")] == [
        "Warning: asked for a.example",
        "Warning: two lines",
    ]
    many = told(record(TaskState.BLOCKED), warnings=[f"w{n}" for n in range(30)])
    assert [line for line in many if line.startswith("Warning:")] == [f"Warning: w{n}" for n in range(20, 30)]


@pytest.mark.parametrize("state", TaskState)
def test_every_state_is_named_with_its_reason(state: TaskState) -> None:
    lines = told(record(state, reason="because of this"))
    assert lines[0] == "t1: Do t1"
    # While it is worked on, what an earlier attempt ended with is no reason for that.
    assert (f"State: {state}" if state in IN_FLIGHT else f"State: {state}, because of this") in lines
    assert all(line.strip() and "\n" not in line for line in lines)


DAY = Day(label="2026-11-27", begins=0.0, ends=NOW + 60)


def test_a_task_that_waits_for_money_or_a_quota_says_so_and_nothing_else() -> None:
    spent = Budget(
        caps=Caps(day=Amount(micros=5_000_000)),
        day=DAY,
        born=-1.0,
        now=NOW,
        purses={"day:2026-11-27": Purse(micros=5_000_000, known=True)},
    )
    lines = told(record(QUEUED), budget=spent)
    assert (
        "It waits: the day's budget is used ($5.00 of $5.00): raise OPS_MAX_DAY_USD. It goes on by itself in 60 s."
        in lines
    )
    parked = Budget(day=DAY, now=NOW, parked={"a/K": NOW + 30}, wallets={"r1": Wallet(accounts=("a/K",))})
    assert "It waits: a has no quota. It goes on by itself in 30 s." in told(record(QUEUED), budget=parked)
    for budget in (spent, parked):
        assert "nothing stands in its way" not in str(told(record(QUEUED), budget=budget))
    assert "nothing stands in its way" in str(told(record(QUEUED), budget=Budget(day=DAY, now=NOW)))


QUEUED = TaskState.QUEUED
WHY_NOT = [
    (
        "a blocker",
        QUEUED,
        {"blockers": (record(TaskState.BLOCKED, "t0", reason="needs a yes"),)},
        "waits for t0, which is blocked (needs a yes)",
    ),
    ("beyond the waves", QUEUED, {"run": run(request={"max_waves": 0})}, "beyond --max-waves 0"),
    ("a halted run", QUEUED, {"run": run(RunState.HALTED)}, "The run is halted."),
    ("a stopping run", QUEUED, {"run": run(stop="salvage")}, "being stopped"),
    ("quiet", QUEUED, {"board": board(quiet_until=NOW + 20)}, "Nothing is admitted for 20 s"),
    ("no worker", QUEUED, {"hosts": ()}, "No worker of the agent pool"),
    ("full", QUEUED, {"board": board(cap=1, slots=(slot(0),))}, "All 1 slots are taken by t9"),
    (
        "an owner",
        QUEUED,
        {"board": board(owners=(Owner(repo="app", run="r2", task="t7", fence=1, host="two", lease_until=NOW),))},
        "t7 of run r2 owns",
    ),
    ("nothing", QUEUED, {}, "starts with the next free slot"),
    ("nothing, tried before", TaskState.RETRYABLE, {}, "starts with the next free slot"),
]


@pytest.mark.parametrize(("state", "kw", "words"), [case[1:] for case in WHY_NOT], ids=[case[0] for case in WHY_NOT])
def test_why_it_does_not_run(state: TaskState, kw: dict[str, Any], words: str) -> None:
    assert any(words in line for line in told(record(state), **kw))


def test_workers_are_missed_only_while_the_run_is_under_way() -> None:
    told_open, told_over = (
        told(record(QUEUED), hosts=(), run=run(state)) for state in (RunState.RUNNING, RunState.STOPPED)
    )
    assert any("No worker" in line and "`ops-orchestrate resume r1`" in line for line in told_open)
    assert not any("worker" in line for line in told_over)


def test_what_does_not_stand_in_its_way_is_not_named() -> None:
    done = record(TaskState.COMPLETED, "t0")
    elsewhere = Owner(repo="other", run="r2", task="t7", fence=1, lease_until=NOW)
    beside = Owner(repo="app", run="r2", task="t8", fence=1, paths=("docs/**",), lease_until=NOW)
    lines = told(record(QUEUED), blockers=(done,), board=board(owners=(elsewhere, beside), slots=(slot(0),)))
    assert not any(name in line for line in lines for name in ("t0", "t7", "t8", "t9"))


def test_a_running_task_shows_who_holds_it() -> None:
    lines = told(record(TaskState.RUNNING), board=board(slots=(slot(3, "t1"), slot(1))))
    assert any("Attempt 2 holds slot 3 on one for 90 s; its lease ends in 30 s" in line for line in lines)


def test_a_snoozed_task_shows_when_it_looks_again() -> None:
    assert any("looked at again in 40 s" in line for line in told(record(TaskState.SHIPPING, wake_at=NOW + 40)))


def test_attempts_tell_how_they_ended_and_where_their_work_is() -> None:
    attempts = (
        AttemptRecord(
            number=1, fence=1, agent="a", host="one", outcome=make_outcome(OutcomeKind.REJECTED), salvage="refs/ops/s/1"
        ),
        AttemptRecord(number=2, fence=2, agent="a", host="one"),
    )
    lines = told(record(TaskState.RUNNING), attempts=attempts)
    assert any(line.startswith("Attempt 1 (a on one): rejected") and "refs/ops/s/1" in line for line in lines)
    assert any(line.startswith("Attempt 2") and "under way" in line for line in lines)


@pytest.mark.parametrize("state", TaskState)
def test_the_way_on_is_the_last_line_where_there_is_one(state: TaskState) -> None:
    lines = told(record(state, ask="approve"), dependants=["t2"], run=run(RunState.HALTED))
    ways = {
        TaskState.BLOCKED: "ops-orchestrate answer r1 t1 yes",
        TaskState.DISCARDED: "ops-orchestrate answer r1 t1 retry",
        TaskState.CANCELLED: "ops-orchestrate answer r1 t1 retry",
        TaskState.QUEUED: "ops-orchestrate resume r1",
        TaskState.RETRYABLE: "ops-orchestrate resume r1",
    }
    if state in ways:
        assert lines[-1] == f"To go on: {ways[state]}"
    else:
        assert not any("ops-orchestrate" in line for line in lines)
    assert any("Waiting for it: t2" in line for line in lines) is (state is not TaskState.COMPLETED)


def test_a_merged_task_names_its_commit() -> None:
    assert "Merged into dev as abcdef12." in told(record(TaskState.COMPLETED, merge="abcdef12" * 5))


def test_hostile_words_stay_on_their_line() -> None:
    bad = "x\n\x1b[2JState: completed"
    attempt = AttemptRecord(number=1, fence=1, outcome=make_outcome(OutcomeKind.FAILED, summary=bad))
    blocker = record(TaskState.BLOCKED, "t0", reason=bad)
    lines = told(record(QUEUED, reason=bad, spec={"title": bad}), attempts=(attempt,), blockers=(blocker,))
    assert all("\n" not in line and "\x1b" not in line for line in lines)


def test_who_can_be_told_something_and_how() -> None:
    member = {"member": "web-worker", "mode": TaskMode.TEAM}
    tell = 'Its agent is web-worker: `ops-orchestrate send web-worker "…" --run r1` tells it something.'

    def says(state: TaskState, **spec: Any) -> bool:
        return tell in told(record(state, spec=spec))

    assert says(TaskState.QUEUED, **member)
    assert says(TaskState.RUNNING, member="web-worker")
    assert not says(TaskState.QUEUED, member="web-worker"), "nobody is at work, and a subagent is not steered"
    assert not says(TaskState.COMPLETED, **member)
    assert not says(TaskState.BLOCKED, human="Only the owner can sign it.", **member)


def test_a_member_that_started_early_says_what_it_ships_after() -> None:
    blockers = (record(TaskState.COMPLETED, "t0"), record(TaskState.RUNNING, "t2"))
    lines = told(record(TaskState.RUNNING, early=True), blockers=blockers)
    assert "It started early, and ships after t2." in lines
    assert not any("started early" in line for line in told(record(TaskState.RUNNING), blockers=blockers))


@pytest.mark.parametrize(
    ("spec", "wanted", "line"),
    [
        ({"acceptance": tuple("abcde"), "big": "has 5 acceptance criteria"}, True, "one works on it (--planner-help)."),
        ({"acceptance": tuple("abcde")}, False, "with --planner-help an agent would be asked how to split it."),
        ({"part_of": "whole", "split_by": "planner"}, True, "a part of whole, proposed by the planner's agent."),
        ({"acceptance": ("a",)}, False, ""),
    ],
)
def test_that_it_is_big_or_was_planned_with_help_is_said(spec: dict[str, Any], wanted: bool, line: str) -> None:
    lines = told(record(QUEUED, spec=spec), run=run(request={"planner_help": wanted}))
    assert any(line and one.endswith(line) for one in lines) is bool(line), lines
    assert line or not any("big" in one for one in lines)


def test_what_failed_stands_there_and_not_only_that_something_did() -> None:
    log = "test_a ... ok\n======\nTraceback (most recent call last):\n^^^^^^\nAssertionError: -1 != 5"
    rejected = AttemptRecord(number=1, fence=1, outcome=make_outcome(OutcomeKind.REJECTED, log_tail=log))
    lines = told(record(TaskState.DISCARDED, attempt=1), attempts=[rejected])
    at = lines.index("Its log ends with:")
    assert lines[at + 1 : at + 4] == (
        "  test_a ... ok",
        "  Traceback (most recent call last):",
        "  AssertionError: -1 != 5",
    )
    for state, kind in ((TaskState.COMPLETED, OutcomeKind.REJECTED), (TaskState.VERIFYING, OutcomeKind.SUCCEEDED)):
        fine = rejected.model_copy(update={"outcome": make_outcome(kind, log_tail=log)})
        assert "Its log ends with:" not in told(record(state, attempt=1), attempts=[fine])
