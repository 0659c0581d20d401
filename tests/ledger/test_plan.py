"""A plan is written in many calls and is there in one step: whoever looks, dies, repeats or plans as well meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import product
from typing import Any

import fakeredis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.errors import UnknownTask
from ops_orchestrate.ledger import Ledger
from ops_orchestrate.ledger import plan as plan_module
from ops_orchestrate.ledger import staging as staging_module
from tests.builders import make_request, make_settlement, make_task
from tests.laws import examples
from tests.ledger.play import kinds, story

SPECS = tuple(
    make_task(f"t{n}", repo=("app", "web", "api")[n % 3], blocked_by=(f"t{n - 1}",) if n % 2 else (), estimate=60.0)
    for n in range(7)
)
BLOCKED = {"t3": make_settlement(TaskState.BLOCKED, reason="sign it", ask="done")}
#: In chunks of two: four chunks, and a call that shows them.
CALLS = 5
NEVER = 100
#: What is there of a plan that nobody sees yet.
STAGED = ("plan", "tasks", "announced", "work")


class Died(Exception):
    """The planner did."""


class Watched:
    """The ledger's scripts, with something that happens before or after the calls of one planner."""

    def __init__(self, ledger: Ledger, before: Callable[[int], object], after: Callable[[int], object]) -> None:
        self._scripts, self._before, self._after, self.calls = ledger._scripts, before, after, 0

    def __call__(self, name: str, *args: str | float) -> Any:
        at, self.calls = self.calls, self.calls + 1
        self._before(at)
        answer = self._scripts(name, *args)
        self._after(at)
        return answer

    def flag(self, name: str, *args: str | float) -> bool:
        return int(self(name, *args)) == 1


@contextmanager
def _sizes(chunk: int, chars: int = 10**6) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "CHUNK", chunk)
        patch.setattr(plan_module, "CHUNK_CHARS", chars)
        yield


@pytest.fixture
def small() -> Iterator[None]:
    """Chunks of two tasks."""
    with _sizes(2):
        yield


def _nothing(at: int) -> None:
    pass


def _begin(ledger: Ledger, run: str = "r1") -> None:
    assert ledger.runs.begin(run, make_request(), host="h", parts=["git"])


def _store(
    ledger: Ledger,
    run: str = "r1",
    *,
    before: Callable[[int], object] = _nothing,
    after: Callable[[int], object] = _nothing,
    specs: Any = SPECS,
) -> bool:
    """Another planner plans the run; what may happen around each of its calls."""
    planner = Ledger(ledger._server.client)
    planner.runs._scripts = Watched(ledger, before, after)  # type: ignore[assignment]
    blocked = {task: why for task, why in BLOCKED.items() if task in {spec.id for spec in specs}}
    return planner.runs.store_plan(run, specs, blocked=blocked, skipped=(), unknown=())


def _dies(call: int) -> Callable[[int], None]:
    def at(number: int) -> None:
        if number == call:
            raise Died

    return at


def _at(call: int, does: Callable[[], object], number: int) -> None:
    if number == call:
        does()


def _tries(ledger: Ledger, run: str, dies: int, answers: list[bool]) -> None:
    """Plan the run, and die before that call."""
    try:
        answers.append(_store(ledger, run, before=_dies(dies)))
    except Died:
        answers.append(False)


def _has_no_plan(ledger: Ledger, run: str = "r1") -> None:
    """What everybody sees while the plan is being written: a run that audits."""
    assert ledger.runs.get(run).state is RunState.AUDITING
    assert ledger.tasks.all(run) == ledger.tasks.many(run, ["t0"]) == ledger.tasks.dependants(run, "t0") == []
    assert ledger.runs.counts(run) == ledger.board.work_left() == {}
    assert kinds(story(ledger, run)) == [EventKind.RUN_BEGUN]
    assert not ledger.board.offer(run, "t0")
    with pytest.raises(UnknownTask):
        ledger.tasks.get(run, "t0")
    with pytest.raises(UnknownTask):
        ledger.tasks.cancel(run, "t0", by="ann", reason="")
    with pytest.raises(UnknownTask):
        ledger.tasks.approve(run, "t0", "h1", "ann")


def _has_the_plan(ledger: Ledger, run: str = "r1") -> None:
    assert ledger.runs.get(run).state is RunState.RUNNING
    assert [task.spec for task in ledger.tasks.all(run)] == list(SPECS)
    assert ledger.runs.counts(run) == {TaskState.QUEUED: 6, TaskState.BLOCKED: 1}
    events = story(ledger, run)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert kinds(events)[:2] == [EventKind.RUN_BEGUN, EventKind.RUN_PLANNED]
    planned = [event.task for event in events if event.kind is EventKind.TASK_PLANNED]
    assert planned == [spec.id for spec in SPECS]
    assert [event.task for event in events if event.kind is EventKind.TASK_SETTLED] == ["t3"]
    assert len(events) == 2 + len(SPECS) + 1


