"""The real Claude Code in a whole run: real workers, real sandbox, real repository, a model that plays a scenario."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ops_orchestrate.adapters.agents.claude.agent import TESTED
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RUN_OPEN, RunState, TaskState
from ops_orchestrate.core.task import Mode
from ops_orchestrate.engine.send import send
from ops_orchestrate.report.check import violations
from tests.adapters.agents.claude.real import CLAUDE, KEY, real
from tests.engine.rig import UNHURRIED, Rig, requested
from tests.repos import found, git, read
from tests.standins.model import Model, serving_model

PATIENCE = 150.0
"""Seconds for what takes a few on a machine that has nothing else to do."""

pytestmark = [*real, pytest.mark.timeout(2 * PATIENCE)]


@pytest.fixture
def model() -> Iterator[Model]:
    with serving_model() as served:
        yield served


def rig_of(home: Path, server: str, url: str, repos: Sequence[str] = ("app",), **env: str) -> Rig:
    """An installation whose agent is Claude Code, with a key in the environment of its workers."""
    given = {
        "OPS_AGENT": "claude",
        "OPS_CLAUDE": str(CLAUDE),
        "ANTHROPIC_API_KEY": KEY,
        "OPS_MODEL_URL": url,
        "OPS_MODEL_RETRIES": "0",
        "OPS_QUOTA_PAUSE": "1",
        "OPS_MAX_ATTEMPTS": "1",
        "OPS_GRACE": "1",
        **UNHURRIED,
    }
    return Rig.build(home, server, repos, **(given | env))


def ends(rig: Rig, run: str) -> list[dict[str, object]]:
    return [event.data for event in rig.events(run) if event.kind is EventKind.ATTEMPT_ENDED]


def test_a_quota_puts_the_task_back_until_it_is_done(tmp_path: Path, server_url: str, model: Model) -> None:
    """Twice refused, then served: one attempt is spent, its change is merged, its version and cost are recorded."""
    rig = rig_of(tmp_path, server_url, model.url("comesback"))
    try:
        rig.start()
        run = rig.submit([requested("one", paths=("src/",))], agent="claude")
        events = rig.finish(run, PATIENCE)
    finally:
        rig.close()
    assert [data["outcome"] for data in ends(rig, run)] == ["quota", "quota", "succeeded"], rig.story()
    task = rig.task(run, "one")
    assert (task.state, task.attempt, task.spent) == (TaskState.COMPLETED, 3, 1)
    assert rig.ledger.runs.get(run).state is RunState.DONE
    app = rig.upstreams["app"]
    assert read(app.bare, "dev", "src/two.txt") == "two"
    assert git("rev-parse", "dev", cwd=app.bare) == task.merge
    last = ends(rig, run)[-1]
    assert (last["summary"], last["agent_version"], last["tokens"]) == ("Back again.", TESTED, 240)
    assert violations(events) == []
    assert len([event for event in events if event.kind is EventKind.TASK_SNOOZED]) == 2
    assert KEY not in str([event.data for event in events])
    assert rig.agents() == []
    assert len(list((tmp_path / "data" / "orchestrate" / "logs" / "attempts" / run).glob("*.jsonl"))) == 3


def test_a_quota_parks_the_account_for_every_task(tmp_path: Path, server_url: str, model: Model) -> None:
    """One task finds it out; until the account may go on, nothing is started with it, and then everything is done."""
    caps = {"OPS_MAX_AGENTS": "1", "OPS_QUOTA_PAUSE": "3", "OPS_MAX_ATTEMPT_USD": "1", "OPS_MAX_RUN_USD": "1.5"}
    rig = rig_of(tmp_path, server_url, model.url("comesback"), ("app", "web"), **caps)
    try:
        rig.start()
        run = rig.submit([requested(f"in-{name}", name, paths=("src/",)) for name in ("app", "web")], agent="claude")
        rig.until(lambda: len(rig.ledger.money.parked()) == 1, PATIENCE, "the account to be parked")
        events = rig.finish(run, PATIENCE)
    finally:
        rig.close()
    parked = [event for event in events if event.kind is EventKind.ACCOUNT_PARKED]
    assert {event.data["account"] for event in parked} == {"claude/ANTHROPIC_API_KEY@127.0.0.1"}, rig.story()
    starts = [event.at for event in events if event.kind is EventKind.ATTEMPT_STARTED]
    for event in parked:
        assert not [at for at in starts if event.at < at < event.data["until"]]
    waits = [event.data["reason"] for event in events if event.kind is EventKind.RUN_WAITING]
    assert "claude has no quota" in waits
    assert {task.spent for task in rig.ledger.tasks.all(run)} == {1}, "a quota spends no attempt"
    # What the proxy counted, by our own prices: to the microdollar what the purse of the run holds.
    purse = rig.ledger.money.purses([f"run:{run}"])[f"run:{run}"]
    costs = [data["cost_usd"] for data in ends(rig, run)]
    assert purse.micros == round(1e6 * sum(cost for cost in costs if isinstance(cost, float))) > 0
    assert (purse.reserved_micros, purse.unpriced) == (0, 0)


def test_a_run_that_is_stopped_does_not_wait_for_a_quota(tmp_path: Path, server_url: str, model: Model) -> None:
    rig = rig_of(tmp_path, server_url, model.url("rate"), OPS_QUOTA_PAUSE="3600")
    try:
        rig.start()
        run = rig.submit([requested("one", paths=("src/",))], agent="claude")
        rig.until(lambda: any(task.wake_at > 0 for task in rig.ledger.tasks.all(run)), PATIENCE, "the quota")
        assert rig.ledger.runs.get(run).state in RUN_OPEN, "it waits, it has not ended"
        assert rig.ledger.runs.request_stop(run, "salvage", "me")
        rig.finish(run, PATIENCE)
    finally:
        rig.close()
    assert rig.ledger.runs.get(run).state is RunState.STOPPED
    task = rig.task(run, "one")
    assert (task.state, task.spent) == (TaskState.RETRYABLE, 0)
    assert "no quota" in task.reason


def test_it_is_told_something_in_the_middle_of_its_turn(tmp_path: Path, server_url: str, model: Model) -> None:
    rig = rig_of(tmp_path, server_url, model.url("steered", "told"))
    try:
        rig.start()
        run = rig.submit([requested("one")], agent="claude")
        tool = at_work(rig)
        send(run, "one", "The DTO is UserResponseV2 now.", by="ana", tools=rig.tools)
        rig.until(lambda: EventKind.MESSAGE_DELIVERED in {e.kind for e in rig.events(run)}, PATIENCE, "the message")
        tool.with_name("go").touch()
        events = rig.finish(run, PATIENCE)
    finally:
        rig.close()
    (told,) = [event.data for event in events if event.kind is EventKind.MESSAGE_DELIVERED]
    assert told == {"number": 1, "how": "session"}
    heard = str(model.bodies("told")[1]["messages"])
    assert "The DTO is UserResponseV2 now." in heard
    assert "message 1, person from ana" in heard
    assert rig.task(run, "one").attempt == 1


def test_a_member_fixes_its_work_in_the_session_that_made_it(tmp_path: Path, server_url: str, model: Model) -> None:
    """Its gate failed: the next attempt begins at its commit, remembers its session, and hears what was wrong."""
    rig = rig_of(tmp_path, server_url, model.url("fixes", "fixes"), OPS_MAX_ATTEMPTS="2")
    try:
        rig.start()
        run = rig.submit([requested("one")], agent="claude", mode=Mode.TEAMS)
        events = rig.finish(run, PATIENCE)
    finally:
        rig.close()
    assert [data["outcome"] for data in ends(rig, run)] == ["succeeded", "succeeded"], rig.story()
    assert rig.task(run, "one").state is TaskState.COMPLETED
    app = rig.upstreams["app"]
    assert read(app.bare, "dev", "src/two.txt") == "two"
    first, *_, last = model.bodies("fixes")
    remembered = str(last["messages"])
    assert "I am done." in remembered, "its own words of the first attempt"
    assert "Audit failed: The quality gate failed" in remembered
    assert "Audit failed" not in str(first["messages"])
    assert violations(events) == []


def test_a_consumer_starts_early_and_hears_in_its_session_what_was_merged(
    tmp_path: Path, server_url: str, model: Model
) -> None:
    """Two of them at once: one waits at the end of its turn until the other one's work is merged, then it goes on."""
    rig = rig_of(tmp_path, server_url, model.url("team", "team"), ("app", "web"))
    try:
        rig.start()
        tasks = [requested("schema"), requested("users", "web", blocked_by=["schema"])]
        run = rig.submit(tasks, agent="claude", mode=Mode.TEAMS)
        rig.until(lambda: "My first half" in heard_by(rig, run, "users"), PATIENCE, "the consumer to wait")
        assert rig.task(run, "schema").state is TaskState.RUNNING
        at_work(rig).with_name("go").touch()
        events = rig.finish(run, PATIENCE)
    finally:
        rig.close()
    assert {(task.state, task.attempt) for task in rig.ledger.tasks.all(run)} == {(TaskState.COMPLETED, 1)}, rig.story()
    (told,) = [event.data for event in events if event.kind is EventKind.MESSAGE_DELIVERED]
    assert told["how"] == "session"
    last = str(model.bodies("team")[-1]["messages"])
    assert "My first half is done." in last, "it remembers its first turn"
    assert "hand-over from" in last
    assert read(rig.upstreams["web"].bare, "dev", "src/two.txt") == "two"
    assert violations(events) == []


def at_work(rig: Rig) -> Path:
    """Its tool runs, and goes on when there is a file `go` beside this one."""
    rig.until(lambda: bool(found(rig.home / "data", "ready")), PATIENCE, "its tool to run")
    return found(rig.home / "data", "ready")[0]


def heard_by(rig: Rig, run: str, task: str) -> str:
    """Everything that the agents of a task have said so far."""
    kept = (rig.home / "data" / "orchestrate" / "logs" / "attempts" / run).glob(f"*{task}*.jsonl")
    return "".join(path.read_text() for path in kept)
