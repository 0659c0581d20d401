"""What the tests of foreign code share: deadlines instead of sleeps, and a look at the process table."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.process import run
from ops_orchestrate.adapters.proctree import MARK, marked
from ops_orchestrate.adapters.sandbox import probe
from ops_orchestrate.adapters.supervised import Exit, Supervised
from ops_orchestrate.config import Settings

LEAKS = "the canary got out"


def sandbox_missing() -> str:
    """Why no sandbox can be tried here; empty where one can. One that leaks is no reason to skip."""
    found = probe(Settings())
    return "" if found.ok or found.detail.startswith(LEAKS) else found.detail


needs_sandbox = pytest.mark.skipif(bool(sandbox_missing()), reason=f"no sandbox: {sandbox_missing()}")
both_ways = pytest.mark.parametrize("sandboxed", [pytest.param(True, marks=needs_sandbox), False])


def settings(folder: Path, **more: Any) -> Settings:
    """Settings of their own for a test."""
    return Settings(**{"data_dir": folder / "data", "log_limit_mb": 0.1, "grace": 0.3, **more})


def without_sandbox(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A PATH on which there is no bwrap."""
    empty = folder / "empty-path"
    empty.mkdir(exist_ok=True)
    monkeypatch.setenv("PATH", str(empty))


def eventually(true: Callable[[], Any], seconds: float = 10) -> Any:
    """Wait for something; fails with what it last was."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, f"not true within {seconds} s: {value!r}"
        time.sleep(0.02)
    return value


def living(mark: str) -> list[int]:
    """Pids that carry the mark: the supervisor and everything of the program that kept its environment."""
    return marked(f"{MARK}={mark}")


def gone(mark: str) -> bool:
    return not living(mark)


def alive(pid: int) -> bool:
    """Whether that process lives (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def end_of(supervised: Supervised, seconds: float = 10) -> Exit:
    """Wait for the exit record, beating meanwhile."""

    def ended() -> Exit | None:
        supervised.beat()
        return supervised.poll()

    found = eventually(ended, seconds)
    assert isinstance(found, Exit)
    return found


def git(folder: Path, *words: str) -> str:
    """Real git, with an identity; its output."""

    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=dev"]
    ended = run([shutil.which("git") or "git", *who, *words], cwd=folder, env=env, timeout=30, keep=100_000)
    assert ended.exit_code == 0, ended.output_tail
    return ended.output.decode().strip()
