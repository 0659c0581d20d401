"""A big task is put to an agent first, with real workers: what is split by its answer, and what goes on undivided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.report.check import violations
from tests.engine.rig import Steps, requested, standing, work
from tests.repos import read

pytestmark = pytest.mark.real

CRITERIA = ("reads", "writes", "lists", "removes", "is documented")
PARTS: list[dict[str, Any]] = [
    {"title": "Model", "about": "the records", "covers": [1, 2], "acceptance": [], "paths": ["src/a/"], "after": []},
    {"title": "Pages", "about": "what shows", "covers": [3, 4], "acceptance": [], "paths": ["src/b/"], "after": []},
    {"title": "Words", "about": "", "covers": [5], "acceptance": ["no typo"], "paths": [], "after": [1, 2]},
]


def test_a_big_task_is_split_as_an_agent_proposes_and_its_dependant_waits_for_all_of_it(tmp_path: Path) -> None:
    playbook: dict[str, list[Steps]] = {
        "split:big": [[{"answer": {"parts": PARTS}}]],
        "big-1": [work("m", path="src/a/m")],
        "big-2": [work("p", path="src/b/p")],
        "big-3": [[{"copy_brief": {"path": "src/brief"}}, *work("w", path="src/w")]],
        "next": [work("next", path="src/next")],
    }
    with standing(tmp_path) as rig:
        rig.play(playbook)
        rig.start()
        big = requested("big", acceptance=CRITERIA, paths=("src/",))
        run = rig.submit([big, requested("next", blocked_by=["big"])], planner_help=True)
        events = rig.finish(run, 90)
        assert rig.ledger.runs.get(run).state is RunState.DONE, rig.story()
        tasks = {task.spec.id: task for task in rig.ledger.tasks.all(run)}
        (only,) = rig.ledger.tasks.attempts(run, "big")
        brief = read(rig.upstream.bare, "dev", "src/brief") or ""
    assert {task.state for task in tasks.values()} == {TaskState.COMPLETED}
    whole, last = tasks["big"], tasks["big-3"].spec
    assert (whole.attempt, whole.spent, whole.spec.parts) == (1, 0, ("big-1", "big-2", "big-3"))
    assert only.outcome is not None and only.outcome.kind is OutcomeKind.PLANNED
    assert (last.split_by, last.paths, last.blocked_by) == ("planner", ("src/",), ("big-1", "big-2"))
    assert last.acceptance == ("is documented", "no typo")
    assert "is documented" in brief
    (split,) = [event.data for event in events if event.kind is EventKind.TASK_SPLIT]
    assert split["by"] == "planner" and "planned with help by scripted" in split["text"]
    assert "it has 5 acceptance criteria" in split["text"]
    order = [e.task for e in events if e.kind is EventKind.TASK_SETTLED and e.data["state"] == "completed"]
    assert order[-2:] == ["big", "next"]
    assert violations(events) == []
