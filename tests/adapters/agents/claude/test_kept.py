"""Sessions between two attempts of a task: one plain file, bounded, the newest, and back into the same task alone."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from ops_orchestrate.adapters.agents.claude.kept import ClaudeSessions, keep, kept_session, sessions
from tests.adapters.foreign import settings
from tests.builders import stage_key

ID, OTHER = str(uuid.UUID(int=7)), str(uuid.UUID(int=8))
KEY = stage_key(task="api")


def box(folder: Path, data: bytes = b"{}\n", session: str = ID) -> Path:
    place = folder / "claude" / "projects" / "-some-tree"
    place.mkdir(parents=True)
    (place / f"{session}.jsonl").write_bytes(data)
    return folder


def test_the_newest_session_of_a_task_is_kept(tmp_path: Path) -> None:
    used = settings(tmp_path)
    keep(box(tmp_path / "one", b"first\n"), ID, KEY, used)
    keep(box(tmp_path / "two", b"second\n", OTHER), OTHER, KEY, used)
    assert kept_session(KEY, used) == (OTHER, {f"claude/projects/kept/{OTHER}.jsonl": b"second\n"})
    assert kept_session(stage_key(task="web"), used) == ("", {})
    assert kept_session(stage_key(run="r2", task="api"), used) == ("", {})


def test_one_that_left_none_takes_the_old_one_away(tmp_path: Path) -> None:
    used = settings(tmp_path)
    keep(box(tmp_path / "one"), ID, KEY, used)
    keep(tmp_path / "nothing", ID, KEY, used)
    assert kept_session(KEY, used) == ("", {})


def test_no_link_is_followed_and_nothing_endless_is_read(tmp_path: Path) -> None:
    used = settings(tmp_path)  # at most 0.1 MB
    secret = tmp_path / "secret.jsonl"
    secret.write_text("not yours")
    link = box(tmp_path / "link")
    (link / "claude" / "projects" / "-some-tree" / f"{ID}.jsonl").unlink()
    (link / "claude" / "projects" / "-some-tree" / f"{ID}.jsonl").symlink_to(secret)
    folder = tmp_path / "folder"
    (folder / "claude").mkdir(parents=True)
    (folder / "claude" / "projects").symlink_to(box(tmp_path / "elsewhere") / "claude" / "projects")
    huge = box(tmp_path / "huge", b"x" * 200_000)
    for hostile in (link, folder, huge):
        keep(hostile, ID, KEY, used)
        assert kept_session(KEY, used) == ("", {}), hostile


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    used = settings(tmp_path, keep_transcripts=3)
    for number in range(6):
        keep(box(tmp_path / str(number)), ID, stage_key(task=f"t{number}"), used)
    assert len([*sessions(used).glob("*/*/*.jsonl")]) == 3
    assert len([*sessions(used).glob("*/*")]) == 3


def test_those_of_forgotten_runs_go_once_they_are_old(tmp_path: Path) -> None:
    used = settings(tmp_path)
    for number, run in enumerate(("known", "young", "old")):
        keep(box(tmp_path / str(number)), ID, stage_key(run=run, task="api"), used)
    for run in ("known", "old"):
        os.utime(sessions(used) / run / "api" / f"{ID}.jsonl", (1000, 1000))
    assert ClaudeSessions(used).forget(known={"known"}, before=2000) == 1
    assert {path.name for path in sessions(used).iterdir()} == {"known", "young"}
    assert ClaudeSessions(settings(tmp_path / "none")).forget(known=(), before=2000) == 0
