"""A large plan takes its findings in many calls: all of them or none, whoever takes some meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ops_orchestrate.core.states import TaskState
from ops_orchestrate.ledger import Ledger, taking
from tests.laws import examples
from tests.ledger.play import granted, planned

FOUND = [("app", f"fp-{n}") for n in range(7)]
ITEMS = [(*found, f"t{n}", "sha") for n, found in enumerate(FOUND)]
#: In parts of two: four that look, and four that take.
LOOKS, CALLS = 4, 8


class Died(Exception):
    """The planner did."""


@pytest.fixture(autouse=True)
def parts_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "AT_ONCE", 2)


class Watched:
    """The ledger's scripts, with something that happens before the calls of one taker."""

    def __init__(self, ledger: Ledger, before: Callable[[int], object]) -> None:
        self._scripts, self._before, self.calls = ledger._scripts, before, 0

    def __call__(self, name: str, *args: str) -> Any:
        at, self.calls = self.calls, self.calls + 1
        self._before(at)
        return self._scripts(name, *args)


def _take(ledger: Ledger, run: str, items: Any, *, at: int, does: Callable[[], object], over: Any = ()) -> Any:
    """Another planner takes findings; something happens before one of its calls."""

    def before(call: int) -> None:
        if call == at:
            does()

    taker = Ledger(ledger._server.client)
    taker.claims._taking._scripts = Watched(ledger, before)  # type: ignore[assignment]
    return taker.claims.take(run, items, over=over)


def _owners(ledger: Ledger) -> dict[tuple[str, str], tuple[str, str]]:
    return {found: (view.run, view.task) for found, view in ledger.claims.look(FOUND).items()}


def test_all_are_taken(ledger: Ledger) -> None:
    assert _take(ledger, "r1", ITEMS, at=-1, does=list) == {}
    assert _owners(ledger) == {found: ("r1", f"t{n}") for n, found in enumerate(FOUND)}


@pytest.mark.parametrize("at", range(CALLS))
def test_where_another_run_is_faster_with_one_nothing_is_kept(ledger: Ledger, at: int) -> None:
    """What the run had before it has still, as it was."""
    ledger.claims.take("r1", [(*FOUND[0], "old", "sha")])
    faster = FOUND[6]  # the last one that is taken
    refused = _take(ledger, "r1", ITEMS, at=at, does=lambda: ledger.claims.take("r2", [(*faster, "x", "")]))
    assert list(refused) == [faster]
    assert _owners(ledger) == {FOUND[0]: ("r1", "old"), faster: ("r2", "x")}


class Turns:
    """Two takers whose calls come in the order of a schedule; who has ended is not waited for."""

    def __init__(self, schedule: list[int]) -> None:
        self._schedule, self._ended, self._changed = schedule, set[int](), threading.Condition()

    def wait(self, who: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._next(who) == who, 30)
            self._schedule[:1] = []
            self._changed.notify_all()

    def end(self, who: int) -> None:
        with self._changed:
            self._ended.add(who)
            self._changed.notify_all()

    def _next(self, who: int) -> int:
        """Whose turn it is; nobody's in particular where the schedule is over."""
        while self._schedule and self._schedule[0] in self._ended:
            self._schedule.pop(0)
        return self._schedule[0] if self._schedule else who


def _both(client: Any, turns: Turns, wanted: list[list[Any]]) -> list[Any]:
    def takes(who: int) -> Any:
        taker = Ledger(client)
        taker.claims._taking._scripts = Watched(taker, lambda _: turns.wait(who))  # type: ignore[assignment]
        try:
            return taker.claims.take(f"r{who}", wanted[who])
        finally:
            turns.end(who)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(takes, range(2)))


wants = st.lists(st.sampled_from(range(7)), min_size=3, unique=True)
EVERY = list(range(7))


@settings(max_examples=examples(25))
@given(first=wants, second=wants, schedule=st.lists(st.integers(0, 1), max_size=20))
@example(first=EVERY, second=EVERY[::-1], schedule=[0, 1] * 10)
def test_of_two_runs_one_has_all_that_both_want(
    server_url: str, first: list[int], second: list[int], schedule: list[int]
) -> None:
    """However their calls come one after the other, and in whatever order they name what they want."""
    client = redis.Redis.from_url(server_url, decode_responses=True)
    client.flushall()
    ledger = Ledger(client)
    wanted = [[(*FOUND[n], f"{who}t{n}", "") for n in numbers] for who, numbers in enumerate((first, second))]
    refused = _both(client, Turns(schedule), wanted)
    if not set(first) & set(second):
        assert refused == [{}, {}]
    assert not all(refused), "each has kept the other from something"
    expected = {}
    for who, numbers in enumerate((first, second)):
        if not refused[who]:
            expected |= {FOUND[n]: (f"r{who}", f"{who}t{n}") for n in numbers}
    assert set(first) & set(second) == set() or any(refused)
    assert _owners(ledger) == expected
    client.close()


@pytest.mark.parametrize("at", range(CALLS))
def test_one_that_died_over_it_is_followed_by_one_that_has_them_all(ledger: Ledger, at: int) -> None:
    def dies() -> None:
        raise Died

    with pytest.raises(Died):
        _take(ledger, "r1", ITEMS, at=at, does=dies)
    assert {run for run, _ in _owners(ledger).values()} <= {"r1"}
    assert ledger.claims.take("r1", ITEMS) == {}
    assert _owners(ledger) == {found: ("r1", f"t{n}") for n, found in enumerate(FOUND)}


@pytest.mark.parametrize(("at", "taken"), [(LOOKS, False), (CALLS, True)])
def test_what_is_started_meanwhile_is_not_taken_over(ledger: Ledger, at: int, taken: bool) -> None:
    """What is taken over comes last, in one call with the end of its task: so none was ended for nothing."""
    planned(ledger)
    ledger.claims.take("r1", [(*FOUND[3], "t1", "")])
    refused = _take(ledger, "r2", ITEMS, at=at, does=lambda: granted(ledger), over=[("r1", "t1")])
    assert list(refused) == ([] if taken else [FOUND[3]])
    assert {run for run, _ in _owners(ledger).values()} == {"r2" if taken else "r1"}
    assert ledger.tasks.get("r1", "t1").state is (TaskState.CANCELLED if taken else TaskState.RUNNING)
