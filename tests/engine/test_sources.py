"""Work that a tracker brings, through real workers: audited, held where a stranger asks for it, waited for by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.engine.answer import answer
from ops_orchestrate.report.check import violations
from ops_orchestrate.report.fold import fold
from tests.engine.rig import Rig, work
from tests.standins.linear import KEY, LinearStandIn, linear

pytestmark = pytest.mark.real


@pytest.fixture
def tracker() -> Iterator[LinearStandIn]:
    with linear() as standin:
        yield standin


@pytest.fixture
def rig(tmp_path: Path, server_url: str, tracker: LinearStandIn) -> Iterator[Rig]:
    made = Rig.build(tmp_path, server_url, OPS_LINEAR_URL=tracker.url, LINEAR_API_KEY=KEY)
    yield made
    made.close()


def test_a_strangers_ticket_waits_for_a_yes_and_what_waits_for_it_goes_on_then(
    rig: Rig, tracker: LinearStandIn
) -> None:
    tracker.add("ENG-1", title="Asked from outside", outsider="Eve")
    tracker.add("ENG-2", title="Needs it")
    tracker.relations = [("ENG-1", "blocks", "ENG-2")]
    found = rig.portfolio("app")
    named = tuple(one.model_copy(update={"linear_team": "ENG", "sentry_project": "app"}) for one in found.projects)
    rig.start()
    run = rig.submit([], portfolio=found.model_copy(update={"projects": named}))
    view = fold(rig.finish(run))
    tasks = {task.title: task for task in view.tasks.values()}
    asked, needs = tasks["Asked from outside"], tasks["Needs it"]
    assert rig.ledger.runs.get(run).state is RunState.HALTED
    assert (asked.state, asked.ask, asked.reason) == (
        TaskState.BLOCKED,
        "dispatch",
        "ENG-1 was made by Eve, who is not of the workspace",
    )
    assert (needs.blocked_by, needs.state, needs.held_by) == ((asked.id,), TaskState.QUEUED, (asked.id,))
    assert [rig.task(run, one.id).attempt for one in (asked, needs)] == [0, 0]
    assert [(one.name, "OPS_SENTRY_ORG" in one.reason) for one in view.skipped] == [("sentry", True)]

    rig.play({one.id: [work(one.id)] for one in (asked, needs)})
    answer(run, asked.id, "yes", by="test", tools=rig.tools)
    events = rig.finish(run)
    assert [rig.task(run, one.id).state for one in (asked, needs)] == [TaskState.COMPLETED] * 2
    assert violations(events) == []
    assert tracker.tickets["ENG-1"].state == "unstarted", "nothing is moved at a source that nobody said to move"
