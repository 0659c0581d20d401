"""A team on real workers: a consumer starts while its blocker is at work, is told what that made, ships after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import RunState, Stage, TaskState
from ops_orchestrate.core.task import Mode
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, Steps, requested, standing, work
from tests.repos import git, read

pytestmark = pytest.mark.real

STARTED, MERGED = EventKind.ATTEMPT_STARTED, EventKind.MERGE_PROVED


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with standing(tmp_path_factory.mktemp("teams"), OPS_MAX_ATTEMPTS="2") as rig:
        rig.start()
        yield rig


@pytest.fixture(autouse=True)
def _two_repositories(house: Rig, request: pytest.FixtureRequest) -> None:
    name = request.node.originalname.replace("_", "-")[5:25].strip("-")
    house.upstreams = {f"{name}-{one}": house.more(f"{name}-{one}") for one in ("api", "web")}


def begin(house: Rig, **playbook: list[Steps]) -> str:
    """A run with the task `schema` in the first repository, and `users` in the second, which waits for it."""
    house.play(playbook)
    api, web = house.upstreams
    tasks = [requested("schema", api), requested("users", web, blocked_by=["schema"])]
    return house.submit(tasks, mode=Mode.TEAMS)


def of(events: list[Event], kind: EventKind, task: str) -> list[Event]:
    return [event for event in events if event.kind is kind and event.task == task]


def data(events: list[Event], kind: EventKind, task: str) -> list[dict[str, Any]]:
    return [event.data for event in of(events, kind, task)]


def when_told(task: str) -> Steps:
    """Does what it can, waits for a message, does the rest, and repeats the message in its report."""
    first = [{"write": {"path": "src/before.txt", "text": "before\n"}}, {"commit": {"message": "What needs nothing"}}]
    listens = [{"say": {"text": "waiting"}}, {"copy_mail": {"field": "hand_over", "seconds": 40}}]
    return [*first, *listens, *work(task)[:-1], {"report": {"summary": "told"}}]


def test_a_consumer_starts_early_is_told_and_ships_after(house: Rig) -> None:
    run = begin(house, schema=[work("schema", seconds=3)], users=[when_told("users")])
    events = house.finish(run)
    assert house.ledger.runs.get(run).state is RunState.DONE
    ended = of(events, EventKind.ATTEMPT_ENDED, "schema")[0].seq
    start = of(events, STARTED, "users")[0]
    assert start.data["early"] is True
    assert start.seq < ended, "it did not wait for its blocker"
    told = data(events, EventKind.MESSAGE_SENT, "users")
    assert [(one["from"], one["topic"]) for one in told] == [(house.task(run, "schema").spec.member, "hand-over")]
    assert "schema is there" in told[0]["text"]
    assert data(events, EventKind.MESSAGE_DELIVERED, "users") == [{"number": 1, "how": "session"}]
    heard = house.ledger.attempts.outcome_of(run, "users", 1, Stage.IMPLEMENT)
    assert heard is not None
    assert "schema is there" in heard.hand_over
    assert of(events, MERGED, "schema")[0].seq < of(events, EventKind.MERGE_INTENDED, "users")[0].seq
    assert (house.task(run, "users").attempt, house.task(run, "users").early) == (1, False)
    assert violations(events) == []


def test_one_that_is_ready_sooner_waits_with_its_work(house: Rig) -> None:
    run = begin(house, schema=[work("schema", seconds=4)], users=[work("users")])
    events = house.finish(run)
    waited = data(events, EventKind.TASK_SNOOZED, "users")
    assert waited[0]["note"] == "waits for schema"
    assert of(events, EventKind.ATTEMPT_ENDED, "users")[0].seq < of(events, MERGED, "schema")[0].seq
    assert of(events, MERGED, "schema")[0].seq < of(events, EventKind.VERDICT, "users")[0].seq
    assert house.task(run, "users").state is TaskState.COMPLETED
    assert house.task(run, "users").attempt == 1
    assert violations(events) == []


def test_it_stops_where_its_blocker_ends_otherwise(house: Rig) -> None:
    asks = [{"sleep": {"seconds": 2}}, {"report": {"status": "blocked", "question": "Which one?"}}]
    run = begin(house, schema=[asks], users=[when_told("users")])
    events = house.finish(run)
    assert house.ledger.runs.get(run).state is RunState.HALTED
    assert house.task(run, "schema").state is TaskState.BLOCKED
    (end,) = data(events, EventKind.ATTEMPT_ENDED, "users")
    assert end["outcome"] == "interrupted"
    assert "schema is blocked" in end["summary"]
    users = house.task(run, "users")
    assert (users.state, users.spent) == (TaskState.RETRYABLE, 0)
    (kept,) = data(events, EventKind.SALVAGED, "users")
    web = house.upstreams[list(house.upstreams)[1]]
    mirror = next(house.settings.state_dir.glob(f"mirrors/*{web.name}*"))
    assert git("show", f"{kept['ref']}:src/before.txt", cwd=mirror) == "before"
    assert violations(events) == []


def test_a_member_fixes_what_its_gate_rejected(house: Rig) -> None:
    broken = [{"write": {"path": "broken", "text": "x"}}, *work("schema")]
    fixed = [{"delete": {"path": "broken"}}, {"commit": {"message": "Fix"}}, {"copy_brief": {"field": "hand_over"}}]
    run = begin(house, schema=[broken, [*fixed, {"report": {"summary": "fixed"}}]], users=[work("users")])
    events = house.finish(run)
    assert house.task(run, "schema").attempt == 2
    (sent,) = data(events, EventKind.MESSAGE_SENT, "schema")
    assert sent["from"] == "ops-orchestrate"
    assert sent["text"].startswith("Audit failed: The quality gate failed")
    assert sent["text"].endswith("Fix and re-submit.")
    second = house.ledger.attempts.outcome_of(run, "schema", 2, Stage.IMPLEMENT)
    assert second is not None
    assert data(events, EventKind.MESSAGE_DELIVERED, "schema") == [{"number": 1, "how": "brief"}]
    assert read(house.upstreams[next(iter(house.upstreams))].bare, "dev", "src/schema.txt") == "schema"
    assert violations(events) == []
