"""Admission: never more than fit, never two writers of one file, never an idle slot beside work that fits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.admission import choose, room
from ops_orchestrate.core.board import MAX_AGENTS, Board, Candidate, Owner, Slot
from ops_orchestrate.core.ownership import overlap

NOW = 1_700_000_000.0


def one(task: str, repo: str = "", paths: tuple[str, ...] = (), **kw: Any) -> Candidate:
    """A candidate in a repository of its own unless told otherwise."""
    return Candidate(run="r", task=task, repo=repo or task, paths=paths, offered_at=NOW, **kw)


def slot(index: int, task: str = "") -> Slot:
    """A taken slot."""
    return Slot(index=index, run="r", task=task or f"s{index}", attempt=1, fence=1, taken_at=NOW, lease_until=NOW + 60)


def owner(repo: str, paths: tuple[str, ...] = ()) -> Owner:
    """A writer at work."""
    return Owner(repo=repo, run="r", task=f"writer of {repo}", fence=1, paths=paths, lease_until=NOW + 60)


def board(*candidates: Candidate, **kw: Any) -> Board:
    """A board with room for five."""
    return Board(**({"version": 1, "now": NOW, "cap": 5, "capacity": 9, "candidates": candidates} | kw))


def chosen(*candidates: Candidate, **kw: Any) -> list[str]:
    """The tasks that would be granted."""
    return [found.candidate.task for found in choose(board(*candidates, **kw), NOW)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 5),
        ({"cap": 2}, 2),
        ({"cap": 50}, 5),
        ({"cap": 0}, 0),
        ({"capacity": 1}, 1),
        ({"capacity": 0}, 0),
        ({"slots": (slot(0), slot(1))}, 3),
        ({"slots": tuple(slot(i) for i in range(7))}, 0),
        ({"slots": (slot(0), slot(1)), "cap": 3, "capacity": 2}, 1),
        ({"quiet_until": NOW + 0.1}, 0),
        ({"quiet_until": NOW}, 5),
    ],
)
def test_how_many_agents_may_start(fields: dict[str, Any], expected: int) -> None:
    assert room(board(**fields), NOW) == expected
    assert len(chosen(*(one(f"t{i}") for i in range(20)), **fields)) == expected


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        ((), (), False),
        (("src/",), (), False),
        ((), ("src/",), False),
        (("src/",), ("src/x.py",), False),
        (("src/",), ("docs/",), True),
    ],
)
def test_two_writers_of_one_repository_need_disjoint_paths(a: tuple[str, ...], b: tuple[str, ...], both: bool) -> None:
    assert len(chosen(one("a", "app", a), one("b", "app", b))) == 1 + both
    assert len(chosen(one("b", "app", b), owners=(owner("app", a),), slots=(slot(0),))) == both


def test_a_busy_repository_is_passed_over_and_holds_no_slot() -> None:
    found = chosen(one("a", "hot"), one("b", "hot"), one("c", "cold"), repo_work={"hot": 9000.0}, cap=2)
    assert sorted(found) == ["a", "c"]


def test_a_task_that_holds_a_slot_is_not_started_again() -> None:
    assert chosen(one("a"), slots=(slot(0, "a"),)) == []
    assert chosen(one("a", "x"), one("a", "y")) == ["a"]


PATHS = st.sampled_from([(), ("src/",), ("src/a.py",), ("docs/",), ("*.md",), ("lib/x", "docs/y.md")])
REPOS = st.sampled_from("xyz")
CANDIDATES = st.lists(
    st.builds(one, st.sampled_from([f"t{i}" for i in range(12)]), REPOS, PATHS, priority=st.sampled_from(["P0", "P2"])),
    max_size=12,
    unique_by=lambda candidate: candidate.task,
)
OWNERS = st.lists(st.builds(owner, REPOS, PATHS), max_size=3)


@given(CANDIDATES, OWNERS, st.integers(0, 7), st.integers(0, 7), st.integers(0, 6), st.data())
def test_the_laws_of_admission(
    candidates: list[Candidate], owners: list[Owner], cap: int, capacity: int, taken: int, data: st.DataObject
) -> None:
    fields = {
        "cap": cap,
        "capacity": capacity,
        "owners": tuple(owners),
        "slots": tuple(slot(i) for i in range(taken)),
    }
    picks = [pick.candidate for pick in choose(board(*candidates, **fields), NOW)]
    free = max(0, min(min(cap, MAX_AGENTS) - taken, capacity))
    # Never over the cap, never over the capacity.
    assert len(picks) <= free
    # Never two writers of one path, and never one thing twice.
    writers = [*((o.repo, o.paths) for o in owners), *((p.repo, p.paths) for p in picks)]
    for at, pick in enumerate(picks):
        others = writers[: len(owners) + at]
        assert not any(repo == pick.repo and overlap(paths, pick.paths) for repo, paths in others)
    assert len({pick.task for pick in picks}) == len(picks)
    # Work-conserving: whoever is left does not fit, or no slot is free.
    for left in candidates:
        if left not in picks and len(picks) < free:
            assert any(repo == left.repo and overlap(paths, left.paths) for repo, paths in writers)
    # Deterministic, whatever order the candidates come in.
    again = choose(board(*data.draw(st.permutations(candidates)), **fields), NOW)
    assert [pick.candidate for pick in again] == picks
