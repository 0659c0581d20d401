"""From `dev` to `main` where there are no pull requests: one push, said once, wherever the worker dies."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from ops_orchestrate.adapters.forges.local import LocalForge
from ops_orchestrate.core.change import Landing, LandingEnd
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RUN_OPEN
from tests.engine.rig import requested, work
from tests.engine.walk import Walk, around, die, of, walking
from tests.laws import some
from tests.repos import git, head

_NUMBERS = count(1)
_ENV = {"OPS_LEASE": "1", "OPS_HEARTBEAT": "0.25", "OPS_CI_POLL": "0.1"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """One server for the whole file."""
    with walking(tmp_path_factory.mktemp("pushed"), **_ENV) as made:
        yield made


@pytest.fixture
def walk(shared: Walk) -> Walk:
    """A repository of the test's own that is promoted."""
    shared.rig.play({"*": [work("any")]})
    shared.rig.repository(f"local{next(_NUMBERS)}")
    return shared


def merged(walk: Walk) -> str:
    """A run whose task is merged into dev: its promotion comes next."""
    name = walk.rig.newest
    run = walk.begin([requested("go", name)], portfolio=walk.rig.portfolio(name, promote=True))
    walk.until(lambda: bool(of(walk.rig.events(run), EventKind.MERGE_PROVED)))
    return run


def promoted(walk: Walk, run: str) -> None:
    """Main has one merge commit of ours, said once, and dev stands at it."""
    walk.until(lambda: walk.rig.ledger.runs.get(run).state not in RUN_OPEN)
    (said,) = of(walk.rig.events(run), EventKind.PROMOTED)
    bare = walk.rig.upstream.bare
    assert said.data["commit"] == head(bare, "main") == head(bare, "dev"), walk.story()
    assert said.data["head"] == walk.task(run).merge
    assert git("rev-list", "--count", "--merges", "main", cwd=bare) == "1"


DEATHS = [
    pytest.param(1, "after", id="after the push to main"),
    pytest.param(2, "before", id="after it was said"),
    pytest.param(1, "before", id="before the push to main"),
    pytest.param(2, "after", id="after dev has followed"),
]


@pytest.mark.parametrize(("call", "when"), some(DEATHS, 2))
def test_a_worker_that_dies_while_it_promotes_says_so_once(
    walk: Walk, call: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = merged(walk)
    around(monkeypatch, "land", of=LocalForge, call=call, **{when: die})
    promoted(walk, run)


@pytest.mark.parametrize("done", [True, False])
def test_a_push_without_an_answer_is_looked_up_and_happens_once(
    walk: Walk, done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = merged(walk)
    real, calls = LocalForge.land, count(1)

    def unanswered(self: LocalForge, repo: Any, intent: Any) -> Landing:
        first = next(calls) == 1
        landing = real(self, repo, intent) if done or not first else None
        return Landing(end=LandingEnd.UNKNOWN, detail="no answer") if first or landing is None else landing

    monkeypatch.setattr(LocalForge, "land", unanswered)
    promoted(walk, run)


def test_what_another_run_has_promoted_is_not_said_by_this_one(walk: Walk) -> None:
    """Main has the head, and nothing that this run announced."""
    run = merged(walk)
    bare = walk.rig.upstream.bare
    git("update-ref", "refs/heads/main", head(bare, "dev"), cwd=bare)
    walk.until(lambda: walk.rig.ledger.runs.get(run).state not in RUN_OPEN)
    assert not of(walk.rig.events(run), EventKind.PROMOTED)
