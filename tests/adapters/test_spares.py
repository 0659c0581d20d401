"""A spare tree is what a new clone would be, and nothing of an earlier agent is ever in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_orchestrate.adapters import spares
from ops_orchestrate.adapters.filelock import opened, try_lock
from ops_orchestrate.core.attempt import StageKey
from tests.adapters.gitshop import KEY, Shop, make_shop, shop_on
from tests.repos import advance, git, write


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spares, "LARGE", 2)


def number(attempt: int) -> StageKey:
    return KEY.model_copy(update={"attempt": attempt, "fence": 10 + attempt})


def spare_of(shop: Shop) -> Path:
    return shop.state / "trees" / "app" / ".spare"


def prepared(shop: Shop, attempt: int, base: str = "") -> Path:
    """The attempt's tree, once the next spare is there."""
    path = Path(shop.workshop.prepare(shop.repo, number(attempt), base or shop.base()).path)
    for thread in threading.enumerate():
        if thread.name == "spare-app":
            thread.join(60)
    return path


def content(tree: Path) -> dict[str, tuple[str, object]]:
    """Everything in a tree: kind, mode and bytes by path. Of the index what it lists; of a reflog no dates."""
    found: dict[str, tuple[str, object]] = {}
    for path in _walk(tree):
        name = str(path.relative_to(tree)).replace(git("symbolic-ref", "--short", "HEAD", cwd=tree), "BRANCH")
        mode = oct(path.lstat().st_mode)
        if path.is_symlink():
            found[name] = (mode, path.readlink())
        elif path.is_dir():
            found[name] = (mode, None)
        elif name == ".git/index":
            found[name] = (mode, git("ls-files", "--stage", "-v", "-t", cwd=tree))
        elif not name.startswith(".git/logs"):
            data = path.read_text(errors="surrogateescape").replace(git("symbolic-ref", "HEAD", cwd=tree), "BRANCH")
            found[name] = (mode, data)
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)


def ruin(tree: Path) -> None:
    """What a hostile agent may leave behind in its own tree."""
    hook = tree / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    write(hook.parent, {hook.name: "#!/bin/sh\ntouch /tmp/owned\n"})
    hook.chmod(0o755)
    git("config", "core.fsmonitor", "touch owned", cwd=tree)
    git("config", "filter.x.smudge", "touch owned", cwd=tree)
    write(
        tree, {".git/info/attributes": "* filter=x\n", ".git/info/exclude": "*\n", "ignored.o": "x", "src/new.py": "x"}
    )
    write(tree, {"src/a.py": "A = 'poisoned'\n"})
    git("update-index", "--assume-unchanged", "src/a.py", cwd=tree)


def test_a_warm_tree_is_a_new_clone_to_the_last_file_whatever_the_agent_before_left(shop: Shop, tmp_path: Path) -> None:
    first = prepared(shop, 1)
    assert spare_of(shop).is_dir()
    clean = content(first)
    ruin(first)
    inode = spare_of(shop).stat().st_ino
    second = prepared(shop, 2)
    assert second.stat().st_ino == inode  # it is the spare
    assert content(second) == clean
    assert git("status", "--porcelain", "--ignored", cwd=second) == ""
    assert git("rev-parse", "--abbrev-ref", "HEAD", cwd=second) == "ops/t1/a2-f12"
    assert git("for-each-ref", "--format=%(refname)", cwd=second) == "refs/heads/ops/t1/a2-f12"


def test_a_warm_tree_stands_at_a_base_that_has_moved_since(shop: Shop) -> None:
    prepared(shop, 1)
    advance(shop.upstream, "dev", {"src/a.py": None, "src/b/c.py": "C = 1\n", "README.md": "changed\n"})
    new = shop.base()
    warm = prepared(shop, 2, new)
    cold = shop_on(shop.upstream, shop.state.parent / "cold", settings={"spare_trees": False})
    fresh = prepared(cold, 2, cold.base())
    alternates = ".git/objects/info/alternates"  # names the mirror, of which each state folder has its own
    assert {**content(warm), alternates: None} == {**content(fresh), alternates: None}


def test_a_spare_is_used_once_and_another_is_made(shop: Shop) -> None:
    inodes = [prepared(shop, attempt).stat().st_ino for attempt in range(1, 5)]
    assert len(set(inodes)) == 4 and spare_of(shop).stat().st_ino not in inodes


def test_one_that_is_just_being_made_is_not_waited_for(shop: Shop) -> None:
    prepared(shop, 1)
    with opened(spare_of(shop).with_name(".spare.lock")) as fd:
        assert try_lock(fd)
        tree = prepared(shop, 2)
    assert git("status", "--porcelain", cwd=tree) == ""
    assert spare_of(shop).is_dir()


def test_what_another_configuration_has_made_is_not_used(shop: Shop) -> None:
    prepared(shop, 1)
    config = spare_of(shop) / ".git" / "config"
    config.write_text(config.read_text() + "[user]\n\tname = Somebody else\n")
    assert "Somebody else" not in (prepared(shop, 2) / ".git" / "config").read_text()


def test_one_that_git_cannot_use_is_thrown_away(shop: Shop) -> None:
    prepared(shop, 1)
    (spare_of(shop) / ".git" / "index").write_text("no index")
    tree = prepared(shop, 2)
    assert git("status", "--porcelain", cwd=tree) == ""


@pytest.mark.parametrize("settings", [{"spare_trees": False}, {"unsandboxed_ok": True}])
def test_none_is_kept_where_that_is_not_wanted_or_not_safe(tmp_path: Path, settings: dict[str, bool]) -> None:
    shop = make_shop(tmp_path, settings=settings)
    prepared(shop, 1)
    assert not spare_of(shop).exists()


def test_one_of_a_repository_that_nobody_works_in_is_forgotten(shop: Shop) -> None:
    prepared(shop, 1)
    made = spare_of(shop).stat().st_mtime
    shop.workshop.tidy(shop.repo, before=made - 1)
    assert spare_of(shop).is_dir()
    shop.workshop.tidy(shop.repo, before=made + 1)
    assert not spare_of(shop).exists()