def _dump(client: Any, run: str) -> dict[str, Any]:
    """All that is stored, but when, and by whom."""
    found: dict[str, Any] = {}
    for name in client.keys("*"):
        kind = client.type(name)
        if kind == "hash":
            values = client.hgetall(name)
            passing = ("updated_at", "created_at", "plan_at", "writer")
            found[name] = {field: value for field, value in values.items() if field not in passing}
        elif kind == "stream":
            entries = client.xrange(name)
            found[name] = [(id, {key: text for key, text in said.items() if key != "at"}) for id, said in entries]
        elif kind == "list":
            found[name] = client.lrange(name, 0, -1)
    return found


def _lives(ledger: Ledger) -> dict[str, int]:
    """How long each key lives, -1: for good; without answers that are kept for repeated calls."""
    client = ledger._server.client
    return {name: client.ttl(name) for name in client.keys("*") if ":reply:" not in name}


def test_a_small_plan_is_one_call(ledger: Ledger) -> None:
    calls: list[int] = []
    _begin(ledger)
    assert _store(ledger, before=calls.append)
    assert calls == [0]
    _has_the_plan(ledger)


@pytest.mark.usefixtures("small")
def test_nobody_sees_half_a_plan(ledger: Ledger) -> None:
    _begin(ledger)
    calls: list[int] = []
    assert _store(ledger, before=lambda at: (calls.append(at), _has_no_plan(ledger)))
    assert calls == list(range(CALLS))
    _has_the_plan(ledger)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("answered", [True, False])
def test_a_planner_that_dies_anywhere_leaves_nothing_that_counts(ledger: Ledger, answered: bool) -> None:
    for call in range(CALLS):
        run = f"r{call}"
        _begin(ledger, run)
        with pytest.raises(Died):
            _store(ledger, run, **{"after" if answered else "before": _dies(call)})
        if answered and call == CALLS - 1:
            assert not _store(ledger, run)  # it was shown, and only the answer was lost
        else:
            assert ledger.tasks.all(run) == []
            assert _store(ledger, run)
        _has_the_plan(ledger, run)


@pytest.mark.usefixtures("small")
def test_what_a_dead_planner_wrote_is_dropped(ledger: Ledger) -> None:
    _begin(ledger)
    with pytest.raises(Died):
        _store(ledger, after=_dies(CALLS - 2))
    assert _store(ledger, specs=(make_task("new"),))
    assert [task.spec.id for task in ledger.tasks.all("r1")] == ["new"]
    assert ledger.board.work_left() == {"app": 600.0}
    with pytest.raises(UnknownTask):
        ledger.tasks.get("r1", "t0")


@pytest.mark.usefixtures("small")
def test_a_call_that_is_repeated_changes_nothing(ledger: Ledger) -> None:
    _begin(ledger)
    again: list[tuple[str, Any]] = []
    scripts = ledger._scripts

    class Twice(Watched):
        def __call__(self, name: str, *args: str | float) -> Any:
            first, state = scripts(name, *args), _dump(ledger._server.client, "r1")
            again.append((first, scripts(name, *args)))
            assert _dump(ledger._server.client, "r1") == state
            return first

    ledger.runs._scripts = Twice(ledger, _nothing, _nothing)  # type: ignore[assignment]
    assert ledger.runs.store_plan("r1", SPECS, blocked=BLOCKED, skipped=(), unknown=())
    assert again == [(1, 1)] * CALLS
    _has_the_plan(ledger)


@pytest.mark.usefixtures("small")
def test_of_two_planners_at_once_one_wins(ledger: Ledger) -> None:
    """The other one begins before any call of the first, and gets as far as any of its own."""
    won: dict[str, tuple[bool, ...]] = {}
    calls = (0, 1, 3, CALLS - 1)
    for call, dies in product(calls, (NEVER, 1, CALLS - 1)):
        run = f"r{call}-{dies}"
        _begin(ledger, run)
        other: list[bool] = []
        first = _store(ledger, run, before=partial(_at, call, partial(_tries, ledger, run, dies, other)))
        won[run] = (first, *other)
        if not any(won[run]):
            assert ledger.tasks.all(run) == []
            assert _store(ledger, run)
        _has_the_plan(ledger, run)
    assert not [run for run, both in won.items() if all(both)]
    assert [run for run, both in won.items() if both[1]] == [f"r{call}-{NEVER}" for call in calls]
    # Only one that had not begun takes over from one that died.
    assert {run for run, both in won.items() if both[0]} == {"r0-1", f"r0-{CALLS - 1}"}


