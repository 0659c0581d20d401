"""A whole installation on the stage of benchmarks/stage.py: a server of its own, a worker of every pool."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.graphs import Plan
from benchmarks.stage import FOLDER
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.project import Portfolio, Project, Repository
from ops_orchestrate.core.run import RequestedTask
from ops_orchestrate.core.states import RunState
from tests.conftest import start_server
from tests.engine.rig import Rig

POOLS = ("planner", "audit", "agent", "ship")

#: As they are where nobody has set them; the tests' own are fractions of seconds.
_PERIODS = {
    "OPS_LEASE": "90",
    "OPS_HEARTBEAT": "15",
    "OPS_GRANT_TIMEOUT": "60",
    "OPS_RECONCILE_EVERY": "15",
    "OPS_GRACE": "10",
    "OPS_LOG_LEVEL": "warning",
}


class Ran(NamedTuple):
    """What one run left."""

    events: list[Event]
    started: dict[str, float]
    """When each agent was started, in seconds since 1970."""

    def at(self, kind: EventKind) -> dict[str, float]:
        """When each task's last event of this kind was, by the server's clock, which is this machine's."""
        return {event.task: event.at for event in self.events if event.kind is kind and event.task}

    def makespan(self) -> float:
        """Seconds from the first slot that was taken to the last that was given back."""
        return max(self.at(EventKind.SLOT_RELEASED).values()) - min(self.at(EventKind.SLOT_TAKEN).values())


class House:
    """Workers of all pools, and plans that are run through them."""

    def __init__(self, rig: Rig, folder: Path, server: psutil.Process) -> None:
        self.rig, self._folder, self._server, self._runs = rig, folder, server, 0

    def start(self) -> None:
        """Start a worker of every pool and wait until they have joined."""
        for pool in POOLS:
            self.rig.workers[pool] = self.rig._spawn(pool, [sys.executable, "-m", "benchmarks.stage", pool])
        self.rig.until(lambda: set(POOLS) <= self.rig.joined(), 60, "workers to join")

    def run(self, plan: Plan, seconds: float = 300) -> Ran:
        """One plan from request to report. Raises AssertionError where it does not end well."""
        self._runs += 1
        mark = f"n{self._runs}-"  # what an earlier run has done is not planned again
        (self._folder / "lengths.json").write_text(json.dumps({mark + one.id: one.seconds for one in plan}))
        (self._folder / "started").write_text("")
        run = self.rig.submit(requested_of(plan, mark), portfolio=portfolio_of(plan))
        events = self.rig.finish(run, seconds)
        assert self.rig.ledger.runs.get(run).state is RunState.DONE, self.rig.story()
        lines = (line.split() for line in (self._folder / "started").read_text().splitlines())
        return Ran(
            [event.model_copy(update={"task": event.task and event.task.removeprefix(mark)}) for event in events],
            {task.removeprefix(mark): float(at) for task, at in lines},
        )

    def cpu(self) -> dict[str, float]:
        """Seconds of processor time so far: every worker with its children, and the server."""
        spent = {pool: _spent(psutil.Process(worker.pid)) for pool, worker in self.rig.workers.items()}
        return spent | {"server": _spent(self._server)}


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


@contextmanager
def house() -> Iterator[House]:
    """An installation of its own, of which nothing is left."""
    with tempfile.TemporaryDirectory(prefix="bench") as home, server() as (process, url):
        folder = Path(home) / "stage"
        folder.mkdir()
        rig = Rig.build(Path(home), url, (), empty=True, **{**_PERIODS, FOLDER: str(folder)})
        made = House(rig, folder, psutil.Process(process.pid))
        try:
            made.start()
            yield made
        finally:
            rig.close()


@contextmanager
def server() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server that keeps every write before it answers, as the product's own does."""
    with tempfile.TemporaryDirectory(prefix="ops") as folder:
        process, url = start_server(Path(folder), "--appendonly", "yes", "--appendfsync", "always")
        try:
            yield process, url
        finally:
            process.kill()
            process.wait(60)


def requested_of(plan: Plan, mark: str = "") -> list[RequestedTask]:
    """The plan as a person would ask for it; `mark` goes before every name."""
    return [
        RequestedTask(
            id=mark + one.id,
            project=one.repo,
            title=f"Do {mark}{one.id}",
            blocked_by=tuple(mark + blocker for blocker in one.blockers),
        )
        for one in plan
    ]


def portfolio_of(plan: Plan) -> Portfolio:
    """The repositories of a plan, none of which is looked at."""
    projects = (
        Project(
            alias=name,
            repositories=(
                Repository(
                    key=name, name=name, path=f"/n/{name}", upstream="/n", gate="true", ci="none", promote=False
                ),
            ),
        )
        for name in sorted({one.repo for one in plan})
    )
    return Portfolio(origin="benchmark", digest="0" * 64, projects=tuple(projects))
