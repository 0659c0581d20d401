"""Members that start early: what their blockers mean for them, and that they never keep others from working."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.admission import choose
from ops_orchestrate.core.board import Candidate, Slot
from ops_orchestrate.core.early import standing
from ops_orchestrate.core.states import FINAL, IN_FLIGHT, STARTABLE, TaskState
from ops_orchestrate.core.task import TaskRecord
from tests.builders import make_task
from tests.core.test_admission import NOW, board, one, slot


def blocker(state: TaskState, task: str = "api") -> TaskRecord:
    return TaskRecord(run="r1", spec=make_task(task), state=state)


@pytest.mark.parametrize("state", TaskState)
def test_what_one_blocker_means(state: TaskState) -> None:
    found = standing([blocker(TaskState.COMPLETED, "old"), blocker(state)])
    assert found.waits == (("api",) if state in IN_FLIGHT | STARTABLE else ())
    assert found.done is (state is TaskState.COMPLETED)
    assert bool(found.lost) is (state in (FINAL - {TaskState.COMPLETED}) | {TaskState.BLOCKED})


def test_why_it_stops() -> None:
    found = standing([blocker(TaskState.RUNNING, "web"), blocker(TaskState.BLOCKED)])
    assert found.why == "What it was to build on has ended otherwise: api is blocked."
    assert standing([blocker(TaskState.RUNNING, "web")]).why == "waits for web"
    assert standing([]).done


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["plain", "soon"]),
        ({"cap": 3}, ["plain", "soon"]),
        ({"cap": 2}, ["plain"]),
        ({"cap": 1}, ["plain"]),
        ({"capacity": 2}, ["plain"]),
        ({"slots": (slot(1), slot(2), slot(3))}, ["plain"]),
        ({"slots": (slot(1), slot(2))}, ["plain", "soon"]),
    ],
)
def test_an_early_member_never_takes_the_last_slot(fields: dict[str, object], expected: list[str]) -> None:
    candidates = (one("soon", early=True, priority="P0"), one("plain", priority="P3"))
    assert [pick.candidate.task for pick in choose(board(*candidates, **fields), NOW)] == expected


def test_one_alone_starts_where_two_slots_are_free() -> None:
    assert [pick.candidate.task for pick in choose(board(one("soon", early=True), cap=2), NOW)] == ["soon"]
    assert choose(board(one("soon", early=True), cap=1), NOW) == ()


CANDIDATES = st.lists(
    st.builds(
        one,
        st.sampled_from([f"t{i}" for i in range(10)]),
        st.sampled_from("abcd"),
        priority=st.sampled_from(["P0", "P2"]),
        early=st.booleans(),
    ),
    max_size=10,
    unique_by=lambda candidate: candidate.task,
)


@given(CANDIDATES, st.integers(1, 5), st.integers(0, 6), st.integers(0, 4))
def test_early_members_change_nothing_for_the_others(
    candidates: list[Candidate], cap: int, capacity: int, taken: int
) -> None:
    fields = {"cap": cap, "capacity": capacity, "slots": tuple(slot(i) for i in range(taken))}
    picks = [pick.candidate for pick in choose(board(*candidates, **fields), NOW)]
    plain = [candidate for candidate in candidates if not candidate.early]
    assert [pick for pick in picks if not pick.early] == [
        pick.candidate for pick in choose(board(*plain, **fields), NOW)
    ]
    if any(pick.early for pick in picks):
        assert len(picks) < min(cap - taken, capacity)


ACTS = st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=40)


@given(ACTS, st.integers(1, 5))
def test_however_work_comes_and_goes_somebody_can_work_who_waits_for_nobody(
    acts: list[tuple[bool, int]], cap: int
) -> None:
    """Each act offers a candidate, early or not; then the holder at that place, if any, ends."""
    held: dict[str, bool] = {}
    for number, (early, ends) in enumerate(acts):
        slots = tuple(
            Slot(index=i, run="r", task=task, attempt=1, fence=1, taken_at=NOW, lease_until=NOW + 60)
            for i, task in enumerate(held)
        )
        offered = one(f"t{number}", early=early)
        for pick in choose(board(offered, cap=cap, slots=slots), NOW):
            held[pick.candidate.task] = pick.candidate.early
        assert sum(held.values()) < cap
        plain = [task for task, waits in held.items() if not waits]
        if ends < len(plain):  # who waits ends only after somebody who does not
            del held[plain[ends]]
