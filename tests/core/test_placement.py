"""Which machine does what: the table, and that nobody is asked for what he cannot do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.admission import choose
from ops_orchestrate.core.board import Board, Candidate, Host, Slot
from ops_orchestrate.core.placement import (
    ANYONE,
    Needs,
    able,
    batch,
    free_places,
    holder_of,
    place,
    places,
    ranges,
    serving,
    why_nobody,
)

NOW = 1_700_000_000.0


def host(name: str, *agents: str, checkouts: tuple[str, ...] = (), size: int = 2, **more: Any) -> Host:
    """A machine that has looked what it can do."""
    fields = {"pools": {"agent": size}, "seen_at": NOW, "probed": True, "agents": agents, "checkouts": checkouts}
    return Host(name=name, **(fields | more))


A, B, BOTH = host("a", "claude"), host("b", "codex"), host("both", "claude", "codex", checkouts=("/srv/x",))
SILENT = host("silent", probed=False)


@pytest.mark.parametrize(
    ("needs", "hosts", "free", "where"),
    [
        # Everybody can: whoever is free takes it.
        (Needs(), [A, B], {}, ANYONE),
        (Needs(("claude",)), [A, BOTH], {"a": 0, "both": 0}, ANYONE),
        (Needs(("claude", "codex")), [A, B], {}, ANYONE),
        (Needs(("claude",)), [], {}, ANYONE),
        (Needs(("gemini",), "/srv/x"), [SILENT], {}, ANYONE),
        # Some can: the one with the most room.
        (Needs(("claude",)), [A, B], {"a": 1, "b": 2}, "a"),
        (Needs(("claude",)), [A, B, BOTH], {"a": 1, "b": 2, "both": 2}, "both"),
        (Needs(("codex",), "/srv/x"), [A, B, BOTH], {"a": 2, "b": 2, "both": 1}, "both"),
        (Needs(("gemini",)), [A, SILENT], {"a": 2, "silent": 1}, "silent"),
        # They are busy, or nobody can: it waits.
        (Needs(("claude",)), [A, B], {"a": 0, "b": 2}, None),
        (Needs(("gemini",)), [A, B], {"a": 2, "b": 2}, None),
        (Needs(("claude",), "/srv/y"), [A, BOTH], {"a": 2, "both": 2}, None),
    ],
)
def test_where_it_goes(needs: Needs, hosts: list[Host], free: dict[str, int], where: str | None) -> None:
    assert place(needs, hosts, free) == where


@pytest.mark.parametrize(
    ("needs", "hosts", "says"),
    [
        (Needs(("claude",)), [A, B], ""),
        (Needs(("gemini",)), [], ""),
        (Needs(("gemini", "acp")), [A, B], "No machine can run gemini or acp (a, b)"),
        (Needs(("claude",), "/srv/y"), [A, BOTH], "It belongs to /srv/y"),
    ],
)
def test_what_is_missing_is_said(needs: Needs, hosts: list[Host], says: str) -> None:
    said = why_nobody(needs, hosts)
    assert says in said
    assert bool(says) == bool(said)


def test_a_place_that_is_taken_is_not_free() -> None:
    slot = Slot(index=0, run="r", task="t", attempt=1, fence=1, host="a", taken_at=NOW, lease_until=NOW)
    audit = host("audit", pools={"audit": 4})
    assert free_places("agent", serving("agent", [A, B, audit]), [slot]) == {"a": 1, "b": 2}


NEEDS = st.builds(Needs, st.lists(st.sampled_from(["claude", "codex", "gemini"]), unique=True).map(tuple))


@given(st.lists(st.tuples(NEEDS, st.integers(0, 9)), max_size=8))
def test_nobody_is_asked_for_what_he_cannot_do_nor_beyond_his_room(asked: list[tuple[Needs, int]]) -> None:
    hosts = (A, B, host("one", "claude", "gemini", size=1))
    needs = {str(number): need for number, (need, _) in enumerate(asked)}
    candidates = tuple(Candidate(run="r", task=name, repo=name) for name in needs)
    board = Board(version=1, now=NOW, cap=5, capacity=5, hosts=hosts, candidates=candidates)
    picks = choose(board, NOW, None, lambda one: needs[one.task])
    by_name = {one.name: one for one in hosts}
    for pick in picks:
        if pick.host:
            assert able(by_name[pick.host], needs[pick.candidate.task])
        else:
            assert all(able(one, needs[pick.candidate.task]) for one in hosts)
    for name, one in by_name.items():
        assert sum(pick.host == name for pick in picks) <= one.pools["agent"]


@pytest.mark.parametrize(
    ("paths", "hosts", "holder"),
    [
        (["/srv/x"], [A, BOTH], "both"),
        (["/srv/x"], [BOTH], ANYONE),
        (["/srv/y"], [A, BOTH], ANYONE),
        (["/srv/x", "/srv/z"], [BOTH, host("more", checkouts=("/srv/x", "/srv/z"))], "more"),
        (["/srv/x"], [BOTH, host("same", checkouts=("/srv/x",))], ANYONE),
        ([], [], ANYONE),
    ],
)
def test_checkouts_are_looked_at_where_they_are(paths: list[str], hosts: list[Host], holder: str) -> None:
    assert holder_of(paths, hosts) == holder


@pytest.mark.parametrize(
    ("machines", "most", "parts"),
    [
        ([], 8, []),
        (["", "", ""], 2, [(0, 2), (2, 3)]),
        (["a", "a", "b", "", ""], 8, [(0, 2), (2, 3), (3, 5)]),
    ],
)
def test_projects_of_two_machines_are_in_two_parts(
    machines: list[str], most: int, parts: list[tuple[int, int]]
) -> None:
    assert ranges(machines, most) == parts


@pytest.mark.parametrize(
    ("projects", "most", "each"), [(0, 8, 1), (1, 8, 1), (4, 8, 1), (5, 8, 2), (32, 8, 8), (33, 8, 8), (50, 3, 3)]
)
def test_few_projects_are_spread_over_the_hands_of_one_machine(projects: int, most: int, each: int) -> None:
    assert batch(projects, most) == each


@pytest.mark.parametrize(
    ("wanted", "memory", "room"),
    [(5, 0, 5), (5, 64_000, 5), (5, 3_500, 3), (5, 512, 1), (2, 64_000, 2)],
)
def test_memory_bounds_the_agents_of_a_machine(wanted: int, memory: int, room: int) -> None:
    assert places(wanted, memory, 1024) == room
