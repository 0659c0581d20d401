"""Whatever happens to the worker, nothing of its agent stays: the supervisor, with real processes."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from ops_orchestrate.adapters.process import Child, spawn
from tests.adapters.foreign import (
    both_ways,
    end_of,
    eventually,
    gone,
    living,
    without_sandbox,
)
from tests.adapters.supervise_help import STUBBORN, daemons, said, start

OWNER = """
import json, sys, time
from pathlib import Path
from ops_orchestrate.adapters.sandbox import SandboxSpec, confine
from ops_orchestrate.adapters.supervised import Watch, supervise
from ops_orchestrate.config import Settings
folder, mark, code = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
settings = Settings(data_dir=folder, unsandboxed_ok=True)
spec = SandboxSpec(cwd=folder, write=(folder,))
confined = confine([sys.executable, "-I", "-S", "-c", code], spec, settings)
running = supervise(confined, Watch(folder / "watch", mark, folder, 300, 1.0, 0.2), settings)
while True:
    running.beat()
    time.sleep(0.1)
"""


@both_ways
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["SIGKILL", "SIGSTOP"])
def test_a_killed_or_stopped_worker_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, number: int, sandboxed: bool
) -> None:
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    root = Path(__file__).parents[2]
    env = {"PYTHONPATH": str(root), "PATH": os.environ["PATH"]}
    argv = [sys.executable, "-c", OWNER, str(tmp_path), mark, STUBBORN]
    owner: Child = spawn(argv, cwd="/", env=env, log=tmp_path / "owner.log")
    log = tmp_path / "watch" / "log"
    try:
        eventually(lambda: log.exists() and "up" in log.read_text())
        eventually(lambda: daemons(tmp_path))
        assert living(mark)
        os.kill(owner.pid, number)
        eventually(lambda: gone(mark), 8)
        eventually(lambda: not daemons(tmp_path), 2)
    finally:
        os.kill(owner.pid, signal.SIGCONT) if owner.poll() is None else None
        owner.terminate(grace=0)
    record = json.loads((tmp_path / "watch" / "exit.json").read_text())
    assert record["reason"] == ("owner-gone" if number == signal.SIGKILL else "no-beat")
    assert record["left"] == 0


@both_ways
@pytest.mark.parametrize(("how", "reason"), [("interrupt", "interrupted"), ("kill", "killed"), ("limit", "time-limit")])
def test_a_stubborn_program_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, how: str, reason: str, sandboxed: bool
) -> None:
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    seconds = 1.0 if how == "limit" else 60.0
    running = start(tmp_path, mark, STUBBORN, watch={"seconds": seconds})
    assert said(running)
    if how != "limit":
        running.stop("interrupt" if how == "interrupt" else "kill")
    ended = end_of(running)
    assert (ended.reason, ended.left) == (reason, 0)
    assert gone(mark)
    assert not daemons(tmp_path)


@both_ways
def test_a_polite_program_may_finish_after_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, sandboxed: bool
) -> None:
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    code = (
        "import time\n"
        "try:\n  print('up', flush=True); time.sleep(60)\n"
        "except KeyboardInterrupt:\n  open('kept', 'w').write('x'); print('bye')"
    )
    running = start(tmp_path, mark, code, watch={"grace": 5.0})
    assert said(running)
    running.stop("interrupt")
    ended = end_of(running)
    assert (ended.reason, ended.exit_code) == ("interrupted", 0)
    assert (tmp_path / "kept").exists()


@both_ways
def test_the_second_rung_reaches_every_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, sandboxed: bool
) -> None:
    """An interrupt is for the program; SIGTERM is for its tools too, in whatever session they are."""
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    code = (
        "import os, signal, time\n"
        "def end(*_): open('termed', 'w').close(); os._exit(0)\n"
        "signal.signal(2, signal.SIG_IGN); signal.signal(15, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n  os.setsid(); signal.signal(15, end); print('up', flush=True)\n"
        "time.sleep(300)"
    )
    running = start(tmp_path, mark, code)
    assert said(running)
    running.stop("interrupt")
    assert end_of(running).reason == "interrupted"
    assert (tmp_path / "termed").exists()


def test_a_lost_supervisor_is_swept_up_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    """The agent dies with its supervisor; what it left behind is found by the mark."""
    without_sandbox(monkeypatch, tmp_path)
    code = "import os, time\nif os.fork() == 0: os.setsid(); time.sleep(300)\nprint('up', flush=True); time.sleep(300)"
    running = start(tmp_path, mark, code)
    assert said(running)
    assert len(living(mark)) == 3
    os.kill(running.pid, signal.SIGKILL)
    ended = end_of(running)
    assert ended.reason == "supervisor-lost"
    assert gone(mark)


def test_an_agent_without_a_mark_dies_with_its_supervisor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    without_sandbox(monkeypatch, tmp_path)
    inner = '[sys.executable, "-I", "-S", "-c", "import time; time.sleep(300) # daemon"]'
    running = start(tmp_path, mark, f"import os, sys\nos.execve(sys.executable, {inner}, {{}})")
    assert eventually(lambda: daemons(tmp_path))
    os.kill(running.pid, signal.SIGKILL)
    assert eventually(lambda: not daemons(tmp_path))
    assert end_of(running).reason == "supervisor-lost"


@both_ways
def test_a_program_that_ends_takes_its_daemons_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, sandboxed: bool
) -> None:
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    running = start(tmp_path, mark, STUBBORN.replace("time.sleep(300)\n", "sys.exit(4)\n"))
    ended = end_of(running)
    assert (ended.reason, ended.exit_code, ended.left) == ("exited", 4, 0)
    assert not daemons(tmp_path)
