"""One run on real workers: from a requested task to a squash commit on the integration branch."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, requested, work
from tests.repos import git, read

pytestmark = pytest.mark.real


def test_a_task_is_worked_on_verified_and_merged(rig: Rig) -> None:
    rig.play({"one": [work("one")]})
    rig.start()
    run = rig.submit([requested("one", paths=("src/",))])
    events = rig.finish(run)
    task = rig.task(run, "one")
    assert (task.state, task.reason) == (TaskState.COMPLETED, "did one")
    assert rig.ledger.runs.get(run).state is RunState.DONE
    app = rig.upstreams["app"]
    assert read(app.bare, "dev", "src/one.txt") == "one"
    message = git("log", "-1", "--format=%B", "dev", cwd=app.bare)
    assert f"Ops-Task: one\nOps-Run: {run}" in message
    assert git("rev-parse", "dev", cwd=app.bare) == task.merge
    assert violations(events) == []
    assert {EventKind.MERGE_INTENDED, EventKind.MERGE_PROVED} <= {event.kind for event in events}
    assert rig.agents() == []
