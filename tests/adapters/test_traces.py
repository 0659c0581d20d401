"""What earlier runs left in a repository is found by name and trailer, and believed only where it is well formed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.adapters import traces
from ops_orchestrate.core.change import OwnBranch
from ops_orchestrate.core.mark import Print
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
            fence=7,
            ref="refs/ops/attempts/run-1/t1/a1-f7",
            head=delivered,
            merged=merged,
            prints=(Print("abc123"),),
        ),
        OwnBranch(run="run-1", task="t2", attempt=2, fence=9, ref="refs/ops/salvage/run-1/t2/a2-f9", head=kept),
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
            prints=(Print("abc123"),),
        )
    ]


def test_only_the_attempt_that_the_trailer_names_was_merged(shop: Shop) -> None:
    tree = shop.tree()
    commit(Path(tree.path), {"src/b.py": "B\n"})
    shop.collect(tree)
    advance(shop.upstream, "dev", {"x": "1"}, TRAILERS.replace("Ops-Run", "Ops-Attempt: 2\nOps-Run"))
    shop.workshop.refresh(shop.repo)
    found = shop.workshop.own_branches(shop.repo)
    assert [(one.attempt, bool(one.merged)) for one in found] == [(2, True), (1, False)]


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
    assert [one.prints for one in shop.workshop.own_branches(shop.repo)] == [()]


def test_a_merge_on_main_is_found_where_dev_has_it_not(shop: Shop) -> None:
    merged = advance(shop.upstream, "main", {"x": "1"}, TRAILERS)
    shop.workshop.refresh(shop.repo)
    (found,) = shop.workshop.own_branches(shop.repo)
    assert (found.merged, found.ref, found.prints) == (merged, "refs/remotes/origin/main", (Print("abc123"),))


def test_a_main_branch_that_is_not_there_keeps_nothing_from_being_found(shop: Shop) -> None:
    advance(shop.upstream, "dev", {"x": "1"}, TRAILERS)
    shop.workshop.refresh(shop.repo)
    (found,) = shop.workshop.own_branches(shop.repo.model_copy(update={"main": "trunk"}))
    assert found.task == "t1"


def test_what_people_write_around_the_lines_hides_nothing(shop: Shop) -> None:
    other = TRAILERS.replace("t1", "t2").replace("abc123", "def456")
    text = f"Two at once (#9)\n\n* {TRAILERS}\n* {other}\nand a last word\n\nCo-authored-by: Rita <rita@example.com>\n"
    merged = advance(shop.upstream, "dev", {"x": "1"}, text)
    shop.workshop.refresh(shop.repo)
    found = shop.workshop.own_branches(shop.repo)
    assert [(one.task, one.merged, one.prints) for one in found] == [
        ("t1", merged, (Print("abc123"),)),
        ("t2", merged, (Print("def456"),)),
    ]


def test_of_two_attempts_the_one_whose_fence_the_merge_names_is_merged(shop: Shop) -> None:
    second = KEY.model_copy(update={"attempt": 2, "fence": 9})
    for key in (KEY, second):
        tree = shop.tree(key)
        commit(Path(tree.path), {f"src/{key.fence}.py": "x\n"})
        shop.collect(tree, key=key)
    advance(shop.upstream, "dev", {"x": "1"}, TRAILERS.replace("Ops-Run", "Ops-Attempt: a2-f9\nOps-Run"))
    shop.workshop.refresh(shop.repo)
    found = shop.workshop.own_branches(shop.repo)
    assert [(one.fence, bool(one.merged)) for one in found] == [(9, True), (7, False)]


def test_a_branch_that_names_no_run_is_no_part_of_a_merge_with_another_fence(shop: Shop) -> None:
    """A person may choose the same task id again: the branch may be a later run's, and is not to go as merged."""
    advance(shop.upstream, "dev", {"x": "1"}, TRAILERS.replace("Ops-Run", "Ops-Attempt: a1-f7\nOps-Run"))
    git("update-ref", "refs/heads/ops/t1/a1-f8", head(shop.upstream.bare, "dev"), cwd=shop.upstream.bare)
    shop.workshop.refresh(shop.repo)
    found = shop.workshop.own_branches(shop.repo)
    assert [(one.fence, bool(one.merged)) for one in found] == [(7, True), (8, False)]


def test_both_bounds_keep_the_newest(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        advance(shop.upstream, "dev", {"x": str(number)}, TRAILERS.replace("t1", f"t{number}"))
    shop.workshop.refresh(shop.repo)
    monkeypatch.setattr(traces, "COMMITS", 3)
    found = [one.task for one in shop.workshop.own_branches(shop.repo)]
    assert (found[:2], "t0" in found) == (["t3", "t2"], False)
    monkeypatch.setattr(traces, "MERGES", 2)
    assert [one.task for one in shop.workshop.own_branches(shop.repo)] == ["t3", "t2"]
