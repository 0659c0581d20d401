"""Trees for attempts: private, whole or not there, and never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.errors import GitError
from tests.adapters.gitshop import KEY, Shop, make_shop
from tests.repos import advance, commit, git, write


def test_a_tree_stands_on_its_own_branch_at_the_base(shop: Shop) -> None:
    tree = shop.tree()
    path = Path(tree.path)
    assert path == shop.state / "trees" / "app" / "t1-a1-f7"
    assert tree.branch == git("symbolic-ref", "--short", "HEAD", cwd=path) == "ops/t1/a1-f7"
    assert tree.base == git("rev-parse", "HEAD", cwd=path)
    assert git("status", "--porcelain", cwd=path) == ""
    assert (path / "src/a.py").read_text() == "A = 1\n"
    assert Path(tree.scratch).is_dir() and not list(Path(tree.scratch).iterdir())


def test_a_tree_knows_no_other_place(shop: Shop) -> None:
    path = Path(shop.tree().path)
    assert git("remote", cwd=path) == ""
    assert str(shop.upstream.bare) not in (path / ".git/config").read_text()
    assert git("for-each-ref", "--format=%(refname)", cwd=path) == "refs/heads/ops/t1/a1-f7"


def test_a_tree_borrows_its_objects(shop: Shop) -> None:
    tree = shop.tree()
    assert tree.objects == (str(shop.mirror / "objects"),)
    assert git("count-objects", cwd=Path(tree.path)).startswith("0 objects")


def test_the_agent_commits_under_the_settings_name(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, settings={"git_name": 'Ops "O" \\ x', "git_email": "ops@example.org"})
    path = Path(shop.tree().path)
    assert git("config", "user.name", cwd=path) == 'Ops "O" \\ x'
    assert git("config", "user.email", cwd=path) == "ops@example.org"


def test_attempts_do_not_share_trees(shop: Shop) -> None:
    first = shop.tree()
    second = shop.tree(KEY.model_copy(update={"attempt": 2, "fence": 8}))
    write(Path(first.path), {"src/a.py": "A = 'changed'\n"})
    assert (Path(second.path) / "src/a.py").read_text() == "A = 1\n"
    assert [key.attempt for _, key in shop.workshop.leftover_trees()] == [1, 2]


def test_a_base_that_only_upstream_has_is_fetched(shop: Shop) -> None:
    shop.base()
    new = advance(shop.upstream, "dev", {"x": "1"})
    tree = shop.workshop.prepare(shop.repo, KEY, new)
    assert (Path(tree.path) / "x").read_text() == "1"


def test_an_unknown_base_is_an_error_and_leaves_no_tree(shop: Shop) -> None:
    with pytest.raises(GitError):
        shop.workshop.prepare(shop.repo, KEY, "0" * 39 + "1")
    assert not (shop.state / "trees" / "app" / "t1-a1-f7").exists()


@pytest.mark.parametrize("task", ["../up", "a/b", "-x", "", "x.lock", "a;id", "é"])
def test_names_that_are_no_folders_are_refused(shop: Shop, task: str) -> None:
    with pytest.raises(GitError, match="not usable as names"):
        shop.workshop.prepare(shop.repo, KEY.model_copy(update={"task": task}), shop.base())
    assert list(shop.workshop.leftover_trees()) == []


def test_what_a_dead_run_left_is_known_and_kept_before_the_tree_is_made_again(shop: Shop) -> None:
    tree = shop.tree()
    write(Path(tree.path), {"src/a.py": "A = 'not committed'\n"})
    assert list(shop.workshop.leftover_trees()) == [("app", KEY)]
    again = shop.tree()
    assert (Path(again.path) / "src/a.py").read_text() == "A = 1\n"
    kept = git("show", "refs/ops/salvage/run-1/t1/a1-f7:src/a.py", cwd=shop.mirror)
    assert kept == "A = 'not committed'"


def test_a_tree_whose_making_was_cut_off_is_made_anew(shop: Shop) -> None:
    base = shop.base()
    folder = shop.state / "trees" / "app"
    (folder / ".t1-a1-f7.new" / ".git").mkdir(parents=True)
    (folder / "t1-a1-f7.json").write_text('{"repo": "app", "ke')
    assert list(shop.workshop.leftover_trees()) == []  # a card that cannot be read names nobody
    tree = shop.workshop.prepare(shop.repo, KEY, base)
    assert git("status", "--porcelain", cwd=Path(tree.path)) == ""


def test_a_card_that_says_another_name_is_not_believed(shop: Shop) -> None:
    tree = shop.tree()
    card = Path(f"{tree.path}.json")
    card.with_name("other.json").write_text(card.read_text())
    assert list(shop.workshop.leftover_trees()) == [("app", KEY)]


def test_discarding_removes_everything_whatever_modes_it_has(shop: Shop) -> None:
    tree = shop.tree()
    locked = Path(tree.path) / "cache" / "inner"
    locked.mkdir(parents=True)
    (locked / "file").touch()
    (Path(tree.path) / "outside").symlink_to(shop.upstream.checkout)
    locked.chmod(0o000)
    locked.parent.chmod(0o500)
    shop.workshop.discard_tree(shop.repo, KEY)
    assert list((shop.state / "trees" / "app").iterdir()) == []
    assert (shop.upstream.checkout / "README.md").exists()
    shop.workshop.discard_tree(shop.repo, KEY)


def test_the_mirror_loses_nothing_to_an_agent_that_deletes_objects(shop: Shop) -> None:
    tree = shop.tree()
    commit(Path(tree.path), {"x": "1"})
    for path in (Path(tree.path) / ".git" / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.unlink()
    assert git("fsck", "--no-dangling", cwd=shop.mirror) == ""
