"""Killed workers, cut connections, lost, doubled and foreign messages, deaths beside a push: every task ends once.

One installation serves all tests; each test has a run of its own.
"""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kombu import Producer

from ops_orchestrate import canvas
from ops_orchestrate.celery import POOLS, app
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import Stage
from tests.engine.nemesis import (
    broker,
    murder,
    outcomes,
    seen,
    sound,
    watching,
)
from tests.engine.rig import Rig, requested, work
from tests.repos import git

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

STARTED, ENDED, VERDICT = EventKind.ATTEMPT_STARTED, EventKind.ATTEMPT_ENDED, EventKind.VERDICT


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


class Touches:
    """Whoever unpickles it makes a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mknod, (str(self._file),)


def test_what_is_foreign_is_put_away_and_the_workers_go_on(house: Rig, tmp_path: Path) -> None:
    """Pickle, no job of ours, arguments that fit nothing or are of another version, megabytes, no job at all."""
    touched = tmp_path / "touched"
    foreign: dict[str, Callable[[str], object]] = {
        "pickle": lambda pool: raw(pool, pickle.dumps(Touches(touched)), "application/x-python-serialize", "binary"),
        "unknown": lambda pool: app.send_task(f"{pool}.nonsense", queue=pool),
        "arguments": lambda pool: app.send_task("planner.settle", args=[1, 2, 3], queue=pool),
        "another version": lambda pool: app.send_task("ship.land", args=[{"run": "r", "new": 1}], queue=pool),
        "huge": lambda pool: app.send_task("planner.begin", args=["x" * 1_000_000], queue=pool),
        "nothing": lambda pool: raw(pool, b'"hello"', "application/json", "utf-8"),
    }
    before = {pool: house.workers[pool].pid for pool in POOLS}
    open_before = house.unacknowledged()  # of workers that other tests have killed
    house.play({"beside": [work("beside", seconds=0.5)]})
    run = house.submit([requested("beside")])
    for send in foreign.values():
        for pool in POOLS:
            send(pool)
    sound(house, run)
    house.until(lambda: house.settled_messages(open_before), 60, "everything to be taken and acknowledged")
    assert {pool: house.workers[pool].poll() for pool in POOLS} == dict.fromkeys(POOLS)
    assert {pool: house.workers[pool].pid for pool in POOLS} == before
    assert not touched.exists()
    for pool in POOLS:
        said = (house.home / f"{pool}.log").read_text()
        for word in ("Refusing to deserialize", f"{pool}.nonsense", "validation error"):
            assert word in said, f"{pool} says nothing of {word}"
        failed = [line for line in said.splitlines() if "ship.land" in line and "raised unexpected" in line]
        assert failed and all(" run=r " in line for line in failed), "what Celery says of a job names its run, too"


def raw(pool: str, body: bytes, kind: str, encoding: str) -> None:
    """A message of any kind, as another program on the same server might send it."""
    with app.connection_for_write() as connection:
        Producer(connection.default_channel).publish(
            body, exchange="ops", routing_key=pool, content_type=kind, content_encoding=encoding
        )


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
