"""Gates: hostile or honest, they stay in the sandbox, end in time, and say truthfully how they ended."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.gates import SandboxedGates, git_folders, judge
from ops_orchestrate.adapters.supervised import Exit
from ops_orchestrate.core.change import GateEnd, GateResult
from ops_orchestrate.core.project import Repository
from tests.adapters.foreign import both_ways, git, needs_sandbox, settings, without_sandbox


def repository(gate: str | None, **more: Any) -> Repository:
    return Repository(**{"key": "k", "name": "n", "path": "/x", "upstream": "/x", "gate": gate, **more})


def gate(folder: Path, text: str | None, stop: object | None = None, **more: Any) -> GateResult:
    """Run it in `folder/tree`."""
    (folder / "tree").mkdir(exist_ok=True)
    options = {name: more.pop(name) for name in ("gate_seconds", "gate_network") if name in more}
    gates = SandboxedGates(settings(folder, **more))
    return gates.run(repository(text, **options), folder / "tree", stop=stop)


@both_ways
@pytest.mark.parametrize(
    ("text", "end", "code"),
    [
        ("echo fine", GateEnd.PASSED, 0),
        ("echo wrong; exit 3", GateEnd.FAILED, 3),
        ("false | true && set -o pipefail && false | true", GateEnd.FAILED, 1),
        ("no-such-tool --now", GateEnd.UNAVAILABLE, 127),
        ("/etc/passwd", GateEnd.UNAVAILABLE, 126),
        ("echo 'Ran 0 tests in 0.000s'", GateEnd.NO_TESTS, 0),
        ("true", GateEnd.NO_TESTS, 0),
    ],
)
def test_how_a_gate_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, end: GateEnd, code: int, sandboxed: bool
) -> None:
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    result = gate(tmp_path, text, unsandboxed_ok=not sandboxed)
    assert (result.end, result.exit_code) == (end, code)
    assert result.unsandboxed is not sandboxed


@pytest.mark.parametrize(
    ("code", "text", "end"),
    [
        (0, "12 passed in 0.1s", GateEnd.PASSED),
        (0, "", GateEnd.PASSED),
        (0, "no tests ran in 0.01s", GateEnd.NO_TESTS),
        (0, "collected 0 items", GateEnd.NO_TESTS),
        (0, "Ran 0 tests in 0.000s\n\nOK\nRan 4 tests in 0.1s\n\nOK", GateEnd.PASSED),
        (0, "?   \tpkg/a\t[no test files]", GateEnd.NO_TESTS),
        (0, "?   \tpkg/a\t[no test files]\nok  \tpkg/b\t0.01s", GateEnd.PASSED),
        (0, "running 0 tests\n\ntest result: ok. 0 passed", GateEnd.NO_TESTS),
        (5, "no tests ran in 0.01s", GateEnd.NO_TESTS),
        (5, "Ran 0 tests in 0.000s\n\nNO TESTS RAN", GateEnd.NO_TESTS),
        (5, "five things are wrong", GateEnd.FAILED),
        (1, "no tests ran in 0.01s", GateEnd.FAILED),
        (2, "make: *** Error 127", GateEnd.FAILED),
    ],
)
def test_what_the_output_says(code: int, text: str, end: GateEnd) -> None:
    assert judge(Exit("exited", exit_code=code), text, "make test")[0] is end


@pytest.mark.parametrize("text", ["true", ":", "exit 0", " exit ", "/bin/true;", "# nothing"])
def test_a_gate_that_does_nothing_is_no_test(text: str) -> None:
    assert judge(Exit("exited", exit_code=0), "", text)[0] is GateEnd.NO_TESTS


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        ("time-limit", GateEnd.TIMED_OUT),
        ("memory", GateEnd.FAILED),
        ("processes", GateEnd.FAILED),
        ("killed", GateEnd.UNAVAILABLE),
        ("unstarted", GateEnd.UNAVAILABLE),
        ("supervisor-lost", GateEnd.UNAVAILABLE),
    ],
)
def test_a_gate_that_did_not_end_by_itself_never_passes(reason: str, end: GateEnd) -> None:
    assert judge(Exit(reason, exit_code=0), "12 passed", "make test")[0] is end


def test_the_missing_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_sandbox(monkeypatch, tmp_path)
    result = gate(tmp_path, "no-such-tool --now", unsandboxed_ok=True)
    assert result.log_tail.startswith("The gate's command cannot be run here: no-such-tool\n")


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_no_gate(tmp_path: Path, text: str | None) -> None:
    assert gate(tmp_path, text).end is GateEnd.NO_GATE


@pytest.mark.parametrize("text", ["x" * 1_000_000, "echo a\0b"], ids=["1 MB", "NUL"])
def test_a_gate_that_no_shell_could_take(tmp_path: Path, text: str) -> None:
    assert gate(tmp_path, text).end is GateEnd.UNAVAILABLE


def test_no_sandbox_no_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_sandbox(monkeypatch, tmp_path)
    result = gate(tmp_path, "touch ran")
    assert result.end is GateEnd.UNAVAILABLE
    assert "OPS_UNSANDBOXED_OK" in result.log_tail
    assert not (tmp_path / "tree" / "ran").exists()


@needs_sandbox
@pytest.mark.parametrize(
    "text",
    [
        "echo ok; rm -rf {outside}; true x",
        "echo ok\nrm -rf {outside}\ntrue x",
        "echo $(rm -rf {outside}) `rm -rf {outside}` ok",
        "cd .. ; rm -rf ./outside ; rm -rf ../* ; echo ok",
        "ln -s {outside} link; rm -rf link/*; echo ok",
        "rm -rf --no-preserve-root {outside} {outside}/..; echo ok",
    ],
)
def test_a_hostile_gate_stays_inside(tmp_path: Path, text: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep.txt").write_text("kept")
    result = gate(tmp_path, text.format(outside=outside))
    assert "ok" in result.log_tail
    assert (outside / "keep.txt").read_text() == "kept"


@needs_sandbox
def test_a_gate_sees_no_credentials_and_a_clean_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret-value")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text("s3cret-value")
    monkeypatch.setenv("HOME", str(home))
    result = gate(tmp_path, "env; ls -A ~ $TMPDIR; cat ~/.netrc /proc/*/environ; touch ~/x; echo CI=$CI")
    assert "s3cret-value" not in result.log_tail
    assert "CI=1" in result.log_tail


def test_its_time_is_limited_and_its_tree_dies(tmp_path: Path) -> None:
    started = time.monotonic()
    result = gate(
        tmp_path,
        "trap '' INT TERM; (setsid sleep 60 &); echo begun; sleep 60; sleep 60",
        unsandboxed_ok=True,
        gate_seconds=1,
    )
    assert result.end is GateEnd.TIMED_OUT
    assert "begun" in result.log_tail
    assert time.monotonic() - started < 8


BOMB = """
import os, time
made = 0
while made < 300:
    try:
        if os.fork() == 0: time.sleep(20); os._exit(0)
    except OSError: raise SystemExit(1)
    made += 1
