"""A worker ends when its keeper's end of the pipe closes, whether it listens to SIGTERM or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ops_orchestrate.adapters.lifeline import LIFELINE
from tests.adapters.stack_help import REPOSITORY, alive, until

WORKER = """
import signal, subprocess, sys, time
from ops_orchestrate.adapters.lifeline import watch_lifeline
if sys.argv[1] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
watch = watch_lifeline(grace=0.3)
below = subprocess.Popen(["sleep", "100"], close_fds=False) if sys.argv[1] == "stubborn" else None
print(below.pid if below else bool(watch), flush=True)
time.sleep(100)
"""


def start(manner: str, lifeline: int | None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, manner],
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            LIFELINE: "" if lifeline is None else str(lifeline),
        },
        pass_fds=() if lifeline is None else (lifeline,),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("manner", "ends_by"), [("good", signal.SIGTERM), ("stubborn", signal.SIGKILL)], ids=["good", "stubborn"]
)
def test_the_end_of_the_pipe_ends_the_worker(manner: str, ends_by: signal.Signals) -> None:
    reading, writing = os.pipe()
    with start(manner, reading) as worker:
        os.close(reading)
        assert worker.stdout
        said = worker.stdout.readline().strip()
        assert worker.poll() is None
        os.close(writing)
        assert worker.wait(10) == -ends_by
        if manner == "stubborn":  # what it started in its own group goes too
            until(lambda: not alive(int(said)))


def test_without_a_keeper_there_is_nothing_to_watch() -> None:
    with start("good", None) as worker:
        assert worker.stdout
        assert worker.stdout.readline().strip() == "False"
        worker.kill()
