"""A task that stalls again and again is split: its parts are merged, it completes, and who waits for it starts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, requested, standing, work

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with standing(tmp_path_factory.mktemp("split"), OPS_STALL_AFTER="2") as made:
        made.start()
        yield made


def test_a_task_that_stalls_twice_is_split_and_its_dependant_starts(rig: Rig) -> None:
    silent = [{"sleep": {"seconds": 60}}]
    rig.play(
        {"big": [silent, silent], "*": [work("any")], "next": [work("next")]}
        | {f"big-{n}": [work(f"part{n}", path=f"src/{n}/done.txt")] for n in (1, 2)}
    )
    run = rig.submit([requested("big", paths=("src/1/", "src/2/")), requested("next", blocked_by=["big"])])
    events = rig.finish(run, 90)
    assert rig.ledger.runs.get(run).state is RunState.DONE
    states = {task.spec.id: task.state for task in rig.ledger.tasks.all(run)}
    assert states == dict.fromkeys(("big", "next", "big-1", "big-2"), TaskState.COMPLETED)
    assert [rig.task(run, f"big-{n}").spec.paths for n in (1, 2)] == [("src/1/",), ("src/2/",)]
    assert rig.task(run, "big").attempt == 2, "a composite was granted"
    split = [event for event in events if event.kind is EventKind.TASK_SPLIT]
    assert [(one.task, one.data["parts"], one.data["by"]) for one in split] == [("big", ["big-1", "big-2"], "rule")]
    order = [
        event.task for event in events if event.kind is EventKind.TASK_SETTLED and event.data["state"] == "completed"
    ]
    assert order.index("big") > max(order.index("big-1"), order.index("big-2"))
    assert order[-1] == "next"
    assert violations(events) == []
