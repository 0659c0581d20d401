"""Files of an agent's tree with odd names, of odd kinds or sizes: they come home as they are, or are named."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ops_orchestrate.adapters.leftovers import is_junk
from tests.adapters.gitshop import Shop, files
from tests.repos import commit, git, write


def test_odd_names_come_home_as_they_are(shop: Shop) -> None:
    names = ["new\nline", 'quo"te', "tab\there", "-x", "café", "cafe\u0301", ".ENV", ":(glob)*", "*", "a b"]
    tree = shop.tree()
    write(Path(tree.path), dict.fromkeys(names, "x"))
    raw = os.fsencode(tree.path) + b"/latin-\xe9"
    Path(os.fsdecode(raw)).write_text("x")
    collected = shop.collect(tree)
    assert set(collected.swept) == {*names, "latin-\\xe9"}
    assert set(names) <= files(shop, collected.head)


def test_a_name_that_git_refuses_does_not_stop_the_others(shop: Shop) -> None:
    tree = shop.tree()
    write(Path(tree.path), {f"src/{number}.py": "x" for number in range(20)} | {".GIT/config": "[core]\n"})
    collected = shop.collect(tree)
    assert len(collected.swept) == 20
    assert collected.left_behind == (".GIT/config",)


def test_links_and_nested_repositories_are_brought_as_they_are(shop: Shop) -> None:
    tree = shop.tree()
    path = Path(tree.path)
    (path / "link").symlink_to("/etc/passwd")
    git("init", "--quiet", path / "inner")
    commit(path / "inner", {"x": "x"})
    collected = shop.collect(tree)
    assert collected.swept == ("inner", "link")
    listed = git("ls-tree", str(collected.head), "inner", "link", cwd=shop.mirror)
    assert [line.split()[0] for line in listed.splitlines()] == ["160000", "120000"]


def test_a_folder_replaced_by_a_link_is_never_followed(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "a.py").write_text("secret of the host\n")
    tree = shop.tree()
    shutil.rmtree(Path(tree.path) / "src")
    (Path(tree.path) / "src").symlink_to(tmp_path / "private")
    collected = shop.collect(tree)
    assert files(shop, collected.head) == {"README.md", "src"}
    objects = git("cat-file", "--batch-all-objects", "--batch", "--unordered", cwd=shop.mirror)
    assert "secret of the host" not in objects


def test_files_and_folders_that_change_places(shop: Shop) -> None:
    tree = shop.tree()
    path = Path(tree.path)
    write(path, {"README.md": None, "src/a.py": None})
    (path / "src").rmdir()
    write(path, {"README.md/inner": "x", "src": "now a file"})
    assert files(shop, shop.collect(tree).head) == {"README.md/inner", "src"}


def test_a_pipe_in_place_of_a_file_does_not_block(shop: Shop) -> None:
    tree = shop.tree()
    (Path(tree.path) / "src/a.py").unlink()
    os.mkfifo(Path(tree.path) / "src/a.py")
    os.mkfifo(Path(tree.path) / "new-pipe")
    assert shop.collect(tree).swept == ("src/a.py",)


def test_too_large_files_are_named_and_left(shop: Shop) -> None:
    tree = shop.tree()
    with (Path(tree.path) / "huge").open("wb") as file:
        file.truncate(65_000_000)
    collected = shop.collect(tree)
    assert (collected.head, collected.left_behind) == (None, ("huge",))


@pytest.mark.parametrize(
    ("path", "junk"),
    [
        ("src/__pycache__/a.cpython-311.pyc", True),
        ("node_modules/x/index.js", True),
        (".venv/bin/python", True),
        (".pytest_cache/v/x", True),
        ("a.pyc", True),
        ("src/venv.py", False),
        ("docs/node_modules.md", False),
        ("pyc", False),
    ],
)
def test_what_counts_as_junk(path: str, junk: bool) -> None:
    assert is_junk(path) is junk
