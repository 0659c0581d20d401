"""Workers of test installations, forked from one program that has imported everything, as an installation's own are.

A worker that is a program of its own needs more than a second of the processor before it asks for its first message;
a fork does not. What a worker's own program does at its start is tried by `test_worker_start.py`, by the plain worker,
and by every test of the command that has a stack of its own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ops_orchestrate.adapters.forked import Forked, Nursery

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class _Home:
    """The nursery of this test process, and the pipe by which its forks notice that this process is gone."""

    nursery: Nursery
    lifeline: int


def fork_worker(pool: str, env: Mapping[str, str], log: Path) -> Forked | None:
    """A worker of that pool with exactly this environment; None where it has to be started as a program."""
    home = _home()
    while home.nursery.coming():
        home.nursery.wait(0.5)
    return home.nursery.fork(pool, env, log, home.lifeline)


@cache
def _home() -> _Home:
    """Started with the first worker; it ends with this process, however that ends."""
    folder = Path(tempfile.mkdtemp(prefix="nursery"))
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    argv = [sys.executable, "-m", "workers", "nursery"]
    nursery = Nursery(argv, cwd=folder, env={**kept, "PYTHONPATH": str(ROOT)}, log=folder / "log")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(nursery.end)
    lifeline, _ = os.pipe()  # the writing end is closed by the kernel when this process ends
    return _Home(nursery, lifeline)
