"""The graph of a plan: what it refuses, and the laws of its order, waves and paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.graph import Graph, find_cycle, knots, spell, validate
from ops_orchestrate.errors import PlanError

Edges = dict[str, list[str]]


@st.composite
def acyclic(draw: st.DrawFn, most: int = 14) -> Edges:
    """A random graph without cycles, written down in a random order."""
    size = draw(st.integers(0, most))
    edges = {
        f"t{i}": draw(st.lists(st.sampled_from([f"t{j}" for j in range(i)]), max_size=4)) if i else []
        for i in range(size)
    }
    return {task: edges[task] for task in draw(st.permutations(sorted(edges)))}


@st.composite
def any_graph(draw: st.DrawFn) -> Edges:
    """A random graph that may hold cycles, but no task that waits for itself."""
    ids = [f"t{i}" for i in range(draw(st.integers(2, 8)))]
    return {task: draw(st.lists(st.sampled_from([one for one in ids if one != task]), max_size=3)) for task in ids}


@pytest.mark.parametrize(
    ("blocked_by", "message"),
    [
        ({"a": ["a"]}, "Task a waits for itself"),
        ({"a": [], "b": ["a", "b"]}, "Task b waits for itself"),
        ({"a": ["zzz"]}, 'Task a waits for "zzz", which is no task of this plan.'),
        ({"fix-login": [], "b": ["fix-logn"]}, 'Did you mean "fix-login"?'),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, "a waits for b, b waits for c, c waits for a"),
        ({"x": ["a"], "a": ["b"], "b": ["a"]}, "in a circle: a waits for b, b waits for a."),
        ({"a": ["b\nc\x1b[31m"]}, '"b c [31m"'),
    ],
)
def test_what_is_no_graph_is_refused_by_name(blocked_by: Edges, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        validate(blocked_by)
    assert message in str(caught.value)


def test_a_long_circle_is_spelled_out_at_both_ends() -> None:
    text = spell([f"t{i}" for i in range(100)])
    assert text.startswith("t0 waits for t1, ")
    assert text.endswith("t99 waits for t0")
    assert "(88 more)" in text


def test_a_blocker_written_twice_is_one_edge_and_a_shortcut_stays() -> None:
    graph = Graph({"a": [], "b": ["a"], "c": ["b", "a", "b"]})
    assert graph.blockers["c"] == ("b", "a")
    assert graph.dependants == {"a": ("b", "c"), "b": ("c",), "c": ()}


def test_waves_are_the_longest_distance_and_paths_the_longest_work() -> None:
    graph = Graph({"a": [], "b": ["a"], "c": ["a", "b"], "d": []})
    assert graph.waves() == {"a": 0, "b": 1, "c": 2, "d": 0}
    assert graph.path_left({"a": 1, "b": 2, "c": 4, "d": 8}) == {"a": 7, "b": 6, "c": 4, "d": 8}


def test_closures_go_both_ways() -> None:
    graph = Graph({"a": [], "b": ["a"], "c": ["b"], "d": ["a"], "e": []})
    assert graph.needed_by(["c"]) == {"a", "b", "c"}
    assert graph.waiting_for(["b"]) == {"b", "c"}
    assert graph.needed_by([]) == set()


def test_a_chain_of_a_hundred_thousand_needs_no_recursion() -> None:
    size = 100_000  # a recursive walk gives up at a thousand
    graph = Graph({f"t{i}": [f"t{i + 1}"] if i + 1 < size else [] for i in range(size)})
    assert graph.waves()["t0"] == size - 1
    assert graph.path_left(dict.fromkeys(graph.order, 1.0))[f"t{size - 1}"] == size
    assert len(graph.needed_by(["t0"])) == size


@given(acyclic())
def test_the_order_has_every_task_once_and_after_its_blockers(edges: Edges) -> None:
    graph = Graph(edges)
    place = {task: at for at, task in enumerate(graph.order)}
    assert sorted(place) == sorted(edges)
    assert all(place[blocker] < place[task] for task, blockers in edges.items() for blocker in blockers)
    assert not find_cycle(edges)
    assert not knots(edges)


@given(acyclic())
def test_a_plan_that_is_in_order_keeps_its_order(edges: Edges) -> None:
    order = Graph(edges).order
    assert Graph({task: edges[task] for task in order}).order == order


@given(acyclic())
def test_a_wave_is_one_more_than_the_latest_blockers(edges: Edges) -> None:
    waves = Graph(edges).waves()
    for task, blockers in edges.items():
        assert waves[task] == max((waves[blocker] for blocker in blockers), default=-1) + 1


@given(any_graph())
def test_a_cycle_is_found_exactly_where_there_is_one(edges: Edges) -> None:
    cycle = find_cycle(edges)
    for at, task in enumerate(cycle):
        assert cycle[(at + 1) % len(cycle)] in edges[task]
    reaches = {task: set(blockers) for task, blockers in edges.items()}
    for middle in edges:
        for task in edges:
            if middle in reaches[task]:
                reaches[task] |= reaches[middle]
    on_cycle = {task for task in edges if task in reaches[task]}
    assert bool(cycle) == bool(on_cycle)
    between = {t for t in edges if reaches[t] & on_cycle and any(t in reaches[c] for c in on_cycle)}
    assert knots(edges) == on_cycle | between