@pytest.mark.usefixtures("small")
def test_what_is_staged_expires_and_what_is_planned_stays(ledger: Ledger) -> None:
    _begin(ledger)
    before = set(_lives(ledger))
    with pytest.raises(Died):
        _store(ledger, before=_dies(3))
    staged = {name: left for name, left in _lives(ledger).items() if name not in before}
    assert set(staged) == {"{ops}:" + what + ":r1" for what in STAGED}
    assert all(0 < left <= staging_module.LIVES for left in staged.values())
    assert _store(ledger)
    assert set(_lives(ledger).values()) == {-1}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("lost", ["plan", "tasks", "announced"])
def test_a_plan_of_which_something_has_expired_is_not_shown(ledger: Ledger, lost: str) -> None:
    _begin(ledger)
    client = ledger._server.client

    def expires(at: int) -> None:
        if at == 4:
            client.delete(f"{{ops}}:{lost}:r1")

    assert not _store(ledger, before=expires)
    _has_no_plan(ledger)
    assert _store(ledger)
    _has_the_plan(ledger)


@pytest.mark.usefixtures("small")
def test_a_stop_while_the_plan_is_written_ends_it(ledger: Ledger) -> None:
    _begin(ledger)

    def stops(at: int) -> None:
        if at == 3:
            ledger.runs.request_stop("r1", "now")
            ledger.runs.finish("r1", RunState.STOPPED, "stopped on request")

    assert not _store(ledger, before=stops)
    assert ledger.tasks.all("r1") == []
    assert ledger.runs.resume("r1")
    assert _store(ledger)
    found = kinds(story(ledger))
    assert found[:5] == [
        EventKind.RUN_BEGUN,
        EventKind.RUN_STOPPING,
        EventKind.RUN_FINISHED,
        EventKind.RUN_RESUMED,
        EventKind.RUN_PLANNED,
    ]
    assert found.count(EventKind.TASK_PLANNED) == len(SPECS)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("count", [1, 2, 3, 10, 1000])
def test_the_events_of_the_plan_are_read_in_their_place(ledger: Ledger, count: int) -> None:
    _begin(ledger)
    assert _store(ledger)
    ledger.runs.note("r1", EventKind.WARNING, data={"text": "after the plan"})
    whole, after, paged = story(ledger), 0, []
    while page := ledger.events.read("r1", after, count):
        paged += page
        after = page[-1].seq
    assert paged == whole
    assert [event.seq for event in whole] == list(range(1, len(whole) + 1))
    assert whole[-1].data == {"text": "after the plan"}
    assert {event.at for event in whole[1:-1]} == {whole[1].at}
    for seen in range(len(whole)):
        assert ledger.events.follow("r1", seen, 0.0) == whole[seen:]


plans = st.integers(0, 12).flatmap(
    lambda many: st.tuples(
        *(
            st.builds(
                lambda n, repo, blockers, held, text: (
                    make_task(
                        f"t{n}", repo=repo, description=text, blocked_by=tuple(f"t{b}" for b in sorted(blockers))
                    ),
                    held,
                ),
                st.just(n),
                st.sampled_from(("app", "web", "api")),
                st.sets(st.integers(0, n - 1), max_size=3) if n else st.just(set()),
                st.booleans(),
                st.text(max_size=20),
            )
            for n in range(many)
        )
    )
)


@settings(max_examples=examples(10))
@given(plan=plans, chunk=st.integers(1, 5), chars=st.sampled_from((1, 1500, 10**6)))
def test_a_plan_in_chunks_is_stored_as_one_that_is_not(plan: Any, chunk: int, chars: int) -> None:
    blocked = {spec.id: make_settlement(TaskState.BLOCKED, reason="hold", ask="done") for spec, held in plan if held}
    stored = []
    for sizes in ((1000, 10**9), (chunk, chars)):
        client = fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=True)
        ledger = Ledger(client)
        _begin(ledger)
        with _sizes(*sizes):
            specs = [spec for spec, _ in plan]
            assert ledger.runs.store_plan("r1", specs, blocked=blocked, skipped=(), unknown=())
        lives = {name: client.ttl(name) for name in client.keys("*") if ":reply:" not in name}
        said = [event.model_copy(update={"at": 0.0}) for event in ledger.events.all("r1")]
        stored.append((_dump(client, "r1"), lives, said))
    assert stored[0] == stored[1]
