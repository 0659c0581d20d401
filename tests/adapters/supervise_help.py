"""Programs under a real supervisor, for tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ops_orchestrate.adapters.sandbox import SandboxSpec, confine
from ops_orchestrate.adapters.supervised import Supervised, Watch, supervise
from tests.adapters.foreign import (
    eventually,
    settings,
)

STUBBORN = """
import os, signal, sys, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", "import time; time.sleep(300) # daemon"], {})
print("up", flush=True)
time.sleep(300)
"""
"""Ignores every polite signal, and leaves a daemon: own session, two forks, the mark thrown away."""


def start(folder: Path, mark: str, code: str, **more: Any) -> Supervised:
    watch = {"seconds": 60.0, "beat_seconds": 30.0, "grace": 0.3} | more.pop("watch", {})
    used = settings(folder, unsandboxed_ok=True, **more)
    confined = confine([sys.executable, "-I", "-S", "-c", code], SandboxSpec(cwd=folder, write=(folder,)), used)
    return supervise(confined, Watch(folder=folder / "watch", mark=mark, cwd=folder, **watch), used)


def said(supervised: Supervised, word: str = "up") -> bool:
    return bool(eventually(lambda: word in supervised.tail()))


def daemons(folder: Path) -> list[int]:
    """The daemons without a mark, found by their command line and their working folder."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            ours = b"# daemon" in (process / "cmdline").read_bytes().split(b"\0")[-2]
            if ours and process.name.isdigit() and (process / "cwd").readlink() == folder:
                found.append(int(process.name))
        except (OSError, IndexError):
            continue
    return found
