"""`up`: everything comes up, stays up, is used by `run`, and is gone after a SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops_orchestrate.adapters.stack import Stack
from ops_orchestrate.adapters.stack_files import read_status, read_workers
from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.celery import POOLS
from ops_orchestrate.cli.exits import Exit
from ops_orchestrate.ledger import connect
from tests.adapters.stack_help import keepers, needs_proc, settings_for, until
from workers.pools import PROCESSES

pytestmark = [pytest.mark.real, needs_proc]

ROOT = Path(__file__).resolve().parents[2]
QUIET = {"OPS_FLOWER_PORT": "0", "OPS_UNSANDBOXED_OK": "1", "OPS_GRACE": "2", "OPS_AGENT_COMMAND": "true"}


@contextmanager
def up(data: Path, *, code: int = 0, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], StateDir]]:
    """The command, up when it says so; stopped by SIGTERM afterwards, and ended with this code."""
    said = data.parent / "up.log"
    with said.open("w") as log:
        argv = [sys.executable, "-m", "ops_orchestrate", "up"]
        env = {**os.environ, **QUIET, "OPS_DATA_DIR": str(data), **more}
        process = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=log, stderr=log)
    state = StateDir.at(data / "orchestrate")
    try:
        until(lambda: "Up on" in said.read_text() or process.poll() is not None, 30)
        assert process.poll() is None, said.read_text()
        yield process, state
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == code, said.read_text()
    assert keepers(state.root) == []


def running(state: StateDir) -> Callable[[], list[int]]:
    """The processes of the stack, once they are all there."""

    def found() -> list[int]:
        pids = [one.pid for one in read_workers(state).running]
        return pids if len(pids) == len(PROCESSES) else []

    return found


def test_it_brings_everything_and_starts_again_what_dies(tmp_path: Path) -> None:
    with up(tmp_path / "data") as (_, state):
        before = until(running(state), 20)
        ledger = connect(f"unix://{read_status(state).server.socket}?db=2")  # type: ignore[union-attr]
        until(lambda: {pool for host in ledger.hosts.live() for pool in host.pools} == set(POOLS), 30)
        ledger.close()
        os.kill(before[0], signal.SIGKILL)
        until(lambda: (after := running(state)()) and before[0] not in after, 20)
        login = state.root / "flower.auth"
        until(login.exists, 20)
        assert login.stat().st_mode & 0o777 == 0o600


def test_a_second_one_leaves_the_workers_alone_and_two_interrupts_leave_nothing_behind(tmp_path: Path) -> None:
    with up(tmp_path / "data", code=Exit.INTERRUPTED) as (first, state):
        pids = until(running(state), 20)
        argv = [sys.executable, "-m", "ops_orchestrate", "up"]
        env = {**os.environ, **QUIET, "OPS_DATA_DIR": str(tmp_path / "data"), "OPS_NIGHTLY": "03:00"}
        env["OPS_FLOWER_ADDRESS"] = "0.0.0.0"
        second = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            assert second.stdout is not None
            lines = [second.stdout.readline() for _ in range(3)]
            second.send_signal(signal.SIGTERM)
            rest, _ = second.communicate(timeout=60)
        finally:
            second.kill()
        assert lines.pop(0).startswith("warning: Flower listens at 0.0.0.0, beyond this machine, without TLS")
        assert lines[0].startswith("Up already on Valkey") and "by its settings, not by those of this one" in lines[1]
        assert "Another command uses the workers too, so they stay until it ends." in rest
        assert (second.returncode, running(state)()) == (0, pids)

        for said in ("Ctrl-C again does not wait", "Not waited for: what is left ends by itself"):
            first.send_signal(signal.SIGINT)
            until(lambda said=said: said in (tmp_path / "up.log").read_text(), 20)
        until(lambda: first.poll() is not None and keepers(state.root) == [], 60)


def test_with_a_server_of_the_owners_it_starts_none(tmp_path: Path) -> None:
    with Stack.open(settings_for(tmp_path / "theirs"), workers=[]) as theirs:
        urls = dict(zip(("OPS_BROKER_URL", "OPS_RESULTS_URL", "OPS_LEDGER_URL"), theirs.urls, strict=True))
        with up(tmp_path / "data", **urls) as (_, state):
            ledger = connect(theirs.urls.ledger)
            until(lambda: {pool for host in ledger.hosts.live() for pool in host.pools} == set(POOLS), 30)
            ledger.close()
            assert not (state.server / "appendonlydir").exists()