time.sleep(20)
"""
HOG = "held = [bytearray(b'x') * (8 << 20) for _ in range(40)]; import time; time.sleep(20)"
FILLER = "while True: open(str(__import__('time').time_ns()), 'wb').write(b'x' * (1 << 20))"


@needs_sandbox
@pytest.mark.parametrize(
    ("code", "limit", "words"),
    [
        (BOMB, {"sandbox_processes": 120}, "OPS_SANDBOX_PROCESSES"),
        (HOG, {"sandbox_memory_mb": 100}, "OPS_SANDBOX_MEMORY_MB"),
        (FILLER, {"sandbox_disk_mb": 32}, "OPS_SANDBOX_DISK_MB"),
    ],
    ids=["forks without end", "takes all memory", "fills the disk"],
)
def test_a_gate_has_the_limits_of_an_agent(tmp_path: Path, code: str, limit: dict[str, int], words: str) -> None:
    """It runs what an agent wrote: a test, a configuration, a dependency's install script."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "test.py").write_text(code)
    started = time.monotonic()
    result = gate(tmp_path, "python3 -I -S test.py && sleep 60", **limit)
    assert result.end is GateEnd.FAILED
    # Where the kernel counts a user's processes (not root's), fork itself fails first.
    assert words in result.log_tail or (os.getuid() != 0 and words == "OPS_SANDBOX_PROCESSES")
    assert time.monotonic() - started < 50  # it was ended, and not waited for


