"""Random faults over a random graph, by seed: `make chaos`. Prints what it did and how long it took.

OPS_CHAOS_SEEDS="1 2 3" OPS_CHAOS_KILLS=30 make chaos
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_orchestrate.celery import POOLS
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RUN_OPEN, TaskState
from ops_orchestrate.errors import LedgerUnavailable
from ops_orchestrate.report.check import violations
from tests.conftest import start_server
from tests.engine.nemesis import PERIODS, broker, marked, merged, players, shoot, watching
from tests.engine.rig import Rig, requested, work

pytestmark = [pytest.mark.real, pytest.mark.chaos, pytest.mark.timeout(900)]

REPOS = ("app", "lib", "web", "cli", "doc", "ops", "sdk")
TASKS = 20
SEEDS = [int(word) for word in os.environ.get("OPS_CHAOS_SEEDS", "1 2").split()]
KILLS = int(os.environ.get("OPS_CHAOS_KILLS", "20"))
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


class Nemesis:
    """Kills at random, and brings back what it has killed."""

    def __init__(self, rig: Rig, folder: Path, server: subprocess.Popen[bytes], seed: int) -> None:
        self.rig = rig
        self.server = server
        self.done: Counter[str] = Counter()
        self._folder = folder
        self._random = random.Random(seed)

    def strike(self) -> None:
        """One fault."""
        self._random.choice((self.worker, self.worker, self.several, self.agent, self.database, self.connections))()

    def worker(self) -> None:
        self._workers(1)

    def several(self) -> None:
        self._workers(3)

    def _workers(self, count: int) -> None:
        victims = self._random.sample(sorted(POOLS), count)
        for pool in victims:
            self.rig.kill(pool)
        self.done[f"{count} of the workers"] += 1
        time.sleep(self._random.uniform(0, 1.5))
        for pool in victims:
            self.rig.start(pool)

    def agent(self) -> None:
        found = players(self.rig.home)
        if found:
            shoot([self._random.choice(found)])
            self.done["agent"] += 1

    def database(self) -> None:
        self.server.kill()
        self.server.wait()
        time.sleep(self._random.uniform(0, 1))
        self.server, _ = start_server(self._folder, *DURABLE)
        self.done["server"] += 1

    def connections(self) -> None:
        with broker(self.rig) as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        self.done["all connections"] += 1

    def rest(self) -> None:
        time.sleep(self._random.uniform(0.2, 2))

    def graph(self) -> dict[str, list[str]]:
        """Each task and its blockers."""
        names = [f"t{number:02}" for number in range(TASKS)]
        return {
            name: self._random.sample(names[:at], min(at, self._random.choice((0, 1, 1, 2, 3))))
            for at, name in enumerate(names)
        }


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="ops"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_graph_ends_well_whatever_dies(seed: int, folder: Path, tmp_path: Path) -> None:
    server, url = start_server(folder, *DURABLE)
    rig = Rig.build(tmp_path, url, REPOS, **PERIODS, OPS_MAX_ATTEMPTS="10")
    nemesis = Nemesis(rig, folder, server, seed)
    try:
        _endure(rig, nemesis, seed)
    finally:
        rig.close()
        nemesis.server.kill()
        nemesis.server.wait()


def _endure(rig: Rig, nemesis: Nemesis, seed: int) -> None:
    graph = nemesis.graph()
    home = {name: REPOS[number % len(REPOS)] for number, name in enumerate(graph)}
    rig.play({name: [work(name, seconds=0.5)] for name in graph})
    rig.start()
    run = rig.submit([requested(name, home[name], blocked_by=blockers) for name, blockers in graph.items()])
    began = time.monotonic()
    with watching(rig.home) as sight:
        while sum(nemesis.done.values()) < KILLS and _is_open(rig, run):
            nemesis.rest()
            nemesis.strike()
        calm = time.monotonic()
        events = rig.finish(run, 240)
    over = time.monotonic()
    ends = Counter(e.data["outcome"] for e in events if e.kind is EventKind.ATTEMPT_ENDED)
    print(f"\nseed {seed}: {dict(nemesis.done)}; {TASKS} tasks, attempts {dict(ends)}")
    print(
        f"seed {seed}: {over - began:.0f} s in all, {over - calm:.1f} s after the last fault; most agents {sight.most}"
    )
    assert violations(events) == []
    assert {task.spec.id: task.state for task in rig.ledger.tasks.all(run)} == dict.fromkeys(graph, TaskState.COMPLETED)
    assert sum((merged(rig.upstreams[repo], run) for repo in REPOS), Counter()) == dict.fromkeys(graph, 1)
    assert sight.most <= 5
    assert sight.doubled == set()
    rig.until(lambda: marked(rig.home) == {}, 5, "the last agent to be gone")


def _is_open(rig: Rig, run: str) -> bool:
    try:
        return rig.ledger.runs.get(run).state in RUN_OPEN
    except LedgerUnavailable:
        return True
