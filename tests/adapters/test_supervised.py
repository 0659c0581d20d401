"""What a supervised program gets and may use: a clean start, a mailbox, limits of output, memory and files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ops_orchestrate.adapters.launch import Spec
from ops_orchestrate.adapters.process import spawn
from ops_orchestrate.adapters.proctree import MARK
from ops_orchestrate.adapters.sandbox import SandboxSpec, confine
from ops_orchestrate.adapters.supervised import Supervised, Watch, _instruct, supervise
from tests.adapters.foreign import (
    alive,
    end_of,
    eventually,
    living,
    settings,
    without_sandbox,
)
from tests.adapters.supervise_help import start

DELETED = """
import os, time
kept = []
while True:
    kept.append(open("f", "wb"))
    os.unlink("f")
    kept[-1].write(b"x" * (1 << 20))
    time.sleep(0.01)
"""


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
        (
            "import time\nwhile True:\n  open(str(time.time_ns()), 'wb').write(b'x' * (1 << 20)); time.sleep(0.01)",
            "disk",
            {"sandbox_disk_mb": 32},
        ),
        (
            "import time\nwhile True: open(str(time.time_ns()), 'wb').close(); time.sleep(0.00001)",
            "disk",
            {"sandbox_disk_mb": 16},
        ),
        (
            DELETED,
            "disk",
            {"sandbox_disk_mb": 32},
        ),
    ],
    ids=["memory", "processes", "disk", "disk, by many empty files", "disk, by deleted files"],
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


def test_open_files_have_a_limit(tmp_path: Path, mark: str) -> None:
    code = (
        "kept = []\ntry:\n  while True: kept.append(open('/dev/null'))\nexcept OSError as e: print(len(kept), e.errno)"
    )
    running = start(tmp_path, mark, code, sandbox_open_files=64)
    assert end_of(running).exit_code == 0
    assert running.tail() == "61 24\n"


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


def test_a_line_that_does_not_fit_whole_spoils_no_other(tmp_path: Path) -> None:
    """A supervisor that stands still for a moment, and is told much meanwhile."""
    hear = "import os, sys, time\nwhile not os.path.exists('go'): time.sleep(0.02)\n"
    hear += "open('heard', 'wb').write(sys.stdin.buffer.read())"
    child = spawn([sys.executable, "-I", "-S", "-c", hear], cwd=tmp_path, env={}, pipe=True)
    assert child.stdin is not None
    os.set_blocking(child.stdin.fileno(), False)
    watch = Watch(folder=tmp_path, mark="m", cwd=tmp_path, seconds=5, beat_seconds=5, grace=0.1, talk=True)
    supervised = Supervised(child, watch)
    told = 0
    while supervised.say("x" * 12_000):
        told += 1
    (tmp_path / "go").touch()
    assert eventually(lambda: supervised.say("the end"))
    supervised.beat()
    child.close()
    child.wait(10)
    lines = (tmp_path / "heard").read_bytes().splitlines()
    assert lines == [*[b"say " + b"x" * 12_000] * told, b"say the end", b"beat"]


def test_a_supervisor_that_does_not_listen_holds_nobody_up(tmp_path: Path) -> None:
    """A gate may be longer than a pipe takes at once: whoever starts it must not wait for ever."""
    child = spawn([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"], cwd=tmp_path, env={}, pipe=True)
    spec = Spec(["x" * 1_000_000], "/", "", 0, "", "", 1, 1, 1)
    with pytest.raises(OSError, match="does not take"):
        _instruct(child, spec, patience=0.2)
    assert child.poll() is not None