@needs_sandbox
def test_a_gate_has_no_way_to_the_model_and_none_to_the_hosts_of_agents(tmp_path: Path) -> None:
    """What the owner gives to agents is not given to gates: a repository has its own list, and that is empty."""
    ask = "import urllib.request; urllib.request.urlopen('https://pypi.org/', timeout=10)"
    text = f"env | grep -iE '_API_KEY|_BASE_URL'; python3 -I -S -c \"{ask}\"; echo end of list"
    used = {"agent_hosts": ("pypi.org",), "model_url": "https://model.example.org", "agent_network": True}
    ended = gate(tmp_path, text, **used)
    assert ended.log_tail.startswith("Traceback") and ended.log_tail.endswith("failed: 403 >\nend of list\n")
    assert ended.unlisted == ("pypi.org",)


def test_the_shorter_limit_counts(tmp_path: Path) -> None:
    result = gate(tmp_path, "sleep 60", unsandboxed_ok=True, gate_seconds=1800, gate_timeout=1)
    assert result.end is GateEnd.TIMED_OUT


def test_it_can_be_stopped(tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    started = time.monotonic()
    result = gate(tmp_path, "sleep 60", stop, unsandboxed_ok=True)
    assert result.end is GateEnd.UNAVAILABLE
    assert result.log_tail.startswith("The gate was stopped")
    assert time.monotonic() - started < 8


def test_its_log_is_kept_and_capped_and_its_scratch_is_not(tmp_path: Path) -> None:
    result = gate(
        tmp_path,
        "mkdir -p ~/a/b; touch ~/a/b/c; chmod 000 ~/a; for i in $(seq 40000); do echo line $i; done; echo the end",
        unsandboxed_ok=True,
    )
    assert result.end is GateEnd.PASSED
    assert result.log_tail.endswith("line 40000\nthe end\n")
    log = Path(result.log_path)
    assert log.stat().st_size < 140_000
    assert log.read_text().startswith("line 1\n")
    state = tmp_path / "data" / "orchestrate"
    assert [path.name for path in state.iterdir()] == ["gate-logs"]


def test_only_the_newest_logs_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "orchestrate" / "gate-logs" / "k"
    folder.mkdir(parents=True)
    for number in range(30):
        (folder / f"{number:019d}.log").touch()
    result = gate(tmp_path, "echo new", unsandboxed_ok=True)
    kept = sorted(folder.iterdir())
    assert len(kept) == 20
    assert kept[-1] == Path(result.log_path)


@needs_sandbox
def test_a_gate_may_ask_git_about_a_worktree_of_ours_but_not_change_it(tmp_path: Path) -> None:
    state = tmp_path / "data" / "orchestrate"
    mirror = state / "mirror"
    mirror.mkdir(parents=True)
    git(mirror, "init", "-q", ".")
    (mirror / "a.txt").write_text("a")
    git(mirror, "add", "a.txt")
    git(mirror, "commit", "-qm", "first")
    git(mirror, "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    result = gate(tmp_path, "git log --format=%s; git branch evil; git config --local user.name evil")
    assert "first" in result.log_tail
    assert "evil" not in git(mirror, "branch", "--all")
    assert "evil" not in (mirror / ".git" / "config").read_text()


def test_a_git_folder_that_is_not_ours_is_not_shown(tmp_path: Path) -> None:
    tree, state = tmp_path / "tree", tmp_path / "state"
    tree.mkdir()
    state.mkdir()
    for target in (
        "/root/secret/.git/worktrees/x",
        "../secret",
        str(state / ".." / "secret" / "worktrees" / "x"),
    ):
        (tree / ".git").write_text(f"gitdir: {target}\n")
        assert git_folders(tree, state) == ()


@needs_sandbox
@pytest.mark.parametrize("allowed", [False, True])
def test_network_only_by_the_owners_word(tmp_path: Path, allowed: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        code = f"import socket; socket.create_connection({address}, 2); print(42)"
        result = gate(tmp_path, f'python3 -c "{code}"', gate_network=allowed)
    assert (result.end is GateEnd.PASSED) is allowed
    assert ("42" in result.log_tail) is allowed
