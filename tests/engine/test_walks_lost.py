"""The server was wiped: the next run finds by git and GitHub what is merged and what is open, and repeats nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count

import pytest
import redis

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.standin.profile import JobPlan
from tests.engine.rig import requested, work
from tests.engine.walk import QUICK, Walk, of, walking

_NUMBERS = count(1)
_ENV = QUICK | {"OPS_LEASE": "6"}
NO_AGENT = {"*": [[{"report": {"status": "failed", "summary": "no agent was wanted"}}]]}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """One server and one GitHub for the whole file."""
    with walking(tmp_path_factory.mktemp("lost"), **_ENV) as made:
        yield made


@pytest.fixture
def walk(shared: Walk) -> Walk:
    """A repository of the test's own: an issue is open, and a workflow fails on main, where no fix gets so soon."""
    shared.forge.repository(f"lost{next(_NUMBERS)}")
    job = JobPlan("nightly", result={"path": "RED", "then": "failure", "else": "success"})
    shared.control.ci(shared.slug, path=".github/workflows/nightly.yml", on=["push"], branches=["main"], jobs=[job])
    shared.control.push(shared.slug, "main", {"RED": "x"}, by="rita")
    shared.control.issue(shared.slug, "Mend the clock", by="rita")
    return shared


def begin(walk: Walk, *asked: str) -> str:
    """A run for all of it, planned, with an agent that does something else for each task; the run."""
    run = walk.go(tasks=[requested(one, walk.slug.split("/")[1]) for one in asked])
    walk.until(lambda: bool(of(walk.rig.events(run), EventKind.RUN_PLANNED)))
    walk.rig.play({one.spec.id: [work(one.spec.id)] for one in walk.rig.ledger.tasks.all(run)} | NO_AGENT)
    return run


def wipe(walk: Walk) -> None:
    """Ledger, queues and everything on this machine's disk are gone."""
    redis.Redis.from_url(walk.rig.server).flushall()
    walk.mail.clear()
    for name in ("mirrors", "trees", "cache"):
        for folder in (walk.rig.home / "data").rglob(name):
            shutil.rmtree(folder, ignore_errors=True)
    walk.rig.ledger.open(quiet=0)


def tasks(walk: Walk, run: str) -> list[str]:
    return [one.spec.id for one in walk.rig.ledger.tasks.all(run)]


def test_what_we_merged_is_not_planned_again(walk: Walk) -> None:
    first = begin(walk)
    walk.finish(first)
    assert len(walk.forge.merges()) == len(tasks(walk, first)) == 2, walk.story()
    wipe(walk)
    second = begin(walk)
    walk.finish(second)
    assert tasks(walk, second) == [], walk.story()
    assert walk.pulls() == [2, 3]


def test_what_a_person_merged_in_words_of_their_own_is_not_and_what_is_open_goes_on_where_it_is(walk: Walk) -> None:
    walk.control.unprotect(walk.slug)
    walk.control.protect(walk.slug, "dev", checks=["test"], approvals=1)
    walk.finish(begin(walk, "asked"))
    merged, still, left = walk.pulls()
    walk.control.merge(walk.slug, merged, by="rita", method="squash")
    walk.control.merge(walk.slug, still, by="rita", method="squash")
    wipe(walk)
    second = begin(walk, "asked")
    walk.finish(second)
    (task,) = walk.rig.ledger.tasks.all(second)
    assert task.spec.change == str(left), walk.story()
    assert "waits for a review" in task.reason
    assert walk.pulls() == [merged, still, left], "no second one was opened"
