"""Asking how to split a task, step by step and without workers: wherever it breaks, nothing is asked or split twice."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.attempt import Outcome, OutcomeKind, StageKey
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.run import RequestedTask
from ops_orchestrate.core.spend import Reserve
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.engine.admit import key_of
from ops_orchestrate.engine.budget import budget_of
from ops_orchestrate.engine.settle import settle
from ops_orchestrate.engine.structure import plan
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.engine.work import implement
from ops_orchestrate.wiring import make_toolbox
from tests.engine.rig import Rig, Steps, requested, work
from tests.engine.test_repairs import audited

pytestmark = pytest.mark.real

CRITERIA = ("reads", "writes", "lists", "removes", "is documented")
TWO: Steps = [
    {
        "answer": {
            "why": "two halves",
            "parts": [
                {"title": "One", "covers": [1, 2], "paths": ["src/1/"]},
                {"title": "Two", "covers": [3, 4, 5], "paths": ["src/2/"]},
            ],
        }
    }
]


@pytest.fixture
def tools(rig: Rig) -> Toolbox:
    return make_toolbox(rig.settings, rig.ledger)


def begun(rig: Rig, tools: Toolbox, *tasks: RequestedTask, planner_help: bool = True) -> str:
    """A planned run, by default with one big task, of which nothing has been granted yet."""
    big = requested("big", acceptance=CRITERIA, paths=("src/",))
    run = rig.submit(tasks or [big], planner_help=planner_help)
    audited(rig, run, tools)
    plan(run, tools)
    return run


def granted(tools: Toolbox, task: str = "") -> StageKey:
    """The next attempt, of that task or any, granted as admission does."""
    board = tools.ledger.board.look(5)
    picked = [one for one in board.candidates if task in ("", one.task)]
    (grant,) = tools.ledger.board.grant(board, picked[:1], lease=60)
    return key_of(grant)


def asked(rig: Rig, run: str) -> list[dict[str, Any]]:
    """What is told of each question."""
    return [event.data for event in rig.events(run) if event.data.get("what") == "planner help"]


def ended(tools: Toolbox, key: StageKey) -> Outcome:
    outcome = tools.ledger.attempts.outcome(key)
    assert outcome is not None
    return outcome


def test_what_is_recorded_is_neither_asked_nor_split_twice(rig: Rig, tools: Toolbox) -> None:
    """The worker dies after the answer; the run is stopped before it is split, and goes on in the morning."""
    rig.play({"split:big": [TWO]})
    run = begun(rig, tools)
    first = granted(tools)
    implement(first, "one", tools)
    implement(first, "another delivery", tools)
    assert ended(tools, first).kind is OutcomeKind.PLANNED, ended(tools, first).summary
    rig.ledger.runs.request_stop(run, "salvage", by="test")
    settle(first, tools)
    assert (rig.task(run, "big").state, rig.task(run, "big").spec.parts) == (TaskState.RETRYABLE, ())

    rig.ledger.runs.resume(run)
    rig.ledger.board.offer(run, "big")
    rig.play({"*": [work("any")]})  # nobody would know an answer any more
    second = granted(tools)
    implement(second, "two", tools)
    again = ended(tools, second)
    assert (again.kind, again.cost_usd, again.tokens) == (OutcomeKind.PLANNED, 0.0, 0)
    for _ in range(2):
        settle(second, tools)
    assert len(asked(rig, run)) == 1
    assert [task.spec.id for task in rig.ledger.tasks.all(run)] == ["big", "big-1", "big-2"]
    assert [event.kind for event in rig.events(run)].count(EventKind.TASK_SPLIT) == 1
    assert rig.task(run, "big").spent == 0


def test_a_question_whose_worker_was_lost_is_asked_again(rig: Rig, tools: Toolbox) -> None:
    rig.play({"split:big": [TWO]})
    run = begun(rig, tools)
    first = granted(tools)
    claim = tools.ledger.attempts.claim(first, Stage.IMPLEMENT, holder="dead", host="gone", lease=0.001)
    assert claim.kind == "ok"
    rig.until(lambda: bool(rig.ledger.board.reap(grant_timeout=60)), 10, "the lost attempt")
    settle(first, tools)
    second = granted(tools)
    implement(second, "two", tools)
    settle(second, tools)
    assert (len(asked(rig, run)), rig.task(run, "big").spec.parts) == (1, ("big-1", "big-2"))


def test_no_token_is_spent_where_nobody_wants_help_or_nothing_is_big(rig: Rig, tools: Toolbox) -> None:
    """Whoever asked would end as unstarted: the playbook has no answer."""
    rig.play({"*": [work("any")]})
    big = requested("big", acceptance=CRITERIA, paths=("src/",))
    small = requested("small", acceptance=CRITERIA[:4], paths=("src/",))
    for task, helped in ((big, False), (small, True)):
        run = begun(rig, tools, task, planner_help=helped)
        key = granted(tools)
        implement(key, "me", tools)
        assert ended(tools, key).kind is OutcomeKind.SUCCEEDED, ended(tools, key)
        assert asked(rig, run) == []


NO_GOOD: dict[str, tuple[Steps, str]] = {
    "dies": ([{"crash": {}}], "ended as crashed"),
    "silent": ([{"say": {"text": "In two."}}], "is empty"),
    "echo": ([{"raw_report": {"text": '{"mark": "0", "why": "", "parts": []}'}}], "may be a copy"),
    "writes": ([{"write": {"path": "src/x"}}, *TWO], "ended as failed"),
    "escapes": (TWO, "outside of the whole's paths"),
    "whole": ([{"answer": {"parts": []}}], "one piece of work"),
}


def test_whatever_is_no_good_answer_the_task_goes_on_undivided(rig: Rig, tools: Toolbox) -> None:
    rig.play({f"split:{name}": [steps] for name, (steps, _) in NO_GOOD.items()} | {"*": [work("any", path="whole/x")]})
    tasks = [requested(name, acceptance=CRITERIA, paths=(f"{name}/",)) for name in NO_GOOD]
    run = begun(rig, tools, *tasks)
    for name, (_, why) in NO_GOOD.items():
        key = granted(tools, name)
        implement(key, "me", tools)
        settle(key, tools)
        task = rig.task(run, name)
        assert (task.state, task.spent, task.spec.parts) == (TaskState.RETRYABLE, 0, ())
        assert "it goes on undivided" in task.reason and why in task.reason
    second = granted(tools, "whole")
    implement(second, "me", tools)
    assert ended(tools, second).kind is OutcomeKind.SUCCEEDED, ended(tools, second)
    assert [told["parts"] for told in asked(rig, run)] == [0] * len(NO_GOOD)


def test_a_question_costs_like_an_attempt(rig: Rig) -> None:
    """What nobody counted counts as what was set aside for it."""
    caps = rig.settings.model_copy(
        update={"max_attempt_usd": 1.0, "max_run_usd": 5.0, "agent_hosts": ("models.example",)}  # it may have asked one
    )
    tools = make_toolbox(caps, rig.ledger)
    rig.play({"split:big": [TWO]})
    run = begun(rig, tools)
    board = tools.ledger.board.look(5)
    (candidate,) = board.candidates
    reserve = budget_of(board, tools).ask(candidate)
    assert isinstance(reserve, Reserve)
    (grant,) = tools.ledger.board.grant(board, [candidate], lease=60, reserves=[reserve])
    implement(key_of(grant), "me", tools)
    purses = tools.ledger.money.purses([f"run:{run}", f"task:{run}/big"])
    assert {(one.micros, one.reserved_micros) for one in purses.values()} == {(1_000_000, 0)}
