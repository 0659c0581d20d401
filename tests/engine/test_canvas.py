"""What is really published and counted IS the graph: joins are chords, edges their parts, attempts chains.

No worker runs. Every message of a run is taken off the real broker as it was published, and run by hand in any order,
some of it twice; every part of a chord is looked at as it returns to the real result backend, and what that has counted
then. What is compared with is the graph as it was asked for.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_orchestrate import canvas
from ops_orchestrate.celery import app
from ops_orchestrate.core.attempt import OutcomeKind, Settlement, StageKey
from ops_orchestrate.core.run import RequestedTask
from ops_orchestrate.core.states import RunState, Stage, TaskState
from tests.engine.hand import Hand, Message, Part, Script
from tests.engine.rig import requested, standing
from tests.laws import examples

pytestmark = [pytest.mark.real]

#: task → its blockers, in the order in which they are declared.
Graph = dict[str, tuple[str, ...]]

CHAIN = [("agent.implement", "agent"), ("audit.verify", "audit"), ("ship.land", "ship"), ("planner.settle", "planner")]
FAILURES = [
    (Stage.IMPLEMENT, OutcomeKind.FAILED),
    (Stage.VERIFY, OutcomeKind.REJECTED),
    (Stage.LAND, OutcomeKind.WAITING),
]


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    """The queues of a server of this module's own, and nobody else at them."""
    # Nothing is lost here, so nothing may look overdue however slow the machine is.
    patient = {"OPS_LEASE": "600", "OPS_GRANT_TIMEOUT": "600", "OPS_HEARTBEAT": "60"}
    with standing(tmp_path_factory.mktemp("canvas"), **patient) as rig:
        hand = Hand(rig)
        with hand.counting():
            yield hand


@st.composite
def graphs(draw: st.DrawFn, most: int = 8) -> Graph:
    """Any graph without a cycle: each task waits for some of those before it."""
    count = draw(st.integers(1, most))
    graph: Graph = {}
    for number in range(count):
        before = [f"t{n:03d}" for n in range(number)]
        blockers = draw(st.lists(st.sampled_from(before), unique=True, max_size=4)) if before else []
        graph[f"t{number:03d}"] = tuple(blockers)
    return graph


@st.composite
def scripts(draw: st.DrawFn, graph: Graph) -> Script:
    """How attempts end other than well: some tasks once or for good, most of them never."""
    bad = draw(st.lists(st.sampled_from(sorted(graph)), unique=True, max_size=3))
    return {task: [draw(st.sampled_from(FAILURES))] * draw(st.integers(1, 3)) for task in bad}


def tasks_of(graph: Graph) -> list[RequestedTask]:
    """The graph as a person would ask for it. Each task has a folder of its own, so that only blockers hold it up."""
    return [requested(task, blocked_by=blockers, paths=(f"src/{task}/",)) for task, blockers in graph.items()]


def joins_of(graph: Graph) -> set[str]:
    """The tasks that wait for several others."""
    return {task for task, blockers in graph.items() if len(blockers) > 1}


def reached(graph: Graph, completed: set[str]) -> set[str]:
    """Joins whose every blocker has completed."""
    return {task for task in joins_of(graph) if completed.issuperset(graph[task])}


def completed_in(hand: Hand, run: str) -> set[str]:
    return {task.spec.id for task in hand.rig.ledger.tasks.all(run) if task.state is TaskState.COMPLETED}


def attempts_in(hand: Hand, run: str) -> set[tuple[str, int]]:
    ledger = hand.rig.ledger
    return {(t.spec.id, a.number) for t in ledger.tasks.all(run) for a in ledger.tasks.attempts(run, t.spec.id)}


def is_edge(part: Part, run: str, graph: Graph) -> tuple[str, str]:
    """Assert that what was returned is a part of its child's chord, right in every field and counted; its edge."""
    request, chord = part.request, part.request.chord
    parent, child = str(request.id).removeprefix(f"{run}:edge:").split(">")
    blockers = graph[child]
    assert (request.id, part.state) == (f"{run}:edge:{parent}>{child}", "SUCCESS")
    assert (request.group, request.group_index) == (canvas.join(run, child), blockers.index(parent))
    assert (chord["task"], list(chord["args"]), chord["immutable"]) == ("planner.admit", [run, child], True)
    assert (chord["options"]["task_id"], chord["options"]["queue"]) == (f"{run}:admit:{child}:join", "planner")
    # The size is set before the first part can return, and nobody counts but these edges. With the last one the body
    # is out, what was counted is gone with it, and a repeat counts for nothing.
    assert part.size == (0 if part.over else len(blockers))
    assert part.counted <= {edge_id(run, graph, one, child) for one in blockers}
    assert part.counted == set() or edge_id(run, graph, parent, child) in part.counted
    return parent, child


def edge_id(run: str, graph: Graph, parent: str, child: str) -> str:
    """How Celery's counting knows an edge."""
    return f"{run}:edge:{parent}>{child}:{graph[child].index(parent)}"


