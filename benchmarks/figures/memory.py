"""What an installation holds while nothing is to be done: server, every pool, beat."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import psutil

from benchmarks.figure import Effort, Result, Row
from benchmarks.house import server
from benchmarks.processes import end
from ops_orchestrate.adapters.stack import Stack
from ops_orchestrate.adapters.stack_files import read_status, read_workers
from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.celery import POOLS
from ops_orchestrate.cli.connect import process_spec, worker_specs
from tests.engine.rig import Rig, requested

#: Megabytes when it was measured for the first time.
_FIRST = 422


def measure(effort: Effort) -> Result:
    """Every process once it has done a run, so that what it imports late is there: as `up` and as a Procfile has it."""
    found: dict[str, dict[str, float]] = {}
    for way, started in (("up", _up), ("each by itself", _apart)):
        with tempfile.TemporaryDirectory(prefix="bench") as home, server() as (process, url):
            rig = Rig.build(Path(home), url, ("app",))
            with started(rig) as pids:
                rig.finish(rig.submit([requested("t1")]), 120)
                time.sleep(0 if effort.small else 5)
                found[way] = {"server": _held(process.pid)} | {name: _held(pid) for name, pid in pids.items()}
    keeper = found["up"].pop("keeper")
    total, apart = sum(found["up"].values()), sum(found["each by itself"].values())
    parts = ", ".join(f"{name} {mb:.0f}" for name, mb in found["up"].items())
    row = Row(
        "memory, idle",
        f"≤ {_FIRST / 2:.0f} MB: half of the first",
        f"{total:.0f} MB",
        f"each a program of its own {apart:.0f} MB",
        met=total <= _FIRST / 2,
    )
    told = (
        "Proportional set size (shared pages by share) of what `up` keeps running, after a run of one task: "
        f"{parts} MB; its keeper, which a process manager stands in for elsewhere: {keeper:.0f} MB more. At first, "
        f"each a program of its own: {_FIRST} MB."
    )
    return Result("memory", [row], told, {"megabytes": found, "keeper": keeper})


@contextmanager
def _up(rig: Rig) -> Iterator[dict[str, int]]:
    """Forked by the nursery of a stack; the server is the rig's."""
    specs = (*worker_specs(), process_spec("beat"))
    with patch.dict(os.environ, rig.env, clear=True), Stack.open(rig.settings, workers=specs, elsewhere=True):
        rig.until(lambda: set(POOLS) <= rig.joined(), 60, "workers to join")
        state = StateDir.at(rig.settings.state_dir)
        pids = {spec.name: one.pid for spec, one in zip(specs, read_workers(state).running, strict=True)}
        status = read_status(state)
        assert status is not None
        yield pids | {"nursery": psutil.Process(pids["beat"]).ppid(), "keeper": status.keeper.pid}


@contextmanager
def _apart(rig: Rig) -> Iterator[dict[str, int]]:
    """As a process manager starts them."""
    out = subprocess.DEVNULL
    beat = subprocess.Popen([sys.executable, "-m", "workers", "beat"], env=rig.env, stdout=out, stderr=out)
    try:
        rig.start(apart=True)
        yield {pool: rig.workers[pool].pid for pool in POOLS} | {"beat": beat.pid}
    finally:
        end(beat)
        rig.close()


def _held(pid: int) -> float:
    """Megabytes of a process, shared pages counted by share."""
    return float(psutil.Process(pid).memory_full_info().pss) / 1e6
