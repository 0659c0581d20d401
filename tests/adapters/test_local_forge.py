"""Landing on a git remote: exactly once, by compare-and-set, or a reason and the command that resolves it."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
from pathlib import Path

import pytest

from ops_orchestrate.adapters.forges.local import LocalForge
from ops_orchestrate.core.change import Landing, LandingEnd, MergeIntent
from ops_orchestrate.errors import SourceUnavailable
from tests.adapters.gitshop import KEY, Shop, make_shop, shop_on
from tests.repos import ENV, advance, commit, git, head, read


def prepared(shop: Shop, content: str = "B\n", fence: int = 7) -> MergeIntent:
    """An intent with one attempt's change on today's base."""
    key = KEY.model_copy(update={"fence": fence})
    tree = shop.tree(key)
    commit(Path(tree.path), {"src/b.py": content})
    collected = shop.collect(tree, key=key)
    assert collected.head
    return shop.intent(collected.head, tree.base, message=f"land {fence}")


def run(command: str) -> str:
    """Do what a person is told to do."""
    done = subprocess.run(shlex.split(command), env=ENV, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_landing_is_on_the_branch_with_the_tree_that_was_verified(shop: Shop) -> None:
    forge, intent = LocalForge(shop.workshop), prepared(shop)
    assert forge.may_ship(shop.repo) is None
    assert not forge.proved(shop.repo, intent)
    assert forge.land(shop.repo, intent) == Landing(end=LandingEnd.LANDED)
    assert head(shop.upstream.bare, "dev") == intent.commit
    assert read(shop.upstream.bare, "dev", "src/b.py") == "B"
    assert forge.proved(shop.repo, intent)


def test_landing_again_changes_nothing(shop: Shop) -> None:
    forge, intent = LocalForge(shop.workshop), prepared(shop)
    assert forge.land(shop.repo, intent).end is LandingEnd.LANDED
    assert forge.land(shop.repo, intent).end is LandingEnd.LANDED
    later = advance(shop.upstream, "dev", {"later": "x"})
    assert forge.land(shop.repo, intent).end is LandingEnd.LANDED
    assert head(shop.upstream.bare, "dev") == later
    assert forge.proved(shop.repo, intent)


def test_a_base_that_moved_is_not_overwritten(shop: Shop) -> None:
    forge, intent = LocalForge(shop.workshop), prepared(shop)
    moved = advance(shop.upstream, "dev", {"else": "x"})
    landing = forge.land(shop.repo, intent)
    assert landing.end is LandingEnd.MOVED and moved[:8] in landing.detail
    assert head(shop.upstream.bare, "dev") == moved
    assert not forge.proved(shop.repo, intent)


def test_a_branch_that_is_gone_is_not_made_again(shop: Shop) -> None:
    forge, intent = LocalForge(shop.workshop), prepared(shop)
    git("update-ref", "-d", "refs/heads/dev", cwd=shop.upstream.bare)
    assert forge.land(shop.repo, intent).end is LandingEnd.MOVED
    assert git("for-each-ref", "refs/heads/dev", cwd=shop.upstream.bare) == ""


@pytest.mark.parametrize("same_state", [True, False], ids=["one host", "two hosts"])
def test_of_two_racing_landings_exactly_one_wins(shop: Shop, tmp_path: Path, same_state: bool) -> None:
    other = shop if same_state else shop_on(shop.upstream, tmp_path / "other-host")
    for round_ in range(3):
        pairs = [(shop, prepared(shop, f"one {round_}\n", 10 + round_))]
        pairs.append((other, prepared(other, f"two {round_}\n", 20 + round_)))
        ends = _race(pairs)
        assert sorted(ends) == [LandingEnd.LANDED, LandingEnd.MOVED]
        winner = pairs[ends.index(LandingEnd.LANDED)][1]
        assert head(shop.upstream.bare, "dev") == winner.commit


def _race(pairs: list[tuple[Shop, MergeIntent]]) -> list[LandingEnd]:
    start = threading.Barrier(len(pairs), timeout=60)
    ends: dict[int, LandingEnd] = {}

    def land(number: int, shop: Shop, intent: MergeIntent) -> None:
        start.wait()
        ends[number] = LocalForge(shop.workshop).land(shop.repo, intent).end

    threads = [threading.Thread(target=land, args=(number, *pair)) for number, pair in enumerate(pairs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [ends[number] for number in range(len(pairs))]


def test_the_same_intent_raced_lands_once_and_both_know(shop: Shop) -> None:
    intent = prepared(shop)
    assert _race([(shop, intent), (shop, intent)]) == [LandingEnd.LANDED, LandingEnd.LANDED]
    assert head(shop.upstream.bare, "dev") == intent.commit


@pytest.mark.parametrize("branch", ["+dev", "-x", "refs/heads/dev", "a;id", "a b", "", "../dev", "x" * 300])
def test_a_branch_that_is_no_plain_name_is_refused(shop: Shop, branch: str) -> None:
    intent = prepared(shop).model_copy(update={"branch": branch})
    before = git("for-each-ref", cwd=shop.upstream.bare)
    landing = LocalForge(shop.workshop).land(shop.repo, intent)
    assert landing.end is LandingEnd.REFUSED and "no branch" in landing.detail
    assert git("for-each-ref", cwd=shop.upstream.bare) == before


def test_an_intent_that_is_no_fast_forward_or_another_tree_is_refused(shop: Shop) -> None:
    forge, intent = LocalForge(shop.workshop), prepared(shop)
    aside = shop.workshop.commit_tree(shop.repo, tree=intent.tree, parents=(), message="x\n", at=1)
    other_tree = shop.workshop.tree_of(shop.repo, intent.base)
    for wrong in ({"commit": aside}, {"tree": other_tree}, {"commit": "1" * 40}, {"repo": "other"}):
        landing = forge.land(shop.repo, intent.model_copy(update=wrong))
        assert landing.end is LandingEnd.REFUSED, wrong
    assert head(shop.upstream.bare, "dev") == intent.base


def test_a_checked_out_branch_waits_for_its_person(shop: Shop, tmp_path: Path) -> None:
    own = shop_on(shop.upstream, tmp_path / "own", upstream=str(shop.upstream.checkout))
    forge, intent = LocalForge(own.workshop), prepared(own)
    before = head(shop.upstream.checkout, "dev")
    landing = forge.land(own.repo, intent)
    assert landing.end is LandingEnd.REFUSED
    assert landing.command == f"git -C {shop.upstream.checkout} merge --ff-only {intent.commit}"
    assert head(shop.upstream.checkout, "dev") == before
    assert git("status", "--porcelain", cwd=shop.upstream.checkout) == ""
    assert forge.land(own.repo, intent) == landing  # asking again changes nothing
    run(landing.command)
    assert forge.land(own.repo, intent).end is LandingEnd.LANDED
    assert forge.proved(own.repo, intent)
    assert git("for-each-ref", "refs/heads/ops", cwd=shop.upstream.checkout) == ""


@pytest.mark.parametrize("policy", ["ignore", "warn"])
def test_a_checkout_that_would_let_itself_be_broken_is_protected(shop: Shop, tmp_path: Path, policy: str) -> None:
    git("config", "receive.denyCurrentBranch", policy, cwd=shop.upstream.checkout)
    own = shop_on(shop.upstream, tmp_path / "own", upstream=str(shop.upstream.checkout))
    assert LocalForge(own.workshop).land(own.repo, prepared(own)).end is LandingEnd.REFUSED
    assert git("status", "--porcelain", cwd=shop.upstream.checkout) == ""


def test_a_checkout_that_asks_to_be_updated_is(shop: Shop, tmp_path: Path) -> None:
    git("config", "receive.denyCurrentBranch", "updateInstead", cwd=shop.upstream.checkout)
    own = shop_on(shop.upstream, tmp_path / "own", upstream=str(shop.upstream.checkout))
    assert LocalForge(own.workshop).land(own.repo, prepared(own)).end is LandingEnd.LANDED
    assert (shop.upstream.checkout / "src/b.py").read_text() == "B\n"


def test_a_branch_that_a_linked_worktree_holds(shop: Shop, tmp_path: Path) -> None:
    checkout = shop.upstream.checkout
    git("checkout", "--quiet", "--detach", cwd=checkout)
    git("worktree", "add", "--quiet", tmp_path / "side tree", "dev", cwd=checkout)
    own = shop_on(shop.upstream, tmp_path / "own", upstream=str(checkout))
    landing = LocalForge(own.workshop).land(own.repo, prepared(own))
    assert landing.end is LandingEnd.REFUSED
    run(landing.command)
    assert (tmp_path / "side tree" / "src/b.py").exists()


def test_a_branch_that_nobody_has_checked_out_lands_in_the_repository_itself(shop: Shop, tmp_path: Path) -> None:
    git("checkout", "--quiet", "main", cwd=shop.upstream.checkout)
    own = shop_on(shop.upstream, tmp_path / "own", upstream=str(shop.upstream.checkout))
    intent = prepared(own)
    assert LocalForge(own.workshop).land(own.repo, intent).end is LandingEnd.LANDED
    assert head(shop.upstream.checkout, "dev") == intent.commit


def _hook(shop: Shop, name: str, script: str) -> Path:
    hook = shop.upstream.bare / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)
    return hook


@pytest.mark.parametrize("name", ["pre-receive", "update"])
def test_upstreams_own_protection_is_obeyed(shop: Shop, name: str) -> None:
    intent = prepared(shop)
    hook = _hook(shop, name, "echo 'dev is protected: ask Ada' >&2; exit 1")
    landing = LocalForge(shop.workshop).land(shop.repo, intent)
    assert landing.end is LandingEnd.REFUSED
    assert "hook declined" in landing.detail and "ask Ada" in landing.detail and "\n" not in landing.detail
    assert head(shop.upstream.bare, "dev") == intent.base
    hook.unlink()
    run(landing.command)
    assert head(shop.upstream.bare, "dev") == intent.commit


def test_a_push_whose_answer_is_lost_is_found_landed(shop: Shop) -> None:
    """Upstream takes the commit and then dies: what counts is what the branch says."""
    intent = prepared(shop)
    _hook(shop, "post-receive", "kill -9 $PPID")
    assert LocalForge(shop.workshop).land(shop.repo, intent).end is LandingEnd.LANDED
    assert head(shop.upstream.bare, "dev") == intent.commit


def test_somebody_is_faster_while_upstream_thinks(shop: Shop, tmp_path: Path) -> None:
    intent = prepared(shop)
    advance(shop.upstream, "main", {"faster": "x"})
    faster = head(shop.upstream.bare, "main")
    _hook(shop, "pre-receive", f"unset GIT_QUARANTINE_PATH; git update-ref refs/heads/dev {faster}")
    assert LocalForge(shop.workshop).land(shop.repo, intent).end is LandingEnd.MOVED
    assert head(shop.upstream.bare, "dev") == faster


def test_a_slow_upstream_is_unknown_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    shop = make_shop(tmp_path)
    intent = prepared(shop)
    _hook(shop, "pre-receive", "sleep 30")
    hasty = shop_on(shop.upstream, shop.state, settings={"fetch_timeout": 2})
    landing = LocalForge(hasty.workshop).land(shop.repo, intent)
    assert landing.end is LandingEnd.UNKNOWN and "took longer" in landing.detail
    assert head(shop.upstream.bare, "dev") == intent.base


def test_an_upstream_that_is_away_is_unknown(shop: Shop) -> None:
    forge, intent = LocalForge(shop.workshop), prepared(shop)
    away = shop.upstream.bare.with_name("away")
    shop.upstream.bare.rename(away)
    landing = forge.land(shop.repo, intent)
    assert landing.end is LandingEnd.UNKNOWN and "does not answer" in landing.detail
    with pytest.raises(SourceUnavailable):
        forge.proved(shop.repo, intent)
    away.rename(shop.upstream.bare)
    assert forge.land(shop.repo, intent).end is LandingEnd.LANDED


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere, so nothing is read-only to it")
def test_an_upstream_that_cannot_be_written(shop: Shop) -> None:
    intent = prepared(shop)
    objects = shop.upstream.bare / "objects"
    objects.chmod(0o500)
    landing = LocalForge(shop.workshop).land(shop.repo, intent)
    objects.chmod(0o700)
    assert landing.end is LandingEnd.REFUSED and landing.command
    run(landing.command)
    assert head(shop.upstream.bare, "dev") == intent.commit


def test_a_stale_lock_upstream_is_refused_with_its_name(shop: Shop) -> None:
    intent = prepared(shop)
    lock = shop.upstream.bare / "refs/heads/dev.lock"
    lock.touch()
    landing = LocalForge(shop.workshop).land(shop.repo, intent)
    assert landing.end is LandingEnd.REFUSED
    lock.unlink()
    run(landing.command)
    assert LocalForge(shop.workshop).land(shop.repo, intent).end is LandingEnd.LANDED


def test_promotion_by_a_merge_commit(shop: Shop) -> None:
    advance(shop.upstream, "dev", {"src/b.py": "B\n"})
    dev, main = shop.base("dev"), shop.base("main")
    tree = shop.workshop.preview(shop.repo, main, dev).tree
    merge = shop.workshop.commit_tree(shop.repo, tree=tree, parents=(main, dev), message="promote\n", at=1)
    intent = MergeIntent(repo="app", branch="main", base=main, head=dev, tree=tree, commit=merge, method="merge")
    forge = LocalForge(shop.workshop)
    assert forge.land(shop.repo, intent).end is LandingEnd.LANDED
    assert forge.proved(shop.repo, intent)
    assert git("log", "-1", "--format=%P", "main", cwd=shop.upstream.bare) == f"{main} {dev}"


def test_what_is_not_to_be_shipped_this_way_is_never_pushed(shop: Shop) -> None:
    intent = prepared(shop)
    forge = LocalForge(shop.workshop, unshippable=lambda repo: f"{repo.name} is shipped elsewhere")
    assert forge.may_ship(shop.repo) == "app is shipped elsewhere"
    assert forge.land(shop.repo, intent).end is LandingEnd.REFUSED
    assert head(shop.upstream.bare, "dev") == intent.base