def key_of(message: Message) -> StageKey:
    (value,) = message.args
    return StageKey.model_validate(value)


def is_attempt(message: Message) -> None:
    """Assert that the first message of an attempt carries the whole rest of it, all with one key."""
    key = key_of(message)
    assert message.embed["chord"] is None and message.headers["group"] is None
    rest = [message.args[0] for _ in message.embed["chain"]]
    assert [link["args"] for link in message.embed["chain"]] == [[value] for value in rest]
    chain = [(message.job, message.queue)]
    chain += [(link["task"], link["options"]["queue"]) for link in reversed(message.embed["chain"])]
    assert chain == CHAIN
    ids = [message.id, *(link["options"]["task_id"] for link in reversed(message.embed["chain"]))]
    stem = f"{key.run}:{key.task}:a{key.attempt}:f{key.fence}:s{key.seq}"
    assert ids == [f"{stem}:{stage}" for stage in ("implement", "verify", "land", "settle")]


def watching(hand: Hand, graph: Graph) -> Callable[[Message], None]:
    """Check each message at the moment at which it is published, when the ledger can still be asked."""

    def check(message: Message) -> None:
        ledger = hand.rig.ledger
        if message.job == "agent.implement":
            key = key_of(message)
            for blocker in graph[key.task]:
                assert ledger.tasks.get(key.run, blocker).state is TaskState.COMPLETED

    return check


def prove(hand: Hand, run: str, graph: Graph) -> None:
    """What was published and counted is the graph as far as it was walked: no edge, join or attempt more or less."""
    completed = completed_in(hand, run)
    joins = joins_of(graph)
    edges = Counter(is_edge(part, run, graph) for part in hand.parts)
    assert set(edges) == {(b, task) for task in joins for b in graph[task] if b in completed}
    bodies = Counter(m.args[1] for m in hand.of("planner.admit") if m.args[1])
    assert bodies == Counter(reached(graph, completed))
    for task in joins:
        done = [] if task in bodies else [blocker for blocker in graph[task] if blocker in completed]
        there = {edge_id(run, graph, blocker, task) for blocker in done}
        assert hand.counted_for(canvas.join(run, task)) == there
    for message in hand.of("agent.implement"):
        is_attempt(message)
    firsts = Counter((key_of(m).task, key_of(m).attempt) for m in hand.of("agent.implement"))
    assert firsts == Counter(attempts_in(hand, run))
    assert hand.elsewhere() == []


def same_ids_same_jobs(messages: Sequence[Message]) -> None:
    """An id names one job: whatever is published under it a second time says the same."""
    by_id: dict[str, Any] = {}
    for message in messages:
        assert by_id.setdefault(message.id, message.content) == message.content


@settings(max_examples=examples(10))
@given(graph=graphs(), seed=st.integers(0, 10**6))
def test_the_messages_of_a_run_are_its_graph(hand: Hand, graph: Graph, seed: int) -> None:
    hand.script, hand.watch = {}, watching(hand, graph)
    run = hand.begin(tasks_of(graph))
    hand.play_all(random.Random(seed))
    assert completed_in(hand, run) == set(graph)
    prove(hand, run, graph)
    assert len(hand.parts) == sum(len(graph[task]) for task in joins_of(graph))
    for job, _ in CHAIN:
        assert Counter(key_of(message).task for message in hand.of(job)) == Counter(list(graph))
    assert hand.rig.ledger.runs.get(run).state is RunState.DONE


@settings(max_examples=examples(10))
@given(data=st.data(), graph=graphs(), seed=st.integers(0, 10**6))
def test_failures_return_no_part_and_repeats_count_once(
    hand: Hand, data: st.DataObject, graph: Graph, seed: int
) -> None:
    hand.script, hand.watch = data.draw(scripts(graph)), watching(hand, graph)
    run = hand.begin(tasks_of(graph))
    order = random.Random(seed)
    hand.play_all(order, repeats=0.3)
    for task in sorted(completed_in(hand, run)):
        hand.publish_edges(run, task)
    hand.reconcile()
    hand.play_all(order, repeats=0.3)
    prove(hand, run, graph)
    same_ids_same_jobs(hand.seen)
    completed = completed_in(hand, run)
    waiting = {task for task in graph if task not in completed}
    for task in waiting - set(hand.script):
        assert not completed.issuperset(graph[task])
        assert hand.rig.ledger.tasks.get(run, task).state is TaskState.QUEUED
    assert hand.rig.ledger.runs.get(run).state is (RunState.HALTED if waiting else RunState.DONE)


def test_one_blocker_needs_no_message_and_frees_its_dependant_at_once(hand: Hand) -> None:
    graph: Graph = {"t000": (), "t001": ("t000",)}
    hand.script, hand.watch = {}, watching(hand, graph)
    hand.begin(tasks_of(graph))
    hand.collect()
    while not hand.of("planner.settle"):
        hand.play(hand.mail.pop(0))
    assert [key_of(message).task for message in hand.of("agent.implement")] == ["t000"]
    (settled,) = hand.of("planner.settle")
    hand.play(settled)
    assert [key_of(message).task for message in hand.of("agent.implement")] == ["t000", "t001"]
    assert hand.parts == []
    assert [message for message in hand.of("planner.admit") if message.args[1]] == []


