"""An agent whose worker, supervisor or run ends before it does: no second one beside it, nothing of its work lost.

One installation serves all tests; each test has a run of its own.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.engine.answer import resume
from ops_orchestrate.report.check import violations
from ops_orchestrate.wiring import make_toolbox
from tests.engine.nemesis import (
    freeze,
    half_done,
    kept,
    marked,
    mirror,
    outcomes,
    players,
    salvage_of,
    seen,
    shoot,
    sound,
    thaw,
    twice,
    watching,
)
from tests.engine.rig import Rig, requested, work
from tests.repos import git

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
STARTED, ENDED, VERDICT = EventKind.ATTEMPT_STARTED, EventKind.ATTEMPT_ENDED, EventKind.VERDICT


def test_a_killed_agent_worker_takes_its_agent_with_it_and_loses_nothing(house: Rig) -> None:
    house.play({"slain": twice("slain")})
    run = house.submit([requested("slain")])
    half_done(house, "slain")
    with watching(house.home) as sight:
        house.kill("agent")
        killed = time.monotonic()
        house.until(lambda: marked(house.home) == {}, 5, "the agent to be gone")
        print(f"the agent was gone {time.monotonic() - killed:.2f} s after its worker")
        house.start("agent")
        events = sound(house, run)
        print(f"the run ended {time.monotonic() - killed:.2f} s after its worker was killed")
    assert sight.doubled == set()
    assert outcomes(events, "slain") == ["lost", "succeeded"]
    first, second = house.ledger.tasks.attempts(run, "slain")
    assert first.brief_digest != second.brief_digest
    ref = salvage_of(house, run, "slain")
    assert (kept(house, ref, "src/slain.txt"), kept(house, ref, "src/slain.draft")) == ("half", "draft")
    assert "Half of slain" in git("log", "--format=%s", ref, cwd=mirror(house))


def test_a_stopped_agent_worker_never_has_a_second_agent_beside_its_own(house: Rig) -> None:
    """Its agent even ignores what can be ignored; the supervisor's ladder still ends before the lease does."""
    first = [{"ignore_signals": {}}, *twice("stopped")[0]]
    house.play({"stopped": [first, work("stopped")]})
    run = house.submit([requested("stopped")])
    half_done(house, "stopped")
    with watching(house.home) as sight:
        freeze(house, "agent")
        frozen = time.monotonic()
        house.until(lambda: marked(house.home) == {}, 6, "the supervisor to end the agent")
        ended = time.monotonic() - frozen
        lost = seen(house, run, ENDED, "stopped")
        print(f"agent gone after {ended:.2f} s, lost after {time.monotonic() - frozen:.2f} s")
        assert lost.data["outcome"] == "lost"
        time.sleep(0.5)
        thaw(house, "agent")
        events = sound(house, run)
    assert sight.doubled == set()
    assert outcomes(events, "stopped") == ["lost", "succeeded"]
    assert kept(house, salvage_of(house, run, "stopped"), "src/stopped.draft") == "draft"


def test_a_killed_agent_is_a_crash_and_is_tried_again(house: Rig) -> None:
    """What is salvaged of it is on no branch, and no tree is left."""
    house.play({"shot": twice("shot")})
    run = house.submit([requested("shot")])
    half_done(house, "shot")
    shoot(players(house.home))
    events = sound(house, run)
    assert outcomes(events, "shot") == ["crashed", "succeeded"]
    ref = salvage_of(house, run, "shot")
    assert kept(house, ref, "src/shot.draft") == "draft"
    assert git("for-each-ref", "--format=%(refname)", "--contains", ref, cwd=mirror(house)).split() == [ref]
    trees = house.settings.state_dir / "trees"
    house.until(lambda: not list(trees.glob("*/*.json")), 20, "every tree to be gone")


def test_a_killed_supervisor_takes_its_agent_with_it(house: Rig) -> None:
    house.play({"minded": twice("minded")})
    run = house.submit([requested("minded")])
    half_done(house, "minded")
    shoot([min(marked(house.home))])
    events = sound(house, run)
    assert outcomes(events, "minded") == ["crashed", "succeeded"]
    assert kept(house, salvage_of(house, run, "minded"), "src/minded.draft") == "draft"


def test_a_stopped_run_is_resumed_where_it_was(house: Rig) -> None:
    house.play({"paused": twice("paused"), "later": [work("later")]})
    run = house.submit([requested("paused"), requested("later", blocked_by=["paused"])])
    half_done(house, "paused")
    house.ledger.runs.request_stop(run, "salvage", by="test")
    asked = time.monotonic()
    events = house.finish(run)
    print(f"stopped {time.monotonic() - asked:.2f} s after it was asked to")
    assert house.ledger.runs.get(run).state is RunState.STOPPED
    assert (house.task(run, "paused").state, house.ledger.attempts.spent(run, "paused")) == (TaskState.RETRYABLE, 0)
    assert violations(events) == []
    assert outcomes(events, "paused") == ["interrupted"]
    assert kept(house, salvage_of(house, run, "paused"), "src/paused.draft") == "draft"
    assert marked(house.home) == {}
    resume(run, make_toolbox(house.settings, house.ledger))
    events = sound(house, run)
    assert outcomes(events, "paused") == ["interrupted", "succeeded"]


def test_a_worker_that_is_told_to_end_interrupts_its_agent_and_keeps_its_work(house: Rig) -> None:
    """A deployment: SIGTERM, then a new worker. The attempt does not count."""
    house.play({"deployed": twice("deployed")})
    run = house.submit([requested("deployed")])
    half_done(house, "deployed")
    os.kill(house.workers["agent"].pid, signal.SIGTERM)
    assert house.workers.pop("agent").wait(40) is not None
    assert marked(house.home) == {}
    house.start("agent")
    events = sound(house, run)
    assert outcomes(events, "deployed") == ["interrupted", "succeeded"]
    assert house.ledger.attempts.spent(run, "deployed") == 1
    assert kept(house, salvage_of(house, run, "deployed"), "src/deployed.draft") == "draft"


def test_a_killed_pool_child_of_the_plain_worker_takes_its_agent_with_it(rig: Rig) -> None:
    """The worker lives on, its child is replaced, and nothing that the child held is held for ever."""
    rig.play({"child": twice("child")})
    rig.start_plain()
    run = rig.submit([requested("child")])
    half_done(rig, "child")
    supervisor = min(marked(rig.home))
    child = int(Path(f"/proc/{supervisor}/stat").read_text().rpartition(")")[2].split()[1])
    assert child != rig.workers["plain"].pid
    shoot([child])
    rig.until(lambda: marked(rig.home) == {}, 5, "the agent to be gone")
    events = sound(rig, run)
    assert rig.workers["plain"].poll() is None
    assert outcomes(events, "child") == ["lost", "succeeded"]
    assert kept(rig, salvage_of(rig, run, "child"), "src/child.draft") == "draft"
