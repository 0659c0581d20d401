"""Several machines on one server: each with a name and a data directory of its own, and nothing else in common.

What one host has made is verified, shipped and gone on with by another, also when the first one is gone.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.engine.placing import why_nobody_does
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, requested, standing, work
from tests.repos import read

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

_NUMBERS = count(1)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A server and one repository; each test starts its own machines."""
    with standing(tmp_path, (f"app{next(_NUMBERS)}",)) as made:
        yield made


def hosts_of(events: list[Event], kind: EventKind) -> set[str]:
    """The machines that said so."""
    return {event.host or "" for event in events if event.kind is kind}


def test_each_pool_on_a_machine_of_its_own(rig: Rig) -> None:
    rig.start_hosts({"left": ["agent"], "right": ["audit"], "far": ["ship"], "mid": ["planner"]})
    broken = [{"write": {"path": "broken", "text": "x"}}, {"commit": {"message": "Break it"}}]
    rig.play({"a": [work("a")], "b": [broken, work("b")], "c": [work("c")]})
    tasks = [requested("a", rig.newest), requested("b", rig.newest), requested("c", rig.newest, blocked_by=["a", "b"])]
    events = rig.finish(rig.submit(tasks), 90)
    assert violations(events) == []
    assert hosts_of(events, EventKind.ATTEMPT_STARTED) == {"left"}
    for task in "abc":
        assert read(rig.upstream.bare, "dev", f"src/{task}.txt") == task
    assert {path.name for path in rig.home.glob("*/orchestrate/mirrors/*.git")} == {f"{rig.newest}.git"}
    assert not (rig.home / "mid" / "orchestrate" / "mirrors").exists(), "a planner touches no repository"


def test_a_machine_that_is_gone_after_its_attempt_is_not_missed(rig: Rig) -> None:
    """Its commits were sent before the attempt was recorded as ended, so nothing has to be made again."""
    rig.start_hosts({"left": ["agent"], "right": ["planner", "audit", "ship"]})
    rig.play({"a": [work("a", seconds=1.0)]})
    run = rig.submit([requested("a", rig.newest)])
    rig.until(lambda: [slot.host for slot in rig.ledger.board.slots()] == ["left"], 40, "the agent to start")
    rig.kill("audit@right", signal.SIGSTOP)
    rig.until(lambda: rig.task(run, "a").state is TaskState.VERIFYING, 40, "the attempt to end")
    rig.kill_host("left")
    rig.kill("audit@right", signal.SIGCONT)
    events = rig.finish(run, 60)
    assert violations(events) == []
    assert rig.task(run, "a").state is TaskState.COMPLETED
    assert len(rig.ledger.tasks.attempts(run, "a")) == 1
    assert read(rig.upstream.bare, "dev", "src/a.txt") == "a"


def test_the_work_of_a_machine_that_is_lost_is_done_again_elsewhere(rig: Rig) -> None:
    rig.start_hosts({"left": ["agent"], "right": ["planner", "audit", "ship"]})
    rig.play({"a": [work("a", seconds=30.0), work("a")]})
    run = rig.submit([requested("a", rig.newest)])
    rig.until(lambda: [slot.host for slot in rig.ledger.board.slots()] == ["left"], 40, "the agent to start")
    rig.kill_host("left")
    rig.start_host("other", "agent")
    events = rig.finish(run, 90)
    assert violations(events) == []
    assert rig.task(run, "a").state is TaskState.COMPLETED
    assert hosts_of(events, EventKind.ATTEMPT_STARTED) == {"left", "other"}
    assert rig.agents() == [], "its supervisor has ended what was left of it"


def test_work_goes_to_the_machine_that_can_do_it_and_waits_for_one_where_none_can(rig: Rig) -> None:
    """`left` has no agent that could be started; `right` has one, and a folder of its own."""
    rig.start_host("left", "planner", "audit", "ship", "agent", OPS_PLAYBOOK=str(rig.home / "nowhere"))
    rig.play({name: [work(name)] for name in "ab"})
    run = rig.submit([requested("a", rig.newest), requested("b", rig.newest)])
    rig.until(lambda: any(e.kind is EventKind.RUN_WAITING for e in rig.events(run)), 40, "the run to say that it waits")
    board = rig.ledger.board.look(5)
    assert "No machine can run scripted (left)" in why_nobody_does(rig.task(run, "a"), board, rig.tools)
    assert rig.ledger.tasks.attempts(run, "a") == [], "waiting is no attempt"
    rig.start_host("right", "agent", OPS_AGENT_MEMORY_MB="10000000")
    assert next(one.pools["agent"] for one in rig.ledger.hosts.live() if one.name == "right") == 1, "little memory"
    events = rig.finish(run, 90)
    assert violations(events) == []
    assert hosts_of(events, EventKind.ATTEMPT_STARTED) == {"right"}
    assert {rig.task(run, task).state for task in "ab"} == {TaskState.COMPLETED}


def test_a_drained_machine_finishes_what_it_has_and_takes_nothing_new(rig: Rig) -> None:
    rig.start_hosts({"left": ["agent"], "right": ["planner", "audit", "ship"]})
    rig.play({"a": [work("a", seconds=3.0)], "b": [work("b")], "c": [work("c")]})
    tasks = [requested("a", rig.newest), requested("b", rig.newest, blocked_by=["a"])]
    run = rig.submit(tasks)
    rig.until(lambda: [slot.host for slot in rig.ledger.board.slots()] == ["left"], 40, "the agent to start")
    rig.ledger.hosts.drain("left")
    rig.until(lambda: rig.pools_on("left") == set(), 20, "the machine to withdraw what it offers")
    rig.start_host("other", "agent")
    events = rig.finish(run, 90)
    assert violations(events) == []
    started = {event.task: event.host for event in events if event.kind is EventKind.ATTEMPT_STARTED}
    assert started == {"a": "left", "b": "other"}
    rig.kill_host("other")
    rig.ledger.hosts.drain("left", undo=True)
    events = rig.finish(rig.submit([requested("c", rig.newest)]), 90)
    assert {event.host for event in events if event.kind is EventKind.ATTEMPT_STARTED} == {"left"}
