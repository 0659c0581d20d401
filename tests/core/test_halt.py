"""When a run ends, and how. Never while anything is in flight, due or admissible."""

from __future__ import annotations

from itertools import product

import pytest

from ops_orchestrate.core.halt import finish_state
from ops_orchestrate.core.states import FINAL, RUN_OPEN, RunState, TaskState

S = TaskState


def finish(
    counts: dict[TaskState, int],
    candidates: int = 0,
    in_flight: int = 0,
    snoozed: int = 0,
    beyond: int = 0,
    stop: str = "",
) -> tuple[RunState, str] | None:
    return finish_state(
        counts=counts, candidates=candidates, in_flight=in_flight, snoozed=snoozed, beyond_waves=beyond, stop=stop
    )


@pytest.mark.parametrize(
    ("counts", "kw", "state"),
    [
        ({}, {}, RunState.DONE),
        ({S.COMPLETED: 3, S.CANCELLED: 1}, {}, RunState.DONE),
        ({S.COMPLETED: 3, S.BLOCKED: 1}, {}, RunState.HALTED),
        ({S.DISCARDED: 1, S.QUEUED: 2}, {}, RunState.HALTED),
        ({S.QUEUED: 2}, {"beyond": 2}, RunState.HALTED),
        ({S.QUEUED: 2}, {"stop": "salvage"}, RunState.STOPPED),
        ({S.QUEUED: 2}, {"stop": "now", "candidates": 2}, RunState.STOPPED),
        ({S.QUEUED: 2}, {"candidates": 1}, None),
        ({S.BLOCKED: 2}, {"in_flight": 1}, None),
        ({S.BLOCKED: 2}, {"snoozed": 1}, None),
        ({S.QUEUED: 2}, {"stop": "now", "in_flight": 1}, None),
    ],
)
def test_how_it_ends(counts: dict[TaskState, int], kw: dict[str, int | str], state: RunState | None) -> None:
    ending = finish(counts, **kw)  # type: ignore[arg-type]  # the table mixes the types of the keywords
    assert (ending[0] if ending else None) is state


@pytest.mark.parametrize(
    ("counts", "skipped", "words"),
    [
        ({S.COMPLETED: 1}, 2, "every task has ended"),
        ({}, 2, "there was nothing for it to do; 2 skipped"),  # another run's, or done already
        ({S.COMPLETED: 0}, 0, "there was nothing to do"),
    ],
)
def test_a_run_without_a_task_does_not_speak_of_any(counts: dict[TaskState, int], skipped: int, words: str) -> None:
    ending = finish_state(counts=counts, candidates=0, in_flight=0, snoozed=0, beyond_waves=0, stop="", skipped=skipped)
    assert ending == (RunState.DONE, words)


def test_a_halt_says_what_for() -> None:
    ending = finish({S.BLOCKED: 2, S.QUEUED: 5, S.DISCARDED: 1}, beyond=3)
    assert ending is not None
    assert ending[1] == "2 wait for you, 2 behind what has not been done, 1 given up, 3 beyond --max-waves"


def test_tasks_that_only_money_keeps_from_starting_halt_the_run_and_are_told_first() -> None:
    ending = finish_state(
        counts={S.BLOCKED: 1, S.QUEUED: 5},
        candidates=0,
        in_flight=0,
        snoozed=0,
        beyond_waves=1,
        stop="",
        short=(3, "the day's budget is used"),
    )
    assert ending is not None
    state, reason = ending
    assert state is RunState.HALTED
    assert reason == (
        "3 waiting: the day's budget is used, 1 waits for you, 1 behind what has not been done, 1 beyond --max-waves"
    )


def test_over_the_whole_product() -> None:
    for queued, blocked, completed, candidates, in_flight, snoozed, stop in product(
        (0, 2), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1), ("", "salvage", "now")
    ):
        counts = {S.QUEUED: queued, S.BLOCKED: blocked, S.COMPLETED: completed}
        ending = finish(counts, candidates, in_flight, snoozed, 0, stop)
        busy = bool(in_flight or snoozed or (candidates and not stop))
        assert (ending is None) is busy
        if ending is None:
            continue
        state, reason = ending
        assert state not in RUN_OPEN
        assert reason
        assert (state is RunState.STOPPED) is bool(stop)
        if state is RunState.DONE:
            assert all(kind in FINAL for kind, count in counts.items() if count)


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"promotion": 1}, "1 promotion waits for you"),
        ({"promotion": 2}, "2 promotions wait for you"),
        ({"revert": 1, "back-merge": 2, "promotion": 0}, "2 back-merges wait for you, 1 revert waits for you"),
    ],
)
def test_a_change_of_the_runs_own_that_waits_for_a_person_is_no_done(own: dict[str, int], words: str) -> None:
    ending = finish_state(
        counts={S.COMPLETED: 2}, candidates=0, in_flight=0, snoozed=0, beyond_waves=0, stop="", own=own
    )
    assert ending == (RunState.HALTED, words)
