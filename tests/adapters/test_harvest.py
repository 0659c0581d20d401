"""What comes back from an agent's tree: commits and leftovers (cases D46, D47, D51 to D53)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops_orchestrate.adapters.folders import remove
from ops_orchestrate.core.change import Collected
from ops_orchestrate.errors import GitError
from tests.adapters.gitshop import ATTEMPT, KEY, SALVAGE, Shop, files, make_shop
from tests.repos import advance, commit, git, write


def test_nothing_done_is_nothing(shop: Shop) -> None:
    tree = shop.tree()
    assert shop.collect(tree) == Collected(head=None)
    assert shop.salvage(tree) is None


def test_commits_come_home(shop: Shop) -> None:
    tree = shop.tree()
    commit(Path(tree.path), {"src/b.py": "B\n"})
    last = commit(Path(tree.path), {"src/c.py": "C\n"})
    assert shop.collect(tree, "src/") == Collected(head=last, committed=2)
    assert git("rev-parse", ATTEMPT, cwd=shop.mirror) == last
    assert git("fsck", "--no-dangling", cwd=shop.mirror) == ""
    assert git("for-each-ref", "refs/ops/incoming", cwd=shop.mirror) == ""


def test_uncommitted_work_inside_the_paths_becomes_one_more_commit(shop: Shop) -> None:
    tree = shop.tree()
    path = Path(tree.path)
    own = commit(path, {"src/b.py": "B\n"})
    write(path, {"src/a.py": None, "src/new.py": "N\n", "src/__pycache__/x.pyc": "x", "notes.md": "outside"})
    collected = shop.collect(tree, "src/")
    assert collected.committed == 1
    assert collected.swept == ("src/a.py", "src/new.py")
    assert collected.left_behind == ("notes.md",)
    assert files(shop, collected.head) == {"README.md", "src/b.py", "src/new.py"}
    assert git("log", "--format=%P %s", "-1", str(collected.head), cwd=shop.mirror) == (
        f"{own} uncommitted work of the agent"
    )
    assert collected.salvage == SALVAGE
    assert git("show", f"{SALVAGE}:notes.md", cwd=shop.mirror) == "outside"


def test_without_paths_everything_is_inside(shop: Shop) -> None:
    tree = shop.tree()
    write(Path(tree.path), {"anywhere/x.txt": "x"})
    collected = shop.collect(tree)
    assert (collected.swept, collected.left_behind, collected.salvage) == (("anywhere/x.txt",), (), "")


def test_what_was_only_added_to_the_agents_index_is_uncommitted_work(shop: Shop) -> None:
    tree = shop.tree()
    write(Path(tree.path), {"src/b.py": "B\n"})
    git("add", "src/b.py", cwd=Path(tree.path))
    assert shop.collect(tree).swept == ("src/b.py",)


def test_what_the_project_ignores_stays(shop: Shop) -> None:
    tree = shop.tree()
    write(Path(tree.path), {".gitignore": "build/\n", "build/x.o": "x"})
    assert shop.collect(tree).swept == (".gitignore",)


def test_collecting_twice_gives_the_same(shop: Shop) -> None:
    tree = shop.tree()
    commit(Path(tree.path), {"src/b.py": "B\n"})
    write(Path(tree.path), {"src/new.py": "N\n", "else": "x"})
    assert shop.collect(tree, "src/") == shop.collect(tree, "src/")


def test_line_endings_by_attributes_are_no_change(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, files={".gitattributes": "*.txt text eol=crlf\n", "a.txt": "one\ntwo\n"})
    tree = shop.tree()
    assert (Path(tree.path) / "a.txt").read_bytes() == b"one\r\ntwo\r\n"
    assert shop.collect(tree) == Collected(head=None)


def test_large_file_storage_pointers_stay_pointers(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    shop = make_shop(tmp_path, files={".gitattributes": "*.bin filter=lfs diff=lfs -text\n", "a.bin": pointer})
    tree = shop.tree()
    assert (Path(tree.path) / "a.bin").read_text() == pointer
    assert shop.collect(tree) == Collected(head=None)


def test_a_stale_index_lock_and_a_broken_index_do_not_hinder(shop: Shop) -> None:
    tree = shop.tree()
    last = commit(Path(tree.path), {"src/b.py": "B\n"})
    folder = Path(tree.path) / ".git"
    (folder / "index.lock").touch()
    (folder / "HEAD.lock").touch()
    (folder / "index").write_bytes(b"garbage")
    assert shop.collect(tree).head == last


def test_work_on_a_branch_of_the_agents_own_making(shop: Shop) -> None:
    tree = shop.tree()
    commit(Path(tree.path), {"src/b.py": "B\n"})
    git("checkout", "--quiet", "-b", "my-idea", cwd=Path(tree.path))
    last = commit(Path(tree.path), {"src/c.py": "C\n"})
    git("pack-refs", "--all", cwd=Path(tree.path))
    assert shop.collect(tree).head == last


def test_a_head_behind_the_branch_takes_nothing_back(shop: Shop) -> None:
    tree = shop.tree()
    last = commit(Path(tree.path), {"src/b.py": "B\n"})
    git("checkout", "--quiet", "--detach", tree.base, cwd=Path(tree.path))
    write(Path(tree.path), {"src/late.py": "L\n"})
    collected = shop.collect(tree)
    assert (collected.head, collected.swept, collected.left_behind) == (last, (), ("src/late.py",))
    assert "src/late.py" in files(shop, collected.salvage)


def test_salvage_without_a_base_takes_the_one_that_the_tree_was_made_from(shop: Shop) -> None:
    shop.tree()
    assert shop.workshop.salvage(shop.repo, KEY, base="") is None
    assert not (shop.state / "kept").exists()


def test_a_folder_in_place_of_the_borrowed_objects_list_is_replaced(shop: Shop) -> None:
    tree = shop.tree()
    last = commit(Path(tree.path), {"src/b.py": "B\n"})
    alternates = Path(tree.path) / ".git/objects/info/alternates"
    alternates.unlink()
    (alternates / "x").mkdir(parents=True)
    assert shop.collect(tree).head == last


def test_a_tree_deeper_than_pythons_stack_is_collected_and_removed(shop: Shop) -> None:
    tree = shop.tree()
    last = commit(Path(tree.path), {"src/b.py": "B\n"})
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(tree.path)
        for _ in range(1500):
            Path("deeper").mkdir()
            os.chdir("deeper")
    finally:
        os.fchdir(here)
        os.close(here)
    try:
        assert shop.collect(tree).head == last
        shop.workshop.discard_tree(shop.repo, KEY)
        assert list(Path(tree.path).parent.iterdir()) == []
    finally:  # nobody else's way of removing folders is up to it
        remove(Path(tree.path))


def test_an_attempt_without_a_tree_here_is_an_error(shop: Shop) -> None:
    with pytest.raises(GitError, match="t1-a1-f7 of app has no tree on this host"):
        shop.workshop.collect(shop.repo, KEY, base=shop.base(), paths=())
    assert shop.workshop.salvage(shop.repo, KEY, base=shop.base()) is None


def test_the_base_may_move_on_meanwhile(shop: Shop) -> None:
    tree = shop.tree()
    last = commit(Path(tree.path), {"src/b.py": "B\n"})
    advance(shop.upstream, "dev", {"other": "x"})
    shop.workshop.refresh(shop.repo)
    assert shop.collect(tree).head == last
