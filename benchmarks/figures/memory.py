"""What an installation holds while nothing is to be done: server, every pool, beat."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.figure import Effort, Result, Row
from benchmarks.house import server
from ops_orchestrate.celery import POOLS
from tests.engine.rig import Rig, requested


def measure(effort: Effort) -> Result:
    """Every process once it has done a run, so that what it imports late is there."""
    with tempfile.TemporaryDirectory(prefix="bench") as home, server() as (process, url):
        rig = Rig.build(Path(home), url, ("app",))
        out = subprocess.DEVNULL
        beat = subprocess.Popen([sys.executable, "-m", "workers", "beat"], env=rig.env, stdout=out, stderr=out)
        try:
            rig.start()
            rig.finish(rig.submit([requested("t1")]), 120)
            time.sleep(0 if effort.small else 5)
            pids = {"server": process.pid, "beat": beat.pid} | {pool: rig.workers[pool].pid for pool in POOLS}
            held = {name: _held(pid) for name, pid in pids.items()}
        finally:
            beat.terminate()
            beat.wait(20)
            rig.close()
    total = sum(held.values())
    parts = ", ".join(f"{name} {mb:.0f}" for name, mb in held.items())
    row = Row("memory, idle", f"≤ {_FIRST / 2:.0f} MB: half of the first", f"{total:.0f} MB", met=total <= _FIRST / 2)
    told = f"Proportional set size (shared pages by share) after a run of one task: {parts} MB. At first: {_FIRST} MB."
    return Result("memory", [row], told, {"megabytes": held})


#: Megabytes when it was measured for the first time.
_FIRST = 422


def _held(pid: int) -> float:
    """Megabytes of a process and its children, shared pages counted by share."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(one.memory_full_info().pss for one in family) / 1e6
