"""Plans played through: small games by hand, and the laws that every game keeps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.graph import Graph
from ops_orchestrate.core.ownership import overlap
from ops_orchestrate.core.simulate import Piece, Rule, by_both, by_path, simulate


def piece(name: str, seconds: float = 10, repo: str = "", **kw: Any) -> Piece:
    """A piece in a repository of its own unless told otherwise."""
    return Piece(id=name, repo=repo or name, seconds=seconds)._replace(**kw)


def test_nothing_takes_no_time() -> None:
    assert simulate([], 5) == (0.0, {}, {}, 0)


def test_independent_work_fills_the_slots() -> None:
    played = simulate([piece(f"t{i}") for i in range(7)], 5)
    assert (played.makespan, played.most) == (20, 5)


def test_a_dependant_starts_the_moment_its_own_blockers_end() -> None:
    played = simulate(
        [piece("a", 5), piece("slow", 50), piece("b", blockers=("a",)), piece("c", blockers=("a", "elsewhere"))], 5
    )
    assert (played.starts["b"], played.starts["c"], played.makespan) == (5, 5, 50)


@pytest.mark.parametrize(
    ("one", "other", "makespan"),
    [((), (), 20), (("src/",), (), 20), (("src/",), ("src/a.py",), 20), (("src/",), ("docs/",), 10)],
)
def test_a_repository_has_one_writer_unless_paths_are_disjoint(
    one: tuple[str, ...], other: tuple[str, ...], makespan: float
) -> None:
    pieces = [piece("a", repo="r", paths=one), piece("b", repo="r", paths=other)]
    assert simulate(pieces, 5).makespan == makespan


def test_no_slot_waits_for_a_busy_repository() -> None:
    hot = [piece(f"hot{i}", repo="r", path_left=1000) for i in range(3)]
    played = simulate([*hot, piece("cool")], 2, by_path)
    assert (played.starts["cool"], played.makespan) == (0, 30)


def test_priority_goes_before_any_path() -> None:
    played = simulate([piece("long", path_left=1e9, priority="P1"), piece("fire", priority="P0")], 1)
    assert played.starts["fire"] < played.starts["long"]


def test_the_larger_of_both_starts_the_hot_repository_first() -> None:
    pieces = [piece("chain", 10, path_left=30), *(piece(f"hot{i}", 10, repo="r", path_left=10) for i in range(6))]
    assert simulate(pieces, 1, by_both).starts["hot0"] == 0
    assert simulate(pieces, 1, by_path).starts["chain"] == 0


def test_what_runs_already_holds_its_slot_and_its_repository() -> None:
    played = simulate([piece("a", repo="r"), piece("b")], 2, busy=[piece("writer", 30, repo="r")])
    assert (played.starts["a"], played.starts["b"], played.makespan) == (30, 0, 40)


PATHS = st.sampled_from([(), (), ("a/",), ("b/",), ("*.py",)])


@st.composite
def games(draw: st.DrawFn) -> list[Piece]:
    """A random plan over three repositories."""
    pieces: list[Piece] = []
    for at in range(draw(st.integers(0, 12))):
        blockers = draw(st.lists(st.sampled_from(pieces), max_size=2)) if pieces else []
        pieces.append(
            Piece(
                id=f"t{at}",
                repo=draw(st.sampled_from("xyz")),
                seconds=draw(st.integers(1, 9)),
                priority=draw(st.sampled_from(["P0", "P2"])),
                paths=draw(PATHS),
                blockers=tuple(one.id for one in blockers),
            )
        )
    path = Graph({one.id: one.blockers for one in pieces}).path_left({one.id: one.seconds for one in pieces})
    return [one._replace(path_left=path[one.id]) for one in pieces]


@given(games(), st.integers(1, 5), st.sampled_from([by_path, by_both]))
def test_the_laws_of_a_game(pieces: list[Piece], slots: int, rule: Rule) -> None:
    played = simulate(pieces, slots, rule)
    assert simulate(pieces, slots, rule) == played
    assert sorted(played.ends) == sorted(one.id for one in pieces)
    assert played.most <= slots
    total = sum(one.seconds for one in pieces)
    longest = max((one.path_left for one in pieces), default=0.0)
    assert max(total / slots, longest) - 1e-9 <= played.makespan <= total
    spans = {one.id: (played.starts[one.id], played.ends[one.id]) for one in pieces}
    for one in pieces:
        start, end = spans[one.id]
        assert end == start + one.seconds
        assert all(spans[blocker][1] <= start for blocker in one.blockers)
        beside = [other for other in pieces if other is not one and spans[other.id][0] <= start < spans[other.id][1]]
        assert len(beside) < slots
        assert not any(other.repo == one.repo and overlap(one.paths, other.paths) for other in beside)


@given(games(), st.integers(1, 5))
def test_no_slot_is_idle_while_something_fits(pieces: list[Piece], slots: int) -> None:
    played = simulate(pieces, slots)
    for moment in {0.0, *played.ends.values()}:
        running = [one for one in pieces if played.starts[one.id] <= moment < played.ends[one.id]]
        waiting = [
            one
            for one in pieces
            if played.starts[one.id] > moment and all(played.ends[blocker] <= moment for blocker in one.blockers)
        ]
        for one in waiting:
            assert len(running) == slots or any(
                other.repo == one.repo and overlap(one.paths, other.paths) for other in running
            )
