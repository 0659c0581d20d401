"""The plain `celery -A ops_orchestrate worker`: one process of prefork children serves every queue and needs no other.

It is one trust domain, and says so.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from ops_orchestrate.celery import POOLS
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, requested, standing, work
from tests.repos import read

pytestmark = [pytest.mark.real]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Two repositories and the plain worker alone."""
    with standing(tmp_path_factory.mktemp("plain"), ("app", "web"), OPS_LOG_FORMAT="json") as made:
        made.start_plain()
        yield made


def test_it_runs_a_whole_graph_by_itself(rig: Rig) -> None:
    """A diamond over two repositories with a join, a first attempt that fails, and a promotion: every kind of job."""
    rig.play(
        {
            "left": [[{"write": {"path": "broken", "text": "x"}}, {"commit": {"message": "Break it"}}], work("left")],
            "*": [work("any")],
            **{name: [work(name)] for name in ("root", "right", "last")},
        }
    )
    run = rig.submit(
        [
            requested("root", "app"),
            requested("left", "app", blocked_by=["root"]),
            requested("right", "web", blocked_by=["root"]),
            requested("last", "web", blocked_by=["left", "right"]),
        ],
        portfolio=rig.portfolio("app", "web", promote=True),
    )
    events = rig.finish(run, 90)
    assert rig.ledger.runs.get(run).state is RunState.DONE
    assert {task.state for task in rig.ledger.tasks.all(run)} == {TaskState.COMPLETED}
    assert violations(events) == []
    attempts = Counter(event.task for event in events if event.kind is EventKind.ATTEMPT_STARTED)
    assert attempts == {"root": 1, "left": 2, "right": 1, "last": 1}
    assert {event.data["name"] for event in events if event.kind is EventKind.PROMOTED} == {"app", "web"}
    for upstream in rig.upstreams.values():
        assert read(upstream.bare, "main", "src/.keep") is not None
    assert read(rig.upstreams["web"].bare, "main", "src/last.txt") == "last"
    assert rig.agents() == []


def test_it_serves_every_queue_and_keeps_one_place_free_of_agents(rig: Rig) -> None:
    (host,) = rig.ledger.hosts.live()
    assert dict(host.pools) == {**dict.fromkeys(POOLS, 4), "agent": 3}


def test_each_line_of_its_log_says_which_attempt_it_is_about(rig: Rig) -> None:
    said = [json.loads(line) for line in (rig.home / "plain.log").read_text().splitlines() if line.startswith("{")]
    stages = {(one["task"], one["attempt"]) for one in said if one["message"].startswith("agent.implement: go-on")}
    assert stages == {("root", 1), ("left", 1), ("left", 2), ("right", 1), ("last", 1)}
    assert {one["host"] for one in said} == {"rig"}


def test_it_says_that_it_is_one_trust_domain(rig: Rig) -> None:
    log = (rig.home / "plain.log").read_text()
    assert "this worker serves planner, audit, agent, ship: it is one trust domain" in log
