"""Stands in for a worker: writes what happens to it into a file. Arguments: the file, and how it behaves.

`good` ends on SIGTERM after asking whether the server still answers; `stubborn` ignores SIGTERM; `deaf` does
not watch its lifeline; `child` starts a child in its own process group first.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import redis

from ops_orchestrate.adapters.lifeline import watch_lifeline

journal, manner = Path(sys.argv[1]), sys.argv[2]


def note(what: str) -> None:
    with journal.open("a") as file:
        file.write(f"{os.getpid()} {what}\n")


def end(*_: object) -> None:
    if manner == "stubborn":
        return
    url = os.environ["OPS_LEDGER_URL"]
    with redis.Redis.from_url(url) as client:
        note("stopped with server" if client.ping() else "stopped without")
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
if manner != "deaf":
    watch_lifeline(grace=1)
if manner == "child":
    below = subprocess.Popen(["sleep", "1000"])
    note(f"child {below.pid}")
note("born")
while True:
    time.sleep(0.05)
    note("beat")
