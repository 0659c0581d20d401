"""What earlier runs left in a repository is found by name and trailer, and believed only where it is well formed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.core.change import OwnBranch
from tests.adapters.gitshop import KEY, Shop
from tests.repos import advance, commit, git, head

TRAILERS = "Squash\n\nText.\n\nOps-Task: t1\nOps-Run: run-1\nOps-Fingerprint: abc123\n"


def test_a_repository_without_traces(shop: Shop) -> None:
    assert list(shop.workshop.own_branches(shop.repo)) == []


def test_attempts_and_merges_are_found(shop: Shop) -> None:
    tree = shop.tree()
    delivered = commit(Path(tree.path), {"src/b.py": "B\n"})
    shop.collect(tree)
    waiting = shop.tree(KEY.model_copy(update={"task": "t2", "attempt": 2, "fence": 9}))
    kept = commit(Path(waiting.path), {"src/c.py": "C\n"})
    shop.salvage(waiting, KEY.model_copy(update={"task": "t2", "attempt": 2, "fence": 9}))
    merged = advance(shop.upstream, "dev", {"src/b.py": "B\n"}, TRAILERS)
    shop.workshop.refresh(shop.repo)
    assert list(shop.workshop.own_branches(shop.repo)) == [
        OwnBranch(
            run="run-1",
            task="t1",
            attempt=1,
            ref="refs/ops/attempts/run-1/t1/a1-f7",
            head=delivered,
            merged=merged,
            fingerprint="abc123",
        ),
        OwnBranch(run="run-1", task="t2", attempt=2, ref="refs/ops/salvage/run-1/t2/a2-f9", head=kept),
    ]


def test_a_merge_of_a_run_that_this_host_never_saw(shop: Shop) -> None:
    merged = advance(shop.upstream, "dev", {"x": "1"}, TRAILERS.replace("Ops-Run", "Ops-Attempt: 3\nOps-Run"))
    advance(shop.upstream, "dev", {"x": "2"}, "work of a person\n\nOps-Taks: no\n")
    shop.workshop.refresh(shop.repo)
    assert list(shop.workshop.own_branches(shop.repo)) == [
        OwnBranch(
            run="run-1",
            task="t1",
            attempt=3,
            ref="refs/remotes/origin/dev",
            head=merged,
            merged=merged,
            fingerprint="abc123",
        )
    ]


def test_only_the_attempt_that_the_trailer_names_was_merged(shop: Shop) -> None:
    tree = shop.tree()
    commit(Path(tree.path), {"src/b.py": "B\n"})
    shop.collect(tree)
    advance(shop.upstream, "dev", {"x": "1"}, TRAILERS.replace("Ops-Run", "Ops-Attempt: 2\nOps-Run"))
    shop.workshop.refresh(shop.repo)
    found = shop.workshop.own_branches(shop.repo)
    assert [(one.attempt, bool(one.merged)) for one in found] == [(1, False), (2, True)]


def test_branches_of_ours_upstream_name_no_run(shop: Shop) -> None:
    dev = head(shop.upstream.bare, "dev")
    for name in ("ops/t3/a1-f4", "ops/land/0123456789ab", "ops/t3/other", "ops/a;id/a1-f4"):
        git("update-ref", f"refs/heads/{name}", dev, cwd=shop.upstream.bare)
    shop.workshop.refresh(shop.repo)
    assert [(one.run, one.task, one.attempt) for one in shop.workshop.own_branches(shop.repo)] == [("", "t3", 1)]


@pytest.mark.parametrize(
    "trailers",
    [
        "Ops-Task: ../../x\nOps-Run: run-1",
        "Ops-Task: t1\nOps-Run: run 1; id",
        "Ops-Task: t1",
        "Ops-Run: run-1",
        "Ops-Task:\nOps-Run:",
    ],
)
def test_malformed_trailers_are_nobodys(shop: Shop, trailers: str) -> None:
    advance(shop.upstream, "dev", {"x": "1"}, f"Squash\n\n{trailers}\n")
    shop.workshop.refresh(shop.repo)
    assert list(shop.workshop.own_branches(shop.repo)) == []


def test_a_fingerprint_that_is_none_is_left_out(shop: Shop) -> None:
    advance(shop.upstream, "dev", {"x": "1"}, TRAILERS.replace("abc123", "a b;c"))
    shop.workshop.refresh(shop.repo)
    assert [one.fingerprint for one in shop.workshop.own_branches(shop.repo)] == [""]
