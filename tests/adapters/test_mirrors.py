"""Mirrors of upstreams in every state that an upstream can be in (cases D46 to D49, D53)."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from ops_orchestrate.errors import GitError, SourceUnavailable
from tests.adapters.gitshop import Shop, make_shop, shop_on
from tests.repos import Upstream, advance, commit, git, head, push, write


@pytest.fixture(autouse=True)
def _no_user_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path)


def test_a_mirror_follows_its_upstream(shop: Shop) -> None:
    first = shop.base()
    assert first == head(shop.upstream.bare, "dev")
    second = advance(shop.upstream, "dev", {"x": "1"})
    assert shop.workshop.head(shop.repo, "dev") == first  # known only after a refresh
    assert shop.base() == second


def test_branches_come_and_go(shop: Shop) -> None:
    bare = shop.upstream.bare
    git("branch", "topic", "dev", cwd=bare)
    assert shop.base("topic")
    git("branch", "-D", "topic", cwd=bare)
    git("branch", "topic/deeper", "dev", cwd=bare)
    shop.workshop.refresh(shop.repo)
    assert shop.workshop.head(shop.repo, "topic") is None
    assert shop.workshop.head(shop.repo, "topic/deeper")


def test_a_rewritten_branch_is_seen_as_it_is(shop: Shop) -> None:
    shop.base()
    git("checkout", "--quiet", "--orphan", "fresh", cwd=shop.upstream.checkout)
    sha = commit(shop.upstream.checkout, {"z": "z"})
    git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/dev", cwd=shop.upstream.checkout)
    assert shop.base() == sha


def test_the_mirror_is_made_on_first_use_and_holds_no_address(shop: Shop) -> None:
    assert shop.workshop.integration(shop.repo) == "dev"
    assert str(shop.upstream.bare) not in (shop.mirror / "config").read_text()
    assert git("for-each-ref", "--format=%(refname)", "refs/heads", cwd=shop.mirror) == ""


@pytest.mark.parametrize(
    ("branches", "owner", "integration", "main"),
    [
        (("main", "dev"), {}, "dev", "main"),
        (("main",), {}, "main", None),
        (("master", "dev"), {}, "dev", "master"),
        (("trunk",), {}, "trunk", None),
        (("trunk", "main"), {}, "trunk", "main"),
        (("main", "dev", "next"), {"integration": "next"}, "next", "main"),
        (("main", "dev", "live"), {"main": "live"}, "dev", "live"),
        (("main", "dev"), {"integration": "main"}, "main", None),
        (("work", "dev"), {"main": "dev"}, "dev", None),
    ],
)
def test_which_branches_are_integration_and_main(
    tmp_path: Path, branches: tuple[str, ...], owner: dict[str, str], integration: str, main: str | None
) -> None:
    shop = make_shop(tmp_path, branches=branches, **owner)
    assert shop.workshop.integration(shop.repo) == integration
    assert shop.workshop.main(shop.repo) == main


@pytest.mark.parametrize("name", ["gone", "+main", "-x", "a;id", "refs/heads/main", "x" * 300])
def test_an_impossible_integration_branch_is_named(tmp_path: Path, name: str) -> None:
    shop = make_shop(tmp_path, integration=name)
    with pytest.raises(GitError, match=r"app.*integration branch"):
        shop.workshop.integration(shop.repo)
    assert shop.workshop.head(shop.repo, name) is None


def test_odd_branch_names_upstream_do_no_harm(shop: Shop) -> None:
    for name in ("+plus", "a;id", "HEAD", "x" * 200, "DEV"):
        git("update-ref", f"refs/heads/{name}", head(shop.upstream.bare, "main"), cwd=shop.upstream.bare)
    dev = advance(shop.upstream, "dev", {"x": "1"})
    assert shop.base() == dev
    assert shop.workshop.integration(shop.repo) == "dev"
    assert shop.workshop.main(shop.repo) == "main"
    assert shop.workshop.head(shop.repo, "HEAD") is None or shop.base("main")


def test_the_default_branch_may_change(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, branches=("one", "two"))
    assert shop.workshop.integration(shop.repo) == "one"
    git("symbolic-ref", "HEAD", "refs/heads/two", cwd=shop.upstream.bare)
    shop.workshop.refresh(shop.repo)
    assert shop.workshop.integration(shop.repo) == "two"


def test_the_repository_itself_can_be_the_upstream(shop: Shop, tmp_path: Path) -> None:
    own = shop_on(shop.upstream, tmp_path / "other", upstream=str(shop.upstream.checkout))
    sha = commit(shop.upstream.checkout, {"local": "x"})
    assert own.base() == sha
    git("checkout", "--quiet", "--detach", cwd=shop.upstream.checkout)
    assert own.base() == sha


def test_a_file_url(shop: Shop, tmp_path: Path) -> None:
    assert shop_on(shop.upstream, tmp_path / "other", upstream=f"file://{shop.upstream.bare}").base()


def test_a_shallow_upstream(shop: Shop, tmp_path: Path) -> None:
    advance(shop.upstream, "dev", {"x": "1"})
    git("clone", "--quiet", "--depth=1", "--branch=dev", f"file://{shop.upstream.bare}", tmp_path / "shallow")
    own = shop_on(shop.upstream, tmp_path / "other", upstream=str(tmp_path / "shallow"))
    tree = own.tree()
    commit(Path(tree.path), {"y": "2"})
    collected = own.collect(tree)
    assert collected.head and collected.problem == ""
    assert [file.path for file in own.workshop.diff(own.repo, tree.base, collected.head).files] == ["y"]


def test_a_sha256_repository(tmp_path: Path) -> None:
    bare, checkout = tmp_path / "app.git", tmp_path / "app"
    git("init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=dev", bare)
    git("init", "--quiet", "--object-format=sha256", "--initial-branch=dev", checkout)
    git("remote", "add", "origin", bare, cwd=checkout)
    commit(checkout, {"a": "1", "b": "1"})
    push(checkout, "dev")
    shop = shop_on(Upstream(bare, checkout), tmp_path / "state")
    tree = shop.tree()
    commit(Path(tree.path), {"a": "2"})
    write(Path(tree.path), {"b": None})
    collected = shop.collect(tree)
    assert collected.head and len(collected.head) == 64
    assert git("ls-tree", "-r", "--name-only", collected.head, cwd=shop.mirror) == "a"


def test_an_upstream_without_a_commit(tmp_path: Path) -> None:
    bare = tmp_path / "app.git"
    git("init", "--quiet", "--bare", bare)
    shop = shop_on(Upstream(bare, bare), tmp_path / "state")
    with pytest.raises(GitError, match="app has no commit yet"):
        shop.workshop.refresh(shop.repo)
    assert not shop.mirror.exists()


@pytest.mark.parametrize(
    "upstream",
    [
        "/nowhere/app.git",
        "ext::touch payload",
        "-x",
        "--upload-pack=touch payload",
        "http://127.0.0.1:9/x.git",
        "a\nb",
    ],
)
def test_an_upstream_that_cannot_be_asked(tmp_path: Path, upstream: str) -> None:
    shop = make_shop(tmp_path, upstream=upstream)
    with pytest.raises((SourceUnavailable, GitError), match="app"):
        shop.workshop.refresh(shop.repo)
    assert not shop.mirror.exists()
    assert not list(tmp_path.rglob("payload"))


def test_an_upstream_that_goes_away_leaves_the_mirror_as_it_was(shop: Shop) -> None:
    known = shop.base()
    shop.upstream.bare.rename(shop.upstream.bare.with_name("away"))
    with pytest.raises(SourceUnavailable, match="does not answer"):
        shop.workshop.refresh(shop.repo)
    assert shop.workshop.head(shop.repo, "dev") == known


def test_an_upstream_with_a_missing_object_leaves_the_mirror_as_it_was(shop: Shop) -> None:
    known = shop.base()
    advance(shop.upstream, "dev", {"x": "a blob that will be missing"})
    blob = git("rev-parse", "dev:x", cwd=shop.upstream.bare)
    (shop.upstream.bare / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceUnavailable, match="cannot be fetched"):
        shop.workshop.refresh(shop.repo)
    assert shop.workshop.head(shop.repo, "dev") == known


@pytest.mark.parametrize("key", ["../x", "a/b", "-x", "", "x.lock", "."])
def test_a_key_that_is_no_name_makes_no_folder(tmp_path: Path, key: str) -> None:
    shop = make_shop(tmp_path, key=key)
    with pytest.raises(GitError, match="cannot name a mirror"):
        shop.workshop.refresh(shop.repo)


def test_lock_files_of_a_killed_git_are_cleared_when_they_are_old(shop: Shop) -> None:
    shop.base()
    locks = [shop.mirror / "packed-refs.lock", shop.mirror / "refs/remotes/origin/dev.lock"]
    for lock in locks:
        lock.touch()
        os.utime(lock, (time.time() - 60, time.time() - 60))
    young = shop.mirror / "config.lock"
    young.touch()
    new = advance(shop.upstream, "dev", {"x": "1"})
    assert shop.base() == new
    assert not any(lock.exists() for lock in locks)
    assert young.exists()


def test_a_half_made_mirror_of_a_dead_process_is_made_anew(shop: Shop) -> None:
    half = shop.mirror.with_suffix(".new")
    (half / "objects").mkdir(parents=True)
    assert shop.base() == head(shop.upstream.bare, "dev")


def test_many_refreshes_at_once(shop: Shop) -> None:
    problems: list[Exception] = []

    def refresh(number: int) -> None:
        try:
            shop.workshop.refresh(shop.repo)
        except Exception as error:
            problems.append(error)

    advance(shop.upstream, "dev", {"x": "1"})
    threads = [threading.Thread(target=refresh, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert shop.workshop.head(shop.repo, "dev") == head(shop.upstream.bare, "dev")


def test_a_mirror_that_somebody_holds_is_an_error_in_the_end(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, settings={"fetch_timeout": 0.2})
    shop.workshop.mirrors.path(shop.repo).parent.mkdir(parents=True)
    with (
        shop.workshop.mirrors.lock(shop.repo),
        pytest.raises(GitError, match=r"app has been in use for 0\.4 s"),
    ):
        shop.workshop.refresh(shop.repo)
