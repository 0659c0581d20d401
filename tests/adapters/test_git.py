"""The one door to git: what it keeps out, and how it fails."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from ops_orchestrate.adapters.git import Git, last_words, object_id, printable, strip_userinfo
from ops_orchestrate.config import Settings
from ops_orchestrate.errors import GitError
from tests import repos


@pytest.fixture
def door(tmp_path: Path) -> Git:
    return Git(Settings(data_dir=tmp_path, git_timeout=20))


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return repos.make_upstream(tmp_path).bare


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIT_DIR", "/nowhere"),
        ("GIT_WORK_TREE", "/nowhere"),
        ("GIT_INDEX_FILE", "/nowhere/index"),
        ("GIT_OBJECT_DIRECTORY", "/nowhere"),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "/nowhere"),
        ("GIT_NAMESPACE", "elsewhere"),
        ("GIT_CONFIG_PARAMETERS", "'alias.rev-parse=!false'"),
        ("GIT_CONFIG_COUNT", "x"),
        ("GIT_EXEC_PATH", "/nowhere"),
        ("GIT_TRACE", "1"),
    ],
)
def test_what_a_surrounding_git_set_has_no_effect(
    door: Git, bare: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    answer = door.run("rev-parse", "--verify", "refs/heads/main", repo=bare)
    assert answer.text == repos.head(bare, "main")
    assert answer.err == ""


def test_git_sees_only_the_allowed_environment(door: Git, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "canary-of-a-token")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere/agent")
    seen = {}
    for network in (False, True):
        answer = door.run("show-env", repo=bare, options=("alias.show-env=!env",), network=network)
        seen[network] = dict(line.split("=", 1) for line in answer.text.splitlines() if "=" in line)
    assert "GITHUB_TOKEN" not in seen[False] and "GITHUB_TOKEN" not in seen[True]
    assert "SSH_AUTH_SOCK" not in seen[False]
    assert seen[True]["SSH_AUTH_SOCK"] == "/nowhere/agent"
    assert seen[False]["GIT_CONFIG_GLOBAL"] == os.devnull
    assert all(env["GIT_TERMINAL_PROMPT"] == "0" and env["LC_ALL"] == "C" for env in seen.values())


def test_the_users_configuration_is_not_read(
    door: Git, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text("[alias]\n\thello = !echo hello\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    with pytest.raises(GitError):
        door.run("hello", repo=bare)
    assert door.run("hello", repo=bare, network=True).text == "hello"


def test_a_transport_that_runs_a_program_is_refused(door: Git, bare: Path, tmp_path: Path) -> None:
    payload = tmp_path / "payload"
    with pytest.raises(GitError, match="transport 'ext' not allowed"):
        door.run("ls-remote", "--", f"ext::touch {payload}", repo=bare, network=True)
    assert not payload.exists()


def test_the_time_limit_ends_the_whole_process_group(tmp_path: Path, bare: Path) -> None:
    door = Git(Settings(data_dir=tmp_path, git_timeout=0.6))
    pid_file = tmp_path / "pid"
    begun = time.monotonic()
    with pytest.raises(GitError, match=r"git wait took longer than 0\.6 s"):
        door.run("wait", repo=bare, options=(f"alias.wait=!echo $$ >{pid_file}; sleep 60 & wait",))
    assert time.monotonic() - begun < 10
    group = os.getpgid(0)
    pid = int(pid_file.read_text())
    assert pid != group
    deadline = time.monotonic() + 5
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(pid)


def test_what_git_left_behind_cannot_hold_us_by_its_output(tmp_path: Path, bare: Path) -> None:
    """A process in a session of its own is out of reach of the limit, and keeps the pipe open."""
    door = Git(Settings(data_dir=tmp_path, git_timeout=1))
    pid_file = tmp_path / "pid"
    try:
        with pytest.raises(GitError, match=r"git leave took longer than 1 s"):
            door.run(
                "leave", repo=bare, options=(f"alias.leave=!setsid sh -c 'echo $$ >{pid_file}; exec sleep 100' &",)
            )
        assert _alive(int(pid_file.read_text())), "it is not what ended the wait"
    finally:
        os.kill(int(pid_file.read_text()), signal.SIGKILL)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_output_over_the_limit_is_an_error_or_a_cut(door: Git, bare: Path) -> None:
    options = ("alias.flood=!yes",)
    with pytest.raises(GitError, match="more than 1000 bytes"):
        door.run("flood", repo=bare, options=options, limit=1000)
    answer = door.run("flood", repo=bare, options=options, limit=1000, cut_ok=True)
    assert answer.cut and len(answer.out) == 1000


def test_much_output_on_both_pipes_does_not_block(door: Git, bare: Path) -> None:
    flood = "alias.flood=!head -c 300000 /dev/zero | tee /dev/stderr"
    answer = door.run("flood", repo=bare, options=(flood,))
    assert len(answer.out) == 300_000 and len(answer.err) <= 64_000


def test_an_error_names_the_command_and_gits_own_words(door: Git, bare: Path) -> None:
    with pytest.raises(GitError, match=r"^git rev-parse: fatal: Needed a single revision$"):
        door.run("rev-parse", "--verify", "refs/heads/none", repo=bare)


def test_no_git_on_the_path_is_said(door: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(GitError, match="git"):
        door.run("version")


def test_threads_share_a_door(door: Git, bare: Path) -> None:
    heads: list[str] = []
    threads = [
        threading.Thread(target=lambda: heads.append(door.run("rev-parse", "refs/heads/main", repo=bare).text))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert heads == [repos.head(bare, "main")] * 6


@pytest.mark.parametrize(
    "text", ["HEAD", "-x", "--upload-pack=x", "main", "a" * 39, "A" * 40, "a" * 40 + "\n", "", "a" * 40 + "^"]
)
def test_only_full_ids_name_commits(text: str) -> None:
    with pytest.raises(GitError, match="not a full commit id"):
        object_id(text)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://ada:s3cret@host/x.git", "https://host/x.git"),
        ("fatal: https://tok@host/x and ssh://git@host:22/y", "fatal: https://host/x and ssh://host:22/y"),
        ("https://a:p@ss@host/x", "https://host/x"),
        ("https://host/x@y", "https://host/x@y"),
        ("git@host:x.git", "git@host:x.git"),
    ],
)
def test_user_and_password_leave_urls(text: str, clean: str) -> None:
    assert strip_userinfo(text) == clean


@pytest.mark.parametrize(
    ("err", "words"),
    [
        ("warning: x\nfatal: no such thing\nhint: try y\n", "fatal: no such thing"),
        (
            "fatal: unable to access 'https://u:p@h/x'\nPlease make sure\n",
            "fatal: unable to access 'https://h/x'",
        ),
        ("something odd\n\n", "something odd"),
        ("error: object is bad\nerror: y\nfatal: failed\n", "error: object is bad; fatal: failed"),
        ("fatal: \x1b[31mred\x1b[0m\n", "fatal: [31mred [0m"),
        ("", ""),
    ],
)
def test_the_telling_line_of_an_error(err: str, words: str) -> None:
    assert last_words(err) == words


def test_bytes_that_are_no_text_stay_readable() -> None:
    assert printable(b"caf\xe9") == "caf\\xe9"
    assert printable("café".encode()) == "café"
