"""Pushing to a branch of ours: leased, never to anybody else's branch, and found again when it had been done."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ops_orchestrate.adapters.github.publishing import publish, unpublish
from ops_orchestrate.core.change import Landing, LandingEnd
from tests.adapters.gitshop import Shop, make_shop

OURS = "ops/t1/a1"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = make_shop(tmp_path)
    made.base()
    return made


def _commit(shop: Shop, text: str) -> str:
    base = shop.base()
    tree = shop.workshop.tree_of(shop.repo, base)
    return shop.workshop.commit_tree(shop.repo, tree=tree, parents=(base,), message=f"{text}\n", at=1_700_000_000)


def _publish(shop: Shop, commit: str, branch: str = OURS, expected: str = "") -> Landing:
    return publish(shop.workshop.mirrors, shop.repo, commit=commit, branch=branch, expected=expected)


def _upstream(shop: Shop, branch: str = OURS) -> str | None:
    return shop.workshop.mirrors.upstream(shop.repo).heads.get(branch)


def test_a_new_branch_a_newer_head_and_the_same_once_more(shop: Shop) -> None:
    first, second = _commit(shop, "one"), _commit(shop, "two")
    for commit, expected in ((first, ""), (first, ""), (second, first), (second, first)):
        assert _publish(shop, commit, expected=expected).end is LandingEnd.LANDED
        assert _upstream(shop) == commit


def test_a_branch_that_is_not_where_it_was_seen_is_left_alone(shop: Shop) -> None:
    first, second = _commit(shop, "one"), _commit(shop, "two")
    _publish(shop, first)
    for expected in ("", second):
        assert _publish(shop, _commit(shop, "three"), expected=expected).end is LandingEnd.MOVED
    assert _upstream(shop) == first


@pytest.mark.parametrize(
    "branch", ["main", "dev", "feature", "+ops/x", "ops/../main", "-ops/x", "refs/heads/ops/x", "opsx/y"]
)
def test_only_branches_of_ours_are_pushed(shop: Shop, branch: str) -> None:
    before = dict(shop.workshop.mirrors.upstream(shop.repo).heads)
    assert _publish(shop, _commit(shop, "one"), branch).end is LandingEnd.REFUSED
    assert shop.workshop.mirrors.upstream(shop.repo).heads == before


def test_a_hook_that_says_no_is_quoted(shop: Shop) -> None:
    hook = Path(shop.repo.upstream) / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'push declined due to policy' >&2\nexit 1\n")
    hook.chmod(0o755)
    landing = _publish(shop, _commit(shop, "one"))
    assert landing.end is LandingEnd.REFUSED
    assert "push declined due to policy" in landing.detail


def test_an_upstream_that_does_not_answer_is_unknown(shop: Shop) -> None:
    commit = _commit(shop, "one")
    shutil.move(shop.repo.upstream, f"{shop.repo.upstream}.gone")
    assert _publish(shop, commit).end is LandingEnd.UNKNOWN


def _remove(shop: Shop, head: str, branch: str = OURS) -> LandingEnd:
    return unpublish(shop.workshop.mirrors, shop.repo, branch=branch, head=head).end


def test_a_branch_of_ours_is_taken_away_where_it_stands_as_seen(shop: Shop) -> None:
    commit = _commit(shop, "one")
    _publish(shop, commit)
    assert _remove(shop, _commit(shop, "two")) is LandingEnd.MOVED
    assert _upstream(shop) == commit
    assert [_remove(shop, commit) for _ in range(2)] == [LandingEnd.LANDED] * 2
    assert _upstream(shop) is None


@pytest.mark.parametrize("branch", ["main", "dev", "feature", "ops/../main", "opsx/y", "refs/heads/ops/x"])
def test_nobody_elses_branch_is_taken_away(shop: Shop, branch: str) -> None:
    before = dict(shop.workshop.mirrors.upstream(shop.repo).heads)
    assert _remove(shop, shop.base(), branch) is LandingEnd.REFUSED
    assert shop.workshop.mirrors.upstream(shop.repo).heads == before


def test_a_branch_that_the_forge_keeps_is_no_crash(shop: Shop) -> None:
    commit = _commit(shop, "one")
    _publish(shop, commit)
    with (Path(shop.repo.upstream) / "config").open("a") as config:
        config.write("[receive]\n\tdenyDeletes = true\n")
    assert _remove(shop, commit) is LandingEnd.REFUSED
    shutil.move(shop.repo.upstream, f"{shop.repo.upstream}.gone")
    assert _remove(shop, commit) is LandingEnd.UNKNOWN
