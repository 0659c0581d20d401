"""Who starts first, and what may and may not change that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.board import Board, Candidate, Owner, Slot, Unmerged
from ops_orchestrate.core.rank import AGING, BONUS_SECONDS, MOST_PLAYED, bonus, first_in_repository, order
from tests.builders import make_project

NOW = 1_700_000_000.0  # 2023-11-14


def one(task: str, path_left: float = 600, **kw: Any) -> Candidate:
    """A candidate in a repository of its own unless told otherwise."""
    return Candidate(**({"run": "r", "task": task, "repo": task, "path_left": path_left, "offered_at": NOW} | kw))


def ordered(*candidates: Candidate, **kw: Any) -> list[str]:
    """The tasks in the order in which they would start."""
    board = Board(**({"version": 1, "now": NOW, "cap": 5, "capacity": 5, "candidates": candidates} | kw))
    return [found.task for found in order(candidates, board, NOW)]


def test_priority_goes_first_then_the_longer_path() -> None:
    found = ordered(one("a", 100), one("b", 900), one("c", 9999, priority="P3"), one("d", 1, priority="P0"))
    assert found == ["d", "b", "a", "c"]


def test_nothing_and_one_need_no_order() -> None:
    assert ordered() == []
    assert ordered(one("a")) == ["a"]


def test_a_hot_repository_goes_first_where_it_ends_later_than_the_path() -> None:
    hot = [one(f"hot{i}", 600, repo="hot") for i in range(6)]
    found = ordered(one("chain", 1200), one("chain2", 1200), *hot, cap=1, repo_work={"hot": 60_000})
    assert found[0] == "hot0"


#: The hot repository has more left than the chain, but its first task is long and the chain's is short.
CHAIN = one("chain", 5000, estimate=100)
HOT = one("hot", 1000, repo="hot", estimate=1000)
HOT_WORK = {"hot": 5200.0}


def test_the_path_goes_first_where_that_ends_sooner() -> None:
    assert ordered(CHAIN, HOT, cap=1, repo_work=HOT_WORK) == ["chain", "hot"]


def test_a_board_too_large_to_play_takes_the_larger_of_both() -> None:
    many = [one(f"t{i}", 1, priority="P3") for i in range(MOST_PLAYED)]
    assert ordered(CHAIN, HOT, *many, cap=1, repo_work=HOT_WORK)[:2] == ["hot", "chain"]


def test_present_writers_are_part_of_the_game() -> None:
    assert ordered(CHAIN, HOT, cap=2, repo_work=HOT_WORK) == ["hot", "chain"]  # both start at once
    slot = Slot(index=0, run="r", task="w", attempt=1, fence=1, taken_at=NOW - 100, lease_until=NOW + 60)
    writer = Owner(repo="elsewhere", run="r", task="w", fence=1, lease_until=NOW + 60)
    assert ordered(CHAIN, HOT, cap=2, repo_work=HOT_WORK, slots=(slot,), owners=(writer,)) == ["chain", "hot"]


def test_where_nothing_is_declared_an_unmerged_change_only_settles_a_tie() -> None:
    """A busy repository always has one: the work that is the bottleneck would always come last."""
    waiting = Unmerged(run="r1", task="made", repo="app")
    assert ordered(one("hot", 900, repo="app"), one("b", 600, repo="b"), unmerged=(waiting,)) == ["hot", "b"]
    assert ordered(one("a", 600, repo="app"), one("b", 600, repo="b"), unmerged=(waiting,)) == ["b", "a"]


def test_work_that_meets_an_unmerged_change_comes_after_work_that_does_not() -> None:
    waiting = Unmerged(run="r", task="done", repo="app", paths=("src/",))
    meets = one("meets", 9000, repo="app", paths=("src/a.py",))
    beside = one("beside", 10, repo="app", paths=("docs/",))
    elsewhere = one("elsewhere", 5, paths=("src/a.py",))
    assert ordered(meets, beside, elsewhere, unmerged=(waiting,)) == ["beside", "elsewhere", "meets"]
    assert ordered(meets, one("late", priority="P3"), unmerged=(waiting,)) == ["meets", "late"]


def test_a_tasks_own_change_is_no_reason_to_wait() -> None:
    own = Unmerged(run="r", task="again", repo="again")
    assert ordered(one("again", 900), one("b", 600), unmerged=(own,)) == ["again", "b"]


def test_waiting_raises_rank_inside_a_priority_and_never_across() -> None:
    young, seconds = one("young", 700), 100 / AGING
    assert ordered(young, one("old", 600, offered_at=NOW - seconds + 60)) == ["young", "old"]
    assert ordered(young, one("old", 600, offered_at=NOW - seconds - 60)) == ["old", "young"]
    assert ordered(young, one("old", 600, offered_at=0.0, priority="P3")) == ["young", "old"]


def test_in_a_hot_repository_the_longer_path_goes_before_the_longer_wait() -> None:
    """The work left there is the score of all of them; how much waits behind each is what tells them apart."""
    waits, leads = one("waits", 600, repo="hot", offered_at=NOW - 60), one("leads", 900, repo="hot")
    assert ordered(waits, leads, repo_work={"hot": 9000.0}) == ["leads", "waits"]
    old = one("old", 600, repo="hot", offered_at=NOW - 7200)
    assert ordered(old, leads, repo_work={"hot": 9000.0}) == ["old", "leads"], "waiting still counts"


CANDIDATES = st.lists(
    st.builds(
        one,
        st.sampled_from([f"t{i}" for i in range(8)]),
        st.integers(1, 5000).map(float),
        repo=st.sampled_from("xyz"),
        priority=st.sampled_from(["P0", "P1", "P2"]),
        estimate=st.integers(1, 900).map(float),
        offered_at=st.integers(0, 9000).map(lambda ago: NOW - ago),
    ),
    max_size=8,
    unique_by=lambda candidate: candidate.task,
)


@given(
    CANDIDATES, st.dictionaries(st.sampled_from("xyz"), st.integers(0, 20_000).map(float)), st.integers(1, 5), st.data()
)
def test_the_order_is_a_permutation_that_depends_on_the_board_alone(
    candidates: list[Candidate], work: dict[str, float], cap: int, data: st.DataObject
) -> None:
    found = ordered(*candidates, repo_work=work, cap=cap)
    assert sorted(found) == sorted(candidate.task for candidate in candidates)
    shuffled = data.draw(st.permutations(candidates))
    assert ordered(*shuffled, repo_work=work, cap=cap) == found
    by_task = {candidate.task: candidate.priority for candidate in candidates}
    assert [by_task[task] for task in found] == sorted(by_task.values())


def test_a_first_task_ranks_above_everything_in_its_repository_only() -> None:
    ranks = first_in_repository({"a": 5, "b": 50, "c": 99}, {"a": "x", "b": "x", "c": "y"}, ["a"])
    assert ranks == {"a": 51, "b": 50, "c": 99}


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"priority": 1}, {"priority": 2, "stage": "production", "deadline": "2023-11-14"}),
        ({"stage": "production"}, {"stage": "growth", "deadline": "2023-11-14"}),
        ({"stage": "growth"}, {"stage": "pre-launch"}),
        ({"stage": "development"}, {"stage": "unheard-of"}),
        ({"deadline": "2023-11-14"}, {"deadline": "2023-12-14"}),
        ({"deadline": "2023-12-14"}, {"deadline": "2024-06-01"}),
    ],
)
def test_the_bonus_reads_priority_then_stage_then_deadline(better: dict[str, Any], worse: dict[str, Any]) -> None:
    high, low = (bonus(make_project(**fields), NOW) for fields in (better, worse))
    assert BONUS_SECONDS > high > low >= 0


@pytest.mark.parametrize("deadline", [None, "", "soon", "2023-13-45", "2030-01-01"])
def test_no_readable_or_near_deadline_adds_nothing(deadline: str | None) -> None:
    assert bonus(make_project(deadline=deadline), NOW) == bonus(make_project(), NOW)


def test_past_deadlines_count_like_due_ones() -> None:
    assert bonus(make_project(deadline="2020-01-01"), NOW) == bonus(make_project(deadline="2023-11-14"), NOW)
