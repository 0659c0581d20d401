"""A big task is put to an agent first, with real workers: what is split by its answer, and what goes on undivided."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, Steps, requested, standing, work
from tests.repos import read

pytestmark = pytest.mark.real

_NUMBERS = count(1)
CRITERIA = ("reads", "writes", "lists", "removes", "is documented")
PARTS: list[dict[str, Any]] = [
    {"title": "Model", "about": "the records", "covers": [1, 2], "acceptance": [], "paths": ["src/a/"], "after": []},
    {"title": "Pages", "about": "what shows", "covers": [3, 4], "acceptance": [], "paths": ["src/b/"], "after": []},
    {"title": "Words", "about": "", "covers": [5], "acceptance": ["no typo"], "paths": [], "after": [1, 2]},
]


def answers(parts: list[dict[str, Any]], **more: str) -> Steps:
    """What an agent says that is asked how to split a task."""
    return [{"answer": {"parts": parts, **more}}]


def told(events: list[Event]) -> list[dict[str, Any]]:
    return [event.data for event in events if event.data.get("what") == "planner help"]


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One set of workers for the whole file."""
    with standing(tmp_path_factory.mktemp("helped")) as made:
        made.start()
        yield made


@pytest.fixture
def rig(workers: Rig) -> Rig:
    """A fresh repository of the test's own, served by the same workers."""
    workers.repository(f"repo{next(_NUMBERS)}")
    return workers


def test_a_big_task_is_split_as_an_agent_proposes_and_its_dependant_waits_for_all_of_it(rig: Rig) -> None:
    rig.play(
        {
            "split:big": [answers(PARTS)],
            "big-1": [work("m", path="src/a/m")],
            "big-2": [work("p", path="src/b/p")],
            "big-3": [[{"copy_brief": {"path": "src/brief"}}, *work("w", path="src/w")]],
            "next": [work("next", path="src/next")],
        }
    )
    big = requested("big", rig.newest, acceptance=CRITERIA, paths=("src/",))
    run = rig.submit([big, requested("next", rig.newest, blocked_by=["big"])], planner_help=True)
    events = rig.finish(run)
    assert rig.ledger.runs.get(run).state is RunState.DONE, rig.story()
    assert {task.state for task in rig.ledger.tasks.all(run)} == {TaskState.COMPLETED}
    whole = rig.task(run, "big")
    assert (whole.attempt, whole.spent, whole.spec.parts) == (1, 0, ("big-1", "big-2", "big-3"))
    (only,) = rig.ledger.tasks.attempts(run, "big")
    assert only.outcome is not None and only.outcome.kind is OutcomeKind.PLANNED
    last = rig.task(run, "big-3").spec
    assert (last.split_by, last.paths, last.blocked_by) == ("planner", ("src/",), ("big-1", "big-2"))
    assert last.acceptance == ("is documented", "no typo")
    assert "is documented" in (read(rig.upstream.bare, "dev", "src/brief") or "")
    (split,) = [event.data for event in events if event.kind is EventKind.TASK_SPLIT]
    assert split["by"] == "planner" and "planned with help by scripted" in split["text"]
    assert "it has 5 acceptance criteria" in split["text"]
    order = [e.task for e in events if e.kind is EventKind.TASK_SETTLED and e.data["state"] == "completed"]
    assert order[-2:] == ["big", "next"]
    assert violations(events) == []
