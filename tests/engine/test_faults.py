"""What one run withstands: SIGKILL and SIGSTOP of workers and agents, cut connections, lost and doubled messages.

After each fault every task ends exactly once, no second agent was beside the first, no process and no commit of an
agent is lost. One installation serves all tests; each test has a run of its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops_orchestrate import canvas
from ops_orchestrate.celery import POOLS
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import RUN_OPEN, RunState, Stage, TaskState
from ops_orchestrate.engine.answer import resume
from ops_orchestrate.report.check import violations
from ops_orchestrate.wiring import make_toolbox
from tests.conftest import start_server
from tests.engine.nemesis import (
    PERIODS,
    broker,
    freeze,
    half_done,
    marked,
    merges,
    mirror,
    murder,
    outcomes,
    players,
    salvaged,
    seen,
    shoot,
    sound,
    thaw,
    twice,
    watching,
)
from tests.engine.rig import Rig, requested, work
from tests.repos import git, read

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

STARTED, ENDED, VERDICT = EventKind.ATTEMPT_STARTED, EventKind.ATTEMPT_ENDED, EventKind.VERDICT


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of this module's own: its workers live through all tests."""
    folder = Path(tempfile.mkdtemp(prefix="ops"))
    process, url = start_server(folder)
    yield url
    process.kill()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def houses(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Rig]]:
    """The installation; another one where a failed test has left a run open."""
    built: list[Rig] = []

    def house() -> Rig:
        if built and any(run.state in RUN_OPEN for run in built[-1].ledger.runs.list()):
            built[-1].close()
            built.clear()
        if not built:
            built.append(Rig.build(tmp_path_factory.mktemp("house"), server, **PERIODS))
        return built[-1]

    yield house
    for rig in built:
        rig.close()


@pytest.fixture
def house(houses: Callable[[], Rig]) -> Rig:
    """The installation with every worker at work."""
    rig = houses()
    missing = [pool for pool in POOLS if pool not in rig.workers or rig.workers[pool].poll() is not None]
    if missing:
        rig.start(*missing)
    return rig


def kept(rig: Rig, ref: str, file: str) -> str | None:
    """A file of a salvaged commit."""
    return read(mirror(rig), ref, file)


def salvage_of(rig: Rig, run: str, task: str) -> str:
    """The ref that the first salvage of a task is recorded under."""
    return str(seen(rig, run, EventKind.SALVAGED, task).data["ref"])


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
    house.play({"shot": twice("shot")})
    run = house.submit([requested("shot")])
    half_done(house, "shot")
    shoot(players(house.home))
    events = sound(house, run)
    assert outcomes(events, "shot") == ["crashed", "succeeded"]
    assert kept(house, salvage_of(house, run, "shot"), "src/shot.draft") == "draft"


def test_a_killed_supervisor_takes_its_agent_with_it(house: Rig) -> None:
    house.play({"minded": twice("minded")})
    run = house.submit([requested("minded")])
    half_done(house, "minded")
    shoot([min(marked(house.home))])
    events = sound(house, run)
    assert outcomes(events, "minded") == ["crashed", "succeeded"]
    assert kept(house, salvage_of(house, run, "minded"), "src/minded.draft") == "draft"


#: Each worker dies once at each of these points of one run.
MOMENTS = {
    "planner": (EventKind.RUN_BEGUN, ENDED, EventKind.MERGE_PROVED),
    "audit": (EventKind.RUN_BEGUN, EventKind.STAGE_CLAIMED),
    "ship": (VERDICT,),
}


@pytest.mark.parametrize("pool", MOMENTS)
def test_a_worker_may_be_killed_at_any_point(house: Rig, pool: str) -> None:
    names = [f"{pool}-{letter}" for letter in "abc"]
    house.play({name: [work(name, seconds=0.3)] for name in names})
    run = house.submit([requested(names[0]), requested(names[1]), requested(names[2], blocked_by=names[:2])])
    began = time.monotonic()
    with watching(house.home) as sight:
        for moment in MOMENTS[pool]:
            seen(house, run, moment)
            murder(house, pool)
        events = sound(house, run)
    print(f"{pool}: {len(MOMENTS[pool])} deaths, the run took {time.monotonic() - began:.1f} s")
    assert sight.doubled == set()
    assert all(outcomes(events, name) == ["succeeded"] for name in names)


def test_cut_connections_start_no_second_agent(house: Rig) -> None:
    house.play({name: [work(name, seconds=2)] for name in ("cut-a", "cut-b")})
    run = house.submit([requested("cut-a"), requested("cut-b", blocked_by=["cut-a"])])
    seen(house, run, STARTED)
    with watching(house.home) as sight, broker(house) as client:
        for _ in range(4):
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            time.sleep(0.4)
        events = sound(house, run)
    assert sight.most == 1
    assert outcomes(events, "cut-a") + outcomes(events, "cut-b") == ["succeeded", "succeeded"]