def walk(hand: Hand, task: str) -> None:
    """Play the attempt at a task to its end."""
    for job, _ in CHAIN:
        (message,) = [one for one in hand.mail if one.job == job and key_of(one).task == task]
        hand.mail.remove(message)
        hand.play(message)


@contextmanager
def results_away() -> Iterator[None]:
    """Nobody listens where the results are."""
    pool = app.backend.client.connection_pool
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name in {"port", "path"} & pool.connection_kwargs.keys():
                patch.setitem(pool.connection_kwargs, name, 1 if name == "port" else "/nowhere")
            pool.reset()
            yield
    finally:
        pool.reset()


@pytest.mark.parametrize("at", ["mget", "on_chord_part_return"])
def test_a_join_that_was_disturbed_goes_on_with_a_repeat(hand: Hand, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All joins of a settlement, whether the connection broke before the size of the first was set or at its count."""
    graph: Graph = {"t000": (), "t001": (), "t002": ("t000", "t001"), "t003": ("t000", "t001")}
    hand.script, hand.watch = {}, watching(hand, graph)
    run = hand.begin(tasks_of(graph))
    hand.collect()
    while not hand.of("agent.implement"):
        hand.play(hand.mail.pop(0))
    real = getattr(app.backend, at)

    def cut(*args: Any) -> Any:
        with results_away():
            return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(app.backend, at, cut)
        walk(hand, "t000")
    assert hand.rig.ledger.tasks.edges_pending() == [(run, "t000")]
    assert hand.parts == []
    hand.publish_edges(run, "t000")
    hand.play_all(random.Random(1))
    assert completed_in(hand, run) == set(graph)
    prove(hand, run, graph)


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), OSError("x")])
def test_what_is_wrong_with_us_is_not_said_of_the_server(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(app.backend, "on_chord_part_return", broken)
    with pytest.raises(type(error), match="x"):
        canvas.return_part("r1", "t1", "t3", index=0)


def test_the_audit_is_a_chord_whose_body_is_the_plan(hand: Hand) -> None:
    hand.script, hand.watch = {}, lambda message: None
    run = hand.begin(tasks_of({"t000": ()}))
    (first,) = hand.collect()
    assert (first.job, first.id) == ("planner.begin", f"{run}:begin")
    hand.play(first)
    parts = [message for message in hand.seen if message.queue == "audit"]
    assert sorted(part.id for part in parts) == [f"{run}:projects:0-1:0", f"{run}:source:tasks-file:0"]
    (group,) = {part.headers["group"] for part in parts}
    assert hand.size_of(group) == len(parts)
    assert hand.subscriptions() == set()
    assert {part.embed["chord"]["options"]["task_id"] for part in parts} == {f"{run}:plan:0"}
    hand.play(parts[0])
    assert hand.of("planner.plan") == []
    hand.play(parts[1])
    assert [(message.id, message.args) for message in hand.of("planner.plan")] == [(f"{run}:plan:0", [run])]


def layered(count: int, width: int = 5, blockers: int = 4) -> list[Graph]:
    """A dense graph by layers: what made frozen canvases grow with the number of paths."""
    names = [f"t{number:03d}" for number in range(count)]
    layers = [names[start : start + width] for start in range(0, count, width)]
    above = [[], *layers[:-1]]
    return [{name: tuple(before[:blockers]) for name in layer} for before, layer in zip(above, layers, strict=True)]


def largest(hand: Hand, layers: list[Graph]) -> dict[str, int]:
    """Run the first and the last layers of a graph, its middle being done already; each job's largest message."""
    graph = {task: blockers for layer in layers for task, blockers in layer.items()}
    hand.script, hand.watch = {}, lambda message: None
    run = hand.begin(tasks_of(graph))
    hand.collect()
    while not hand.of("agent.implement"):
        hand.play(hand.mail.pop(0))
    done = Settlement(state=TaskState.COMPLETED, reason="done already")
    for task in (task for layer in layers[1:-2] for task in layer):
        assert hand.rig.ledger.tasks.settle_planned(run, task, done)
    for task in layers[-3]:
        hand.publish_edges(run, task)
    hand.play_all(random.Random(1))
    assert completed_in(hand, run) == set(graph)
    return {job: max(message.size for message in hand.of(job)) for job in {message.job for message in hand.seen}}


def test_no_message_grows_with_the_graph(hand: Hand) -> None:
    small, large = (largest(hand, layered(count)) for count in (20, 200))
    assert small.keys() == large.keys() >= {"planner.admit", *(job for job, _ in CHAIN)}
    for job, size in small.items():
        # A few bytes of play: a process id, a time or a fence with one digit more.
        assert abs(large[job] - size) <= 16, job
    assert max(large.values()) < 8_000
