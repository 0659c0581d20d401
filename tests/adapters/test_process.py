"""Tools run bounded in time and output, with exactly the environment they are given, and leave nothing."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from ops_orchestrate.adapters.process import Finished, kill_marked, plain, run, spawn
from ops_orchestrate.adapters.proctree import descendants, kill_all
from tests.adapters.foreign import alive, eventually

ESC = "\x1b"


def python(code: str, **more: object) -> Finished:
    arguments = {"cwd": "/", "env": {}, "timeout": 20.0} | more
    return run([sys.executable, "-I", "-S", "-c", code], **arguments)  # type: ignore[arg-type] # a table's row


def test_a_tool_that_ends() -> None:
    ended = python("import sys; print(sys.stdin.read().upper()); sys.exit(3)", stdin=b"hello")
    assert (ended.exit_code, ended.timed_out, ended.output_tail) == (3, False, "HELLO\n")


def test_the_environment_is_what_was_given_and_the_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_SECRET_CANARY", "leak")
    ended = python("import os; print(sorted(os.environ))", env={"A": "1"})
    assert "'A'" in ended.output_tail
    assert "OPS_SECRET_CANARY" not in ended.output_tail


@pytest.mark.parametrize(
    ("argv", "code"),
    [(["/nonexistent/tool"], 127), (["/etc/passwd"], 126)],
    ids=["missing", "not executable"],
)
def test_a_command_that_cannot_be_started_is_an_exit_code(argv: list[str], code: int) -> None:
    ended = run(argv, cwd="/", env={}, timeout=5)
    assert ended.exit_code == code
    assert argv[0] in ended.output_tail


def test_a_signal_is_128_and_its_number() -> None:
    assert python("import os; os.kill(os.getpid(), 9)").exit_code == 137


def test_output_and_errors_apart() -> None:
    ended = python("import sys; sys.stdout.buffer.write(b'a\\0b' * 10); sys.stderr.write('oops')", keep=12)
    assert (ended.output, ended.output_cut, ended.output_tail) == (b"a\0b" * 4, True, "oops")


DAEMON = """
import os, sys, time, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open(sys.argv[1], "w").write(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
"""


@pytest.mark.parametrize("how", ["timeout", "stop", "ends"])
def test_nothing_of_it_outlives_it(tmp_path: Path, how: str) -> None:
    """Also a daemon that forked twice, has a session of its own and ignores SIGTERM."""
    file, stop = tmp_path / "pid", threading.Event()
    code = DAEMON + ("" if how == "ends" else "time.sleep(60)")
    if how == "stop":
        threading.Timer(0.5, stop.set).start()
    argv = [sys.executable, "-I", "-S", "-c", code, str(file)]
    started = time.monotonic()
    ended = run(argv, cwd="/", env={}, timeout=0.7 if how == "timeout" else 30, stop=stop)
    assert (ended.timed_out, ended.stopped) == (how == "timeout", how == "stop")
    assert time.monotonic() - started < 10
    assert not alive(int(file.read_text()))


def test_the_log_is_cut_and_the_tail_is_the_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    ended = python("for n in range(20000): print('line', n)", log=log, log_limit=1000)
    assert log.stat().st_size < 1100
    assert log.read_bytes().endswith(b"[... log cut here ...]\n")
    assert ended.output_tail.endswith("line 19999\n")


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        (f"{ESC}[31mred{ESC}[0m", "red"),
        (f"{ESC}]0;MERGED\x07title", "title"),
        (f"{ESC}]8;;http://x{ESC}\\link{ESC}]8;;{ESC}\\", "link"),
        (f"{ESC}]52;c;aGk={ESC}\\clipboard", "clipboard"),
        (f"{ESC}P1$r{ESC}\\device", "device"),
        ("10%\r20%\r\n", "10%\n20%\n"),
        ("a\u202eb\u200bc\0d", "abcd"),
        (b"bad \xff\xfe utf-8", "bad \ufffd\ufffd utf-8"),
        ("keeps\ttabs\nand lines", "keeps\ttabs\nand lines"),
    ],
)
def test_what_is_printed_is_cleaned(printed: str | bytes, read: str) -> None:
    assert plain(printed) == read


def test_the_tail_is_the_last_part() -> None:
    assert plain("x" * 50_000 + "end", 10) == "xxxxxxxend"


def test_a_long_lived_child_and_its_children_end_together(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = DAEMON + "time.sleep(60)"
    # One fork only: its own child, deaf to SIGTERM.
    code = code.replace("    os.setsid()\n    if os.fork() == 0:", "    if True:")
    child = spawn([sys.executable, "-I", "-S", "-c", code, str(file)], cwd="/", env={})
    inner = int(eventually(lambda: file.exists() and file.read_text()))
    assert child.poll() is None
    child.terminate(grace=1)
    assert child.poll() is not None
    assert eventually(lambda: not alive(inner))


def test_a_child_with_a_pipe_and_a_log(tmp_path: Path) -> None:
    argv = [sys.executable, "-I", "-S", "-c", "import sys; print(sys.stdin.read())"]
    child = spawn(argv, cwd="/", env={}, log=tmp_path / "log", pipe=True)
    assert child.stdin is not None
    child.stdin.write(b"said")
    child.close()
    assert child.wait(10) == 0
    assert (tmp_path / "log").read_text() == "said\n"


def test_whoever_dozes_beside_a_child_wakes_when_it_ends(tmp_path: Path) -> None:
    argv = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"]
    child = spawn(argv, cwd="/", env={}, log=tmp_path / "log", pipe=True)
    child.doze(0.01)
    assert child.poll() is None
    child.close()
    child.doze(100)  # the test's own limit is shorter
    assert child.poll() == 0
    child.doze(0.01)  # one that is gone is no error


def test_killing_by_mark_finds_what_has_no_parent_left(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    mark = f"OPS_ATTEMPT=test-{tmp_path.name}-{time.time_ns()}"
    child = spawn([sys.executable, "-I", "-S", "-c", DAEMON, str(file)], cwd="/", env=dict([mark.split("=")]))
    assert child.wait(10) == 0
    daemon = int(file.read_text())
    assert alive(daemon)
    assert kill_marked(mark) == 0
    assert not alive(daemon)


@pytest.mark.parametrize("root", [0, 1])
def test_the_whole_machine_is_never_killed(root: int) -> None:
    with pytest.raises(ValueError, match="refusing"):
        kill_all(root, "")


def test_what_has_no_place_for_its_log_is_not_started(tmp_path: Path) -> None:
    before = {process.pid for _, process in descendants(os.getpid())}
    with pytest.raises(FileNotFoundError):
        run(["sleep", "30"], cwd="/", env={"PATH": "/usr/bin:/bin"}, timeout=5, log=tmp_path / "none" / "log")
    assert {process.pid for _, process in descendants(os.getpid())} <= before


def test_a_log_on_a_full_disk_costs_the_log_and_not_the_tool() -> None:
    code = "import sys; [sys.stdout.write('x' * 999 + '\\n') for _ in range(1000)]; print('the end')"
    ended = python(code, log=Path("/dev/full"))
    assert ended.exit_code == 0
    assert ended.output_tail.endswith("the end\n")
