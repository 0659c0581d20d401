"""The digest of an agent's files: contents move it, touching does not, and no trick of the tree's hurts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ops_orchestrate.adapters.agents import vitals
from ops_orchestrate.adapters.agents.vitals import TreeWatch


def tree(folder: Path) -> Path:
    made = folder / "tree"
    (made / "src").mkdir(parents=True)
    (made / "src" / "a").write_text("one")
    (made / "b").write_text("two")
    (made / ".git" / "refs" / "heads").mkdir(parents=True)
    (made / ".git" / "refs" / "heads" / "dev").write_text("1" * 40)
    (made / ".git" / "index").write_text("index")
    return made


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        (lambda at: None, False),
        (lambda at: os.utime(at / "b", (1, 1)), False),
        (lambda at: (at / "b").write_text("two"), False),
        (lambda at: (at / "b").write_text("2wo"), True),
        (lambda at: (at / "c").write_text(""), True),
        (lambda at: (at / "b").unlink(), True),
        (lambda at: (at / "b").rename(at / "c"), True),
        (lambda at: (at / "l").symlink_to("/etc/passwd"), True),
        (lambda at: (at / ".git" / "refs" / "heads" / "dev").write_text("2" * 40), True),
        (lambda at: (at / ".git" / "index").write_text("looked at"), False),
        (lambda at: (at / ".git" / "COMMIT_EDITMSG").write_text("x"), False),
    ],
    ids=["nothing", "touch", "same text", "text", "new", "gone", "renamed", "link", "commit", "index", "message"],
)
def test_what_moves_the_digest(tmp_path: Path, change: Callable[[Path], object], moves: bool) -> None:
    at = tree(tmp_path)
    watch = TreeWatch(at)
    before = watch.digest()
    change(at)
    assert (watch.digest() != before) is moves


def test_pipes_huge_and_deep_things_are_no_trap(tmp_path: Path) -> None:
    at = tree(tmp_path)
    os.mkfifo(at / "pipe")
    with (at / "huge").open("wb") as file:
        file.truncate(1 << 40)
    (at / "secret").touch(mode=0)
    deep = at
    for _ in range(200):
        deep = deep / "d"
        deep.mkdir()
    (deep / "leaf").write_text("x")
    watch = TreeWatch(at)
    before = watch.digest()
    (deep / "leaf").write_text("y")
    assert watch.digest() != before


def test_no_more_folders_are_looked_into_than_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders without a file in them count for nothing, and cost time all the same."""
    monkeypatch.setattr(vitals, "_FILES", 20)
    for number in range(200):
        (tmp_path / str(number)).mkdir()
    looked: list[str] = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (looked.append(path), real(path))[1])
    TreeWatch(tmp_path).digest()
    assert 1 < len(looked) <= 20


def test_a_tree_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert TreeWatch(tmp_path / "none").digest() == TreeWatch(tmp_path).digest()
