"""Whatever happens to the worker, nothing of its agent stays: the supervisor, with real processes."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ops_orchestrate.adapters.process import Child, spawn
from ops_orchestrate.adapters.proctree import MARK
from ops_orchestrate.adapters.sandbox import SandboxSpec, confine
from ops_orchestrate.adapters.supervised import Supervised, Watch, supervise
from tests.adapters.foreign import (
    alive,
    both_ways,
    end_of,
    eventually,
    gone,
    living,
    settings,
    without_sandbox,
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


@pytest.fixture
def mark() -> Iterator[str]:
    """A mark of this test's own; nothing that carries it may be left afterwards."""
    value = f"test-{uuid4().hex}"
    yield value
    assert eventually(lambda: gone(value)), living(value)


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
        "import time\nprint('up', flush=True)\n"
        "try:\n  time.sleep(60)\nexcept KeyboardInterrupt:\n  open('kept', 'w').write('x'); print('bye')"
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


def test_a_flood_is_cut_in_the_middle_and_never_blocks(tmp_path: Path, mark: str) -> None:
    code = "import sys\nfor n in range(30000): sys.stdout.write('x' * 999 + '\\n')\nprint('the end')"
    running = start(tmp_path, mark, code)
    ended = end_of(running)
    assert (ended.exit_code, ended.log_cut) == (0, True)
    assert ended.log_bytes == 30_000_008
    assert running.log.stat().st_size < 100_000 + 40_000
    text = running.log.read_text()
    assert text.startswith("xxx")
    assert text.endswith("the end\n")
    assert "bytes cut" in text


@pytest.mark.parametrize(
    ("code", "reason", "more"),
    [
        (
            "held = bytearray(b'x') * (200 << 20); import time; time.sleep(60)",
            "memory",
            {"sandbox_memory_mb": 100},
        ),
        (
            "import os, time\nfor _ in range(30):\n  if os.fork() == 0: time.sleep(60)\ntime.sleep(60)",
            "processes",
            {"sandbox_processes": 20},
        ),
    ],
    ids=["memory", "processes"],
)
def test_limits_of_the_whole_tree(tmp_path: Path, mark: str, code: str, reason: str, more: dict[str, int]) -> None:
    running = start(tmp_path, mark, code, **more)
    ended = end_of(running)
    # Where the kernel counts a user's processes (not root's), fork itself fails first.
    refused = reason == "processes" and os.getuid() != 0 and ended.exit_code == 1
    assert ended.reason == reason or refused


def test_one_file_has_a_limit(tmp_path: Path, mark: str) -> None:
    code = "open('big', 'wb').write(b'x' * (3 << 20))"
    ended = end_of(start(tmp_path, mark, code, sandbox_file_mb=1))
    assert ended.exit_code != 0 or ended.signal
    assert (tmp_path / "big").stat().st_size <= 1 << 20


def test_a_missing_program_is_unstarted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    without_sandbox(monkeypatch, tmp_path)
    used = settings(tmp_path, unsandboxed_ok=True)
    confined = confine(["/nonexistent/agent"], SandboxSpec(cwd=tmp_path), used)
    watch = Watch(folder=tmp_path / "watch", mark=mark, cwd=tmp_path, seconds=5, beat_seconds=5, grace=0.1)
    ended = end_of(supervise(confined, watch, used))
    assert ended.reason == "unstarted"
    assert "No such file" in ended.detail


def test_the_program_has_a_clean_start(tmp_path: Path, mark: str) -> None:
    """Default signals, no file of the supervisor's open, no terminal, no core files."""
    code = (
        "import os, resource, signal\n"
        "print([n for n in (1, 2, 13, 15) if signal.getsignal(n) == signal.SIG_IGN],"
        "sorted(os.listdir('/proc/self/fd')), resource.getrlimit(resource.RLIMIT_CORE), os.environ['OPS_ATTEMPT'])"
    )
    running = start(tmp_path, mark, code)
    assert end_of(running).exit_code == 0
    # 13 (SIGPIPE) is what this Python itself ignores; 3 is the folder being listed.
    assert running.tail() == f"[13] ['0', '1', '2', '3'] (0, 0) {mark}\n"


def test_messages_reach_a_program_that_has_a_mailbox(tmp_path: Path, mark: str) -> None:
    mailbox = tmp_path / "mailbox"
    mailbox.touch()
    code = "import time\nwhile not open('mailbox').read(): time.sleep(0.02)\nprint(open('mailbox').read())"
    running = start(tmp_path, mark, code, watch={"messages": mailbox})
    assert running.message("two\nlines")
    assert end_of(running).exit_code == 0
    assert '{"text": "two\\nlines"}' in running.tail()
    assert not running.message("too late")


def test_a_program_without_a_mailbox_cannot_be_told_anything(tmp_path: Path, mark: str) -> None:
    running = start(tmp_path, mark, "import time; time.sleep(60)")
    assert not running.message("hello")
    running.stop("kill")
    assert end_of(running).reason == "killed"
    assert not alive(running.pid)


def test_the_mark_is_in_the_environment_only(tmp_path: Path, mark: str) -> None:
    running = start(tmp_path, mark, "import time; time.sleep(60)")
    eventually(lambda: len(living(mark)) > 1)
    for pid in living(mark):
        assert mark.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert f"{MARK}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    running.stop("kill")
    end_of(running)
