"""What is remembered of a gate on a tree: what it said of the tree, and nothing of the machine that ran it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.core.change import GateEnd, GateResult
from ops_orchestrate.core.project import Repository
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.engine.verify import gate_on, known_gate
from tests.engine.rig import Rig
from tests.repos import head, repository_value

_TREES = count(1)


class Counted:
    """Gates that end as they are told, and count how often they are run."""

    def __init__(self) -> None:
        self.end, self.runs = GateEnd.PASSED, 0

    def run(self, repo: Repository, tree: Path, *, network: bool = False, stop: object | None = None) -> GateResult:
        self.runs += 1
        return GateResult(end=self.end)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, server_url: str) -> Iterator[Rig]:
    """One repository, and nobody who works."""
    made = Rig.build(tmp_path_factory.mktemp("memory"), server_url)
    yield made
    made.close()


def asked(rig: Rig, gates: Counted, tree: str, **fields: Any) -> GateResult:
    """What this gate says of this tree."""
    repository = repository_value(rig.upstream, **{"gate": "make test", **fields})
    tools: Toolbox = replace(rig.tools, gates=gates)
    tools.workshop.refresh(repository)
    return gate_on(repository, head(rig.upstream.bare, "dev"), tree, None, tools)


@pytest.mark.parametrize("end", [end for end in GateEnd if end not in (GateEnd.NO_GATE, GateEnd.UNAVAILABLE)])
def test_what_it_said_of_a_tree_is_not_asked_again(rig: Rig, end: GateEnd) -> None:
    gates, tree = Counted(), f"tree{next(_TREES)}"
    gates.end = end
    assert [asked(rig, gates, tree).end for _ in range(2)] == [end, end]
    assert gates.runs == 1


def test_that_it_could_not_be_run_is_known_and_tried_again(rig: Rig) -> None:
    """Somebody may have installed what was missing: the answer that follows must not meet the old word."""
    gates, tree = Counted(), f"tree{next(_TREES)}"
    gates.end = GateEnd.UNAVAILABLE
    asked(rig, gates, tree)
    known = known_gate(repository_value(rig.upstream, gate="make test"), tree, rig.tools)
    assert known is not None
    assert known.end is GateEnd.UNAVAILABLE
    gates.end = GateEnd.PASSED
    assert [asked(rig, gates, tree).end for _ in range(2)] == [GateEnd.PASSED] * 2
    assert gates.runs == 2


@pytest.mark.parametrize(
    "other", [{"gate": "make check"}, {"gate_seconds": 60}, {"gate_hosts": ("pypi.org",)}, {"gate_network": True}]
)
def test_another_gate_and_one_that_runs_with_something_else_is_asked_anew(rig: Rig, other: dict[str, Any]) -> None:
    gates, tree = Counted(), f"tree{next(_TREES)}"
    gates.end = GateEnd.FAILED
    asked(rig, gates, tree)
    gates.end = GateEnd.PASSED
    assert asked(rig, gates, tree, **other).end is GateEnd.PASSED
    assert asked(rig, gates, tree).end is GateEnd.FAILED
