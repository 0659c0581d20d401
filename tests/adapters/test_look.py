"""A look at the user's checkout in every state people leave it in (cases D46, D47), without a trace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ops_orchestrate.core.change import WorkState
from ops_orchestrate.errors import GitError
from tests.adapters.gitshop import Shop, make_shop
from tests.repos import commit, git, write


def look(shop: Shop, path: Path | None = None) -> WorkState:
    return shop.workshop.look(shop.repo.model_copy(update={"path": str(path or shop.upstream.checkout)}))


def test_a_clean_checkout(shop: Shop) -> None:
    state = look(shop)
    head = git("rev-parse", "HEAD", cwd=shop.upstream.checkout)
    assert state == WorkState(path=str(shop.upstream.checkout), branch="dev", head=head)


def test_uncommitted_unpushed_and_stashed_work_is_counted(shop: Shop) -> None:
    checkout = shop.upstream.checkout
    write(checkout, {"stashed.txt": "x"})
    git("stash", "--include-untracked", cwd=checkout)
    commit(checkout, {"src/b.py": "B = 1\n"})
    commit(checkout, {"src/c.py": "C = 1\n"})
    write(checkout, {"src/a.py": "A = 2\n", "new\nname.txt": "x", "folder/x": "x", "folder/y": "y"})
    git("mv", "README.md", "READ ME.md", cwd=checkout)
    state = look(shop)
    # a.py, the name with a newline, the folder as one, and a rename as the two paths it touches
    assert (state.uncommitted, state.unpushed, state.stash) == (5, 2, 1)


def test_what_the_user_ignores_everywhere_is_not_counted(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ignore").write_text("*.scratch\n")
    (tmp_path / "gitconfig").write_text(f"[core]\n\texcludesFile = {tmp_path / 'ignore'}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    write(shop.upstream.checkout, {"my.scratch": "x"})
    assert look(shop).uncommitted == 0


def test_detached(shop: Shop) -> None:
    git("checkout", "--quiet", "--detach", cwd=shop.upstream.checkout)
    state = look(shop)
    assert state.branch is None and state.head and state.unpushed == 0


def test_unborn(shop: Shop, tmp_path: Path) -> None:
    git("init", "--quiet", "--initial-branch=trunk", tmp_path / "new")
    state = look(shop, tmp_path / "new")
    assert (state.branch, state.head, state.unpushed) == ("trunk", None, 0)


def test_a_branch_without_an_upstream_counts_what_no_remote_has(shop: Shop) -> None:
    checkout = shop.upstream.checkout
    git("checkout", "--quiet", "-b", "topic", "--no-track", cwd=checkout)
    commit(checkout, {"t": "t"})
    assert look(shop).unpushed == 1
    git("remote", "remove", "origin", cwd=checkout)
    assert look(shop).unpushed == 0


def test_an_upstream_branch_that_is_gone(shop: Shop) -> None:
    checkout = shop.upstream.checkout
    git("update-ref", "-d", "refs/remotes/origin/dev", cwd=checkout)
    commit(checkout, {"t": "t"})
    assert look(shop).unpushed == 1


@pytest.mark.parametrize(
    ("verb", "ongoing"), [("merge", "merge"), ("rebase", "rebase"), ("cherry-pick", "cherry-pick")]
)
def test_what_is_in_progress(shop: Shop, verb: str, ongoing: str) -> None:
    checkout = shop.upstream.checkout
    git("checkout", "--quiet", "-b", "other", "main", cwd=checkout)
    commit(checkout, {"src/a.py": "A = 'other'\n"})
    git("checkout", "--quiet", "dev", cwd=checkout)
    commit(checkout, {"src/a.py": "A = 'dev'\n"})
    git(verb, "other", cwd=checkout, check=False)
    state = look(shop)
    assert state.ongoing == ongoing and state.uncommitted == 1


def test_bare(shop: Shop) -> None:
    state = look(shop, shop.upstream.bare)
    assert state.branch == "main" and state.head
    assert state.notes == ("bare: nobody works in it",)


def test_shallow_sparse_and_submodules_are_noted(shop: Shop, tmp_path: Path) -> None:
    commit(shop.upstream.checkout, {"src/b.py": "B = 1\n", ".gitmodules": ""})
    git("push", "--quiet", "origin", "dev", cwd=shop.upstream.checkout)
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--depth=1", "--branch=dev", f"file://{shop.upstream.bare}", clone)
    git("sparse-checkout", "set", "docs", cwd=clone)
    state = look(shop, clone)
    assert [note.split(":")[0] for note in state.notes] == ["shallow", "sparse", "submodules"]
    assert state.uncommitted == 0


def test_a_linked_worktree(shop: Shop, tmp_path: Path) -> None:
    git("worktree", "add", "--quiet", "-b", "side", tmp_path / "side", "dev", cwd=shop.upstream.checkout)
    write(tmp_path / "side", {"x": "x"})
    state = look(shop, tmp_path / "side")
    assert (state.branch, state.uncommitted) == ("side", 1)


def test_a_stale_index_lock_is_noted_and_left(shop: Shop) -> None:
    lock = shop.upstream.checkout / ".git" / "index.lock"
    lock.touch()
    state = look(shop)
    assert [note.split(":")[0] for note in state.notes] == ["index.lock"]
    assert lock.exists()


def test_nothing_is_written(shop: Shop) -> None:
    checkout = shop.upstream.checkout
    touched = checkout / "src" / "a.py"
    os.utime(touched, (1, 1))  # makes the index stale, which a plain `git status` would repair on disk
    before = {path: path.stat().st_mtime_ns for path in checkout.rglob("*")}
    look(shop)
    assert {path: path.stat().st_mtime_ns for path in checkout.rglob("*")} == before


def test_the_users_hooks_and_fsmonitor_do_not_run(shop: Shop, tmp_path: Path) -> None:
    payload = tmp_path / "payload"
    git("config", "core.fsmonitor", f"touch {payload}; false", cwd=shop.upstream.checkout)
    look(shop)
    assert not payload.exists()


@pytest.mark.parametrize("name", ["evil", "e=vil", 'e"vil.x', "Evil"])
@pytest.mark.parametrize("kind", ["clean", "process"])
def test_filters_of_the_repositorys_own_configuration_do_not_run(
    shop: Shop, tmp_path: Path, name: str, kind: str
) -> None:
    checkout, ran = shop.upstream.checkout, tmp_path / "ran"
    quoted = name.replace('"', '\\"')
    with (checkout / ".git/config").open("a") as config:
        config.write(f'[filter "{quoted}"]\n\t{kind} = touch {ran}\n\trequired = true\n')
    (checkout / ".git/info").mkdir(exist_ok=True)
    (checkout / ".git/info/attributes").write_text(f"*.py filter={name}\n")
    (checkout / "src/a.py").write_text("A = 3\n")  # of the same size: git has to read it
    assert look(shop).uncommitted == 1
    assert not ran.exists()


def _behind_an_include(checkout: Path, filters: str) -> None:
    (checkout / ".git/more").write_text(filters)
    git("config", "INCLUDE.path", "more", cwd=checkout)


def _in_the_worktrees_own(checkout: Path, filters: str) -> None:
    git("config", "extensions.worktreeConfig", "true", cwd=checkout)
    (checkout / ".git/config.worktree").write_text(filters)


def _in_another_common_folder(checkout: Path, filters: str) -> None:
    shutil.copytree(checkout / ".git", checkout / ".git/other")
    with (checkout / ".git/other/config").open("a") as config:
        config.write(filters)
    (checkout / ".git/commondir").write_text("other\n")


@pytest.mark.parametrize(
    "hide",
    [_behind_an_include, _in_the_worktrees_own, _in_another_common_folder],
)
def test_filters_that_stand_elsewhere_do_not_run(shop: Shop, tmp_path: Path, hide: Callable[[Path, str], None]) -> None:
    checkout, ran = shop.upstream.checkout, tmp_path / "ran"
    (checkout / ".git/info").mkdir(exist_ok=True)
    (checkout / ".git/info/attributes").write_text("*.py filter=evil\n")
    hide(checkout, f'[Filter "evil"]\n\tclean = touch {ran}\n')
    (checkout / "src/a.py").write_text("A = 3\n")
    git("status", cwd=checkout)
    assert ran.exists(), "git by itself finds that filter"
    ran.unlink()
    (checkout / "src/a.py").write_text("A = 4\n")
    assert look(shop).uncommitted
    assert not ran.exists()


def test_a_plain_checkout_costs_one_git(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, real = tmp_path / "calls", shutil.which("git")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text(f'#!/bin/sh\necho >>{calls}\nexec {real} "$@"\n')
    (tmp_path / "bin/git").chmod(0o755)
    look(shop)  # reads the user's own settings, once for all checkouts
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    look(shop)
    assert len(calls.read_text().splitlines()) == 1


def test_a_folder_inside_a_repository_is_not_taken_for_it(shop: Shop) -> None:
    with pytest.raises(GitError, match="src is not a git repository"):
        look(shop, shop.upstream.checkout / "src")


def test_a_git_folder_without_its_parts_is_one_clear_error(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "broken" / ".git").mkdir(parents=True)
    with pytest.raises(GitError, match="git status: fatal: not a git repository"):
        look(shop, tmp_path / "broken")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_checkout_of_another_user_is_not_read(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    checkout = shop.upstream.checkout
    for path in (checkout, checkout / ".git"):
        os.chown(path, 54321, -1)
    with pytest.raises(GitError, match=f"--add safe.directory {checkout}"):
        look(shop)
    (tmp_path / "gitconfig").write_text(f"[safe]\n\tdirectory = {checkout}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    fresh = make_shop(tmp_path / "second", state="state")
    assert look(fresh, checkout).branch == "dev"
