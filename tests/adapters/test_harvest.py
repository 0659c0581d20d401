"""What comes back from an agent's tree: commits, leftovers, and nothing lost (cases D46, D47, D51 to D53)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ops_orchestrate.adapters.leftovers import is_junk
from ops_orchestrate.core.change import Collected
from ops_orchestrate.errors import GitError
from tests.adapters.gitshop import KEY, Shop, make_shop
from tests.repos import advance, commit, git, write

ATTEMPT = "refs/ops/attempts/run-1/t1/a1-f7"
SALVAGE = "refs/ops/salvage/run-1/t1/a1-f7"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    return make_shop(tmp_path)


def files(shop: Shop, commit_id: str | None) -> set[str]:
    """The files of a commit in the mirror."""
    assert commit_id
    listed = git("ls-tree", "-r", "-z", "--name-only", commit_id, cwd=shop.mirror)
    return set(listed.split("\0")) - {""}


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
    assert shop.collect(tree).head == last
    shop.workshop.discard_tree(shop.repo, KEY)
    assert list(Path(tree.path).parent.iterdir()) == []


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
