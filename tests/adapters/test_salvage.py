"""What cannot become a change is kept apart, and nothing is lost (cases D46, D47, D51 to D53)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ops_orchestrate.errors import GitError
from tests.adapters.gitshop import KEY, SALVAGE, Shop, files
from tests.repos import commit, git, write


def test_two_lines_of_work_are_refused_and_both_kept(shop: Shop) -> None:
    tree = shop.tree()
    path = Path(tree.path)
    one = commit(path, {"src/b.py": "B\n"})
    git("checkout", "--quiet", "-b", "other", tree.base, cwd=path)
    two = commit(path, {"src/c.py": "C\n"})
    collected = shop.collect(tree)
    assert collected.head is None and "another line of work" in collected.problem
    ref = shop.salvage(tree)
    assert ref == SALVAGE
    assert all(shop.workshop.is_ancestor(shop.repo, sha, git("rev-parse", ref, cwd=shop.mirror)) for sha in (one, two))


def test_a_history_that_does_not_grow_from_the_base_is_refused(shop: Shop) -> None:
    tree = shop.tree()
    path = Path(tree.path)
    git("checkout", "--quiet", "--orphan", "fresh", cwd=path)
    commit(path, {"src/b.py": "B\n"})
    git("update-ref", "refs/heads/ops/t1/a1-f7", "HEAD", cwd=path)
    collected = shop.collect(tree)
    assert collected.head is None and "does not grow from" in collected.problem
    assert shop.salvage(tree) == SALVAGE


def test_other_branches_and_the_stash_are_kept_apart(shop: Shop) -> None:
    tree = shop.tree()
    path = Path(tree.path)
    git("checkout", "--quiet", "-b", "aside", cwd=path)
    aside = commit(path, {"aside.txt": "x"})
    git("checkout", "--quiet", tree.branch, cwd=path)
    write(path, {"src/a.py": "A = 'stashed'\n"})
    git("stash", cwd=path)
    stash = git("rev-parse", "refs/stash", cwd=path)
    last = commit(path, {"src/b.py": "B\n"})
    collected = shop.collect(tree)
    assert (collected.head, collected.salvage) == (last, SALVAGE)
    kept = git("rev-parse", SALVAGE, cwd=shop.mirror)
    assert all(shop.workshop.is_ancestor(shop.repo, sha, kept) for sha in (aside, stash, last))


def test_salvage_keeps_commits_and_files(shop: Shop) -> None:
    tree = shop.tree()
    last = commit(Path(tree.path), {"src/b.py": "B\n"})
    write(Path(tree.path), {"src/half.py": "H\n", "node_modules/x.js": "x"})
    assert shop.salvage(tree) == SALVAGE
    assert files(shop, SALVAGE) == {"README.md", "src/a.py", "src/b.py", "src/half.py"}
    assert git("rev-parse", f"{SALVAGE}^", cwd=shop.mirror) == last
    shop.workshop.discard_tree(shop.repo, KEY)
    assert shop.salvage(tree) == SALVAGE  # asked again after the tree has gone


def test_salvage_keeps_what_an_amend_and_a_reset_threw_away(shop: Shop) -> None:
    tree = shop.tree()
    path = Path(tree.path)
    thrown = commit(path, {"src/b.py": "B\n"})
    git("reset", "--quiet", "--hard", tree.base, cwd=path)
    amended = commit(path, {"src/c.py": "C\n"})
    write(path, {"src/c.py": "C2\n"})
    git("commit", "--quiet", "--all", "--amend", "-m", "better", cwd=path)
    assert shop.salvage(tree) == SALVAGE
    kept = git("rev-parse", SALVAGE, cwd=shop.mirror)
    assert all(shop.workshop.is_ancestor(shop.repo, sha, kept) for sha in (thrown, amended))


@pytest.mark.parametrize(
    "damage",
    ["no .git", "a file for .git", "a link for .git", "HEAD gone", "objects gone", "a corrupt object"],
)
def test_a_broken_git_folder_loses_nothing(shop: Shop, tmp_path: Path, damage: str) -> None:
    tree = shop.tree()
    path = Path(tree.path)
    last = commit(path, {"src/b.py": "B\n"})
    write(path, {"src/half.py": "H\n"})
    _break(path, damage, last, tmp_path)
    collected = shop.collect(tree)
    assert collected.head is None and collected.problem
    with pytest.raises(GitError, match=r"could be salvaged .* its folder is ") as error:
        shop.salvage(tree)
    aside = Path(str(error.value).rpartition(" ")[2])
    assert aside.parent == shop.state / "kept"
    assert (aside / "src/half.py").read_text() == "H\n"
    assert git("show", f"{SALVAGE}:src/half.py", cwd=shop.mirror) == "H"
    assert list(shop.workshop.leftover_trees()) == []
    assert git("fsck", "--no-dangling", cwd=shop.mirror) == ""


def _break(path: Path, damage: str, last: str, tmp_path: Path) -> None:
    folder = path / ".git"
    if damage == "HEAD gone":
        (folder / "HEAD").unlink()
        shutil.rmtree(folder / "refs")
    elif damage == "objects gone":
        shutil.rmtree(folder / "objects")
    elif damage == "a corrupt object":
        blob = git("rev-parse", f"{last}:src/b.py", cwd=path)
        target = folder / "objects" / blob[:2] / blob[2:]
        target.chmod(0o600)
        target.write_bytes(b"garbage")
    else:
        folder.rename(tmp_path / "away")
        if damage == "a file for .git":
            folder.write_text(f"gitdir: {tmp_path / 'away'}\n")
        elif damage == "a link for .git":
            folder.symlink_to(tmp_path / "away")
