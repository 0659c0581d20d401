"""Folders that foreign code has written to: whatever it did to them, they can be read safely and removed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops_orchestrate.adapters.folders import remove
from ops_orchestrate.adapters.scratch import fresh, read_inside


def test_a_fresh_folder_is_empty_and_ours_alone(tmp_path: Path) -> None:
    (tmp_path / "f" / "old").mkdir(parents=True)
    folder = fresh(tmp_path / "f", "home", "tmp")
    assert sorted(path.name for path in folder.iterdir()) == ["home", "tmp"]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_unreadable_tree_is_removed(tmp_path: Path) -> None:
    inner = tmp_path / "f" / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "c").write_text("x")
    for folder in (inner, inner.parent):
        folder.chmod(0)
    remove(tmp_path / "f")
    assert not (tmp_path / "f").exists()


def test_an_endlessly_deep_tree_is_removed(tmp_path: Path) -> None:
    """Deeper than Python's recursion and longer than a path may be."""
    home = os.open(".", os.O_RDONLY)
    folder = tmp_path / "f"
    folder.mkdir()
    try:
        os.chdir(folder)
        for _ in range(1500):
            Path("deeper").mkdir()
            os.chdir("deeper")
    finally:
        os.fchdir(home)
        os.close(home)
    remove(folder)
    assert not folder.exists()


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "x").write_text("x")
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "top").symlink_to(tmp_path / "kept")
    remove(tmp_path / "f")
    remove(tmp_path / "top")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]
    assert (tmp_path / "kept" / "x").exists()


def test_reading_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    assert read_inside(tmp_path, "a", 4) == b"text"
    assert read_inside(tmp_path, "b", 4) is None
    assert read_inside(tmp_path / "none", "a", 4) is None


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "large", "folder is a link"])
def test_what_is_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (tmp_path / "secret").write_text("s")
    if kind == "link":
        (folder / "a").symlink_to(tmp_path / "secret")
    elif kind == "pipe":
        os.mkfifo(folder / "a")
    elif kind == "folder":
        (folder / "a").mkdir()
    elif kind == "large":
        (folder / "a").write_bytes(b"12345")
    else:
        (folder / "a").write_text("s")
        (tmp_path / "link").symlink_to(folder)
        folder = tmp_path / "link"
    with pytest.raises(ValueError, match=r"^it"):
        read_inside(folder, "a", 4)
