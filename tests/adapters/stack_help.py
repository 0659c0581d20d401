"""What the tests of the embedded stack share: users in processes of their own, and what /proc says."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis

from ops_orchestrate.adapters.server_process import ServerProcess
from ops_orchestrate.adapters.stack import WorkerSpec
from ops_orchestrate.config import Settings

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
Running = Callable[[], ServerProcess]
Start = Callable[..., "User"]


def until(holds: Callable[[], Any], seconds: float = 15) -> Any:
    """Wait until something holds and return it; fail if it never does."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"did not happen within {seconds} s"
        time.sleep(0.02)
    return found


class User:
    """A process that uses the stack of a data directory until it is told to leave."""

    def __init__(self, data: Path, journal: Path, *how: str) -> None:
        path = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "stack_user.py"), str(data), str(journal), *(how or ["good"])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
        )
        self._found: dict[str, Any] = {}

    @property
    def found(self) -> dict[str, Any]:
        """What it says of the stack; waits for that."""
        if not self._found:
            assert self.process.stdout
            self._found = json.loads(self.process.stdout.readline())
        return self._found

    def leave(self) -> None:
        """Let it close its stack, and wait for its end."""
        assert self.process.stdin
        self.process.stdin.close()
        assert self.process.wait(20) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)


@contextlib.contextmanager
def users() -> Iterator[Callable[..., User]]:
    """Starts users, and ends whatever of theirs is left."""
    started: list[User] = []
    folders: set[Path] = set()

    def start(data: Path, journal: Path, *how: str) -> User:
        started.append(User(data, journal, *how))
        folders.add(data / "orchestrate")
        return started[-1]

    try:
        yield start
    finally:
        for user in started:
            user.kill()
            for pipe in (user.process.stdin, user.process.stdout):
                if pipe:
                    pipe.close()
        for state in folders:
            until(partial(_no_keeper, state))
            for pid in servers(state) + workers(state):
                os.kill(pid, signal.SIGKILL)


def _no_keeper(state: Path) -> bool:
    return not keepers(state)


def keepers(state: Path) -> list[int]:
    """Living keepers of a state directory, by their command lines."""
    return [pid for pid in _pids() if _keeps(pid, str(state))]


def servers(state: Path) -> list[int]:
    """Living servers that work in a state directory."""
    return [pid for pid in _pids() if _works_in(pid, str(state / "server"))]


def workers(state: Path) -> list[int]:
    """Living processes that carry the stack's mark."""
    mark = f"OPS_STACK={state}".encode()
    return [pid for pid in _pids() if mark in _read(pid, "environ").split(b"\0")]


def journal(path: Path) -> list[tuple[int, str]]:
    """(process, what it noted), in order."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(pid), what) for pid, _, what in (line.partition(" ") for line in lines)]


def born(path: Path) -> list[int]:
    """The worker processes there have been, in order."""
    return [pid for pid, what in journal(path) if what == "born"]


def alive(pid: int) -> bool:
    """Whether a process of this number runs (zombies do not)."""
    return _read(pid, "stat").rpartition(b")")[2].split()[:1] not in ([], [b"Z"], [b"X"])


def call(url: str, *command: str) -> Any:
    """One command to a server."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return client.execute_command(*command)


def settings_for(data: Path) -> Settings:
    return Settings(data_dir=data, grace=0.5, lease=3, heartbeat=1)


def stand_in(notes: Path, manner: str = "good", **more: object) -> WorkerSpec:
    argv = (sys.executable, str(HERE / "stack_worker.py"), str(notes), manner)
    return WorkerSpec.model_validate({"name": "stand-in", "argv": argv, **more})


def nothing_left(data: Path) -> bool:
    state = data / "orchestrate"
    return not (keepers(state) or servers(state) or workers(state))


def answers(url: str) -> bool:
    try:
        return bool(call(url, "PING"))
    except redis.RedisError:
        return False


def _keeps(pid: int, state: str) -> bool:
    words = _read(pid, "cmdline").decode(errors="replace").split("\0")
    return "ops_orchestrate.adapters.keeper" in words and state in words and alive(pid)


def _works_in(pid: int, folder: str) -> bool:
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink()) == folder and alive(pid)
    except OSError:
        return False


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
