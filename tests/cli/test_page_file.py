"""Where `report --html` writes: whole, at its place alone, for nobody more than before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops_orchestrate.cli.report import _write
from ops_orchestrate.errors import UsageError


@pytest.fixture
def mask() -> int:
    """What this process takes from a new file's mode."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_a_new_page_is_like_any_new_file_and_leaves_no_draft(tmp_path: Path, mask: int) -> None:
    page = tmp_path / "report.html"
    _write(page, "one")
    assert (page.read_text(), page.stat().st_mode & 0o777) == ("one", 0o666 & ~mask)
    assert list(tmp_path.iterdir()) == [page]


def test_a_page_that_is_there_keeps_who_may_read_it(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("old")
    page.chmod(0o640)
    _write(page, "new")
    assert (page.read_text(), page.stat().st_mode & 0o777) == ("new", 0o640)


def test_no_link_that_somebody_has_put_there_is_followed(tmp_path: Path) -> None:
    private, page = tmp_path / "private", tmp_path / "report.html"
    private.write_text("mine")
    page.symlink_to(private)
    (tmp_path / ".report.html.new").symlink_to(private)
    _write(page, "new")
    assert (private.read_text(), page.read_text(), page.is_symlink()) == ("mine", "new", False)


@pytest.mark.parametrize("place", ["no/such/folder.html", "folder"])
def test_a_place_that_cannot_be_written_to_is_named_and_no_draft_stays(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=place):
        _write(tmp_path / place, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
