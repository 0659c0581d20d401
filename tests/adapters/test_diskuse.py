"""How much foreign folders hold, and that there is no place in them to hide."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops_orchestrate.adapters.diskuse import DiskUse

MB = 1 << 20


def test_contents_entries_and_folders_count(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * MB)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "b").write_bytes(b"x" * MB)
    for number in range(256):
        (tmp_path / "deep" / str(number)).touch()
    assert 3 * MB <= DiskUse([str(tmp_path)]).look([], 10) < 4 * MB


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "big").write_bytes(b"x" * MB)
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "big")
    (tmp_path / "mine" / "all").symlink_to("/")
    assert DiskUse([str(tmp_path / "mine")]).look([], 10) < MB


def test_a_hole_takes_no_room(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert DiskUse([str(tmp_path)]).look([], 10) < MB


def test_a_large_tree_is_walked_in_pieces_and_known_before_the_end(tmp_path: Path) -> None:
    for number in range(2_000):
        (tmp_path / str(number)).touch()
    use = DiskUse([str(tmp_path)])
    looks = [use.look([], 0.0) for _ in range(10)]
    assert looks == sorted(looks)
    assert looks[0] < looks[-1] <= 2_000 * 4096
    assert use.look([], 10) == 2_000 * 4096


def test_what_was_deleted_and_is_still_open_counts_once(tmp_path: Path) -> None:
    with (tmp_path / "gone").open("wb") as file:
        file.write(b"x" * MB)
        file.flush()
        again = os.dup(file.fileno())
        (tmp_path / "gone").unlink()
        use = DiskUse([str(tmp_path)])
        assert MB <= use.look([os.getpid()], 10) < 2 * MB
        os.close(again)
    assert use.look([os.getpid()], 10) < MB


@pytest.mark.parametrize("hide", ["deep", "closed"])
def test_where_nobody_can_look_what_the_disk_has_lost_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hide: str
) -> None:
    free = [100 * MB]
    monkeypatch.setattr(DiskUse, "_free_at", staticmethod(lambda folder: free[0]))
    use = DiskUse([str(tmp_path)])
    free[0] -= 64 * MB
    assert use.look([], 10) < MB, "as long as everything can be read, others may use the disk"
    if hide == "deep":
        opened = os.open(tmp_path, os.O_RDONLY)
        for _ in range(25):
            os.mkdir("d" * 200, dir_fd=opened)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=opened)
            os.close(opened)
            opened = below
        os.close(opened)
    else:
        real = os.scandir
        (tmp_path / "shut").mkdir()
        monkeypatch.setattr(os, "scandir", lambda path: _denied(real, path))
    blind = DiskUse([str(tmp_path)])
    blind._free = use._free
    assert blind.look([], 10) == 64 * MB


def _denied(real: object, path: str) -> object:
    if "shut" in path:
        raise PermissionError
    return real(path)  # type: ignore[operator] # os.scandir