def queued(rig: Rig, pool: str) -> list[bytes]:
    """The messages that wait in a pool's queue."""
    with broker(rig) as client:
        return [message for key in client.keys(f"ops:{pool}*") for message in client.lrange(key, 0, -1)]


def test_lost_messages_are_driven_on(house: Rig) -> None:
    """The message of verify, then that of land, then an edge of a join vanish from their queues."""
    names = ["lost-a", "lost-b"]
    house.play({name: [work(name, seconds=1)] for name in [*names, "join"]})
    run = house.submit([*map(requested, names), requested("join", blocked_by=names)])
    seen(house, run, STARTED)
    for pool, message in (("audit", "audit.verify"), ("ship", "ship.land")):
        house.kill(pool)
        house.until(lambda pool=pool: bool(queued(house, pool)), 20, f"{message} to wait")  # type: ignore[misc]
        with broker(house) as client:
            client.delete(*client.keys(f"ops:{pool}*"))
        house.start(pool)
    sound(house, run)


def test_a_doubled_message_does_its_work_once(house: Rig) -> None:
    house.play({"doubled": [work("doubled", seconds=1)]})
    house.kill("audit")
    house.kill("ship")
    run = house.submit([requested("doubled")])
    house.start("audit")
    started = seen(house, run, STARTED)
    key = StageKey(run=run, task="doubled", attempt=1, fence=started.fence or 0)
    house.kill("audit")
    for stage in Stage:
        canvas.publish(canvas.attempt(key, start=stage))
    canvas.publish(canvas.settle(key))
    for pool in ("audit", "ship"):
        house.until(lambda pool=pool: bool(queued(house, pool)), 20, "a message to wait")  # type: ignore[misc]
        with broker(house) as client:
            for name in client.keys(f"ops:{pool}"):
                for message in client.lrange(name, 0, -1) * 2:
                    client.lpush(name, message)
        house.start(pool)
    with watching(house.home) as sight:
        events = sound(house, run)
        canvas.publish(canvas.attempt(key))
        canvas.publish(canvas.begin(run))
        canvas.publish(canvas.plan(run))
        house.until(lambda: not any(queued(house, pool) for pool in POOLS), 10, "the queues to be empty")
    assert sight.doubled == set()
    assert [e.kind for e in house.events(run)[len(events) :]] == []
    assert Counted(events)[STARTED, VERDICT, EventKind.MERGE_INTENDED] == (1, 1, 1)


class Counted:
    """How often kinds of events occur."""

    def __init__(self, events: list[Event]) -> None:
        self._kinds = [event.kind for event in events]

    def __getitem__(self, kinds: tuple[EventKind, ...]) -> tuple[int, ...]:
        return tuple(self._kinds.count(kind) for kind in kinds)


#: Where the upstream stands still while its pusher dies, and what becomes of the push of the dead one.
PUSHES = {
    "before, and the push is lost": ("pre-receive", "exit 1"),
    "before, and the push arrives late": ("pre-receive", "exit 0"),
    "after": ("post-receive", "exit 0"),
}


@pytest.mark.parametrize("moment", PUSHES)
def test_a_merge_happens_once_when_its_worker_dies_beside_the_push(house: Rig, moment: str, tmp_path: Path) -> None:
    hook, end = PUSHES[moment]
    task = f"push-{list(PUSHES).index(moment)}"
    place = house.upstreams["app"].bare / "hooks" / hook
    place.parent.mkdir(exist_ok=True)
    here, go, gone = tmp_path / "here", tmp_path / "go", tmp_path / "gone"
    wait = f'while ! test -e "{go}"; do sleep 0.05; done\n: > "{gone}"'
    place.write_text(f'#!/bin/sh\nmkdir "{here}" 2>/dev/null || exit 0\n{wait}\n{end}\n')
    place.chmod(0o755)
    try:
        house.play({task: [work(task)]})
        run = house.submit([requested(task)])
        house.until(here.exists, 30, "the push to arrive")
        murder(house, "ship")
        if "late" in moment:
            seen(house, run, EventKind.MERGE_PROVED)
        go.touch()
        house.until(gone.exists, 5, "the first push to go on")
        sound(house, run)
    finally:
        go.touch()
        place.unlink()
    assert house.task(run, task).merge == git("rev-parse", "dev", cwd=house.upstreams["app"].bare)


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
    house.workers.pop("agent").wait(15)
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


def test_nothing_that_was_salvaged_is_on_a_branch_of_ours(house: Rig) -> None:
    """The salvage refs of all tests of this module: each holds a commit that no branch has, and no tree is left."""
    assert all(ref.startswith("refs/ops/salvage/") for ref in salvaged(house))
    assert not list((house.settings.state_dir / "trees").glob("*/*.json"))
    assert merges(house, "none") == {}
