"""An agent whose account gives no more, and one that stands in for it: real workers, a real agent over ACP."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.check import violations
from tests.adapters.agents.acp import player
from tests.adapters.agents.claude.real import KEY
from tests.adapters.foreign import needs_sandbox
from tests.engine.rig import UNHURRIED, Rig, requested, work
from tests.repos import read
from tests.standins.model import serving_model

pytestmark = [needs_sandbox, pytest.mark.real]
WORK = [[{"write": {"path": "src/two.txt", "text": "two\n"}}, {"commit": {"message": "Say two"}}, {"report": {}}]]


def without_quota(url: str) -> dict[str, str]:
    """An agent over ACP whose model's API gives no more, for an hour."""
    return {
        "OPS_ACP_COMMAND": f"{sys.executable} {player.__file__} models",
        "OPS_MODEL_URL": f"{url}/v1",
        "OPS_MODEL_KEY": "OPENAI_API_KEY",
        "OPS_MODEL_KEY_HEADER": "authorization",
        "OPENAI_API_KEY": KEY,
        "OPS_MODEL_RETRIES": "0",
        "OPS_QUOTA_PAUSE": "3600",
    }


def test_another_agent_goes_on_at_once(tmp_path: Path, server_url: str) -> None:
    """The first one's account is parked for an hour; the task does not wait, and no attempt is spent on it."""
    with serving_model() as model:
        env = {
            **UNHURRIED,
            "OPS_AGENT": "acp",
            "OPS_AGENT_FALLBACK": "scripted",
            "OPS_MAX_ATTEMPTS": "1",
            **without_quota(model.url("rate")),
        }
        rig = Rig.build(tmp_path, server_url, **env)
        try:
            rig.play({"*": WORK})
            rig.start()
            run = rig.submit([requested("one", paths=("src/",)), requested("two", paths=("src/",))], agent="acp")
            events = rig.finish(run)
        finally:
            rig.close()
    assert {task.state for task in rig.ledger.tasks.all(run)} == {TaskState.COMPLETED}, rig.story()
    assert {task.spent for task in rig.ledger.tasks.all(run)} == {1}
    tasks = [task.spec.id for task in rig.ledger.tasks.all(run)]
    attempts = [one for task in tasks for one in rig.ledger.tasks.attempts(run, task)]
    ended = [(one.agent, one.outcome.kind.value) for one in attempts if one.outcome]
    assert [agent for agent, kind in ended if kind == "quota"] == ["acp"], f"nobody asks again: {ended}"
    assert {agent for agent, kind in ended if kind in ("merged", "already-done")} == {"scripted"}, ended
    assert set(rig.ledger.money.parked()) == {"acp/OPENAI_API_KEY@127.0.0.1"}
    assert not [event for event in events if event.kind is EventKind.TASK_SNOOZED]
    assert read(rig.upstreams["app"].bare, "dev", "src/two.txt") == "two"
    assert violations(events) == []


def test_a_reviewer_without_quota_parks_its_account_and_is_no_review(tmp_path: Path, server_url: str) -> None:
    """It stands for nothing: a person is asked, and the next agent of that account is not tried in vain."""
    with serving_model() as model:
        env = {
            **UNHURRIED,
            "OPS_AGENT": "scripted",
            "OPS_REVIEW_AGENT": "acp",
            "OPS_SENSITIVE_REVIEW": "reviewer",
            **without_quota(model.url("rate")),
        }
        rig = Rig.build(tmp_path, server_url, **env)
        try:
            rig.play({"*": [work("login", path="src/auth.py")]})
            rig.start()
            run = rig.submit([requested("login", paths=("src/",))])
            rig.finish(run)
        finally:
            rig.close()
    task = rig.task(run, "login")
    assert (task.state, task.ask) == (TaskState.BLOCKED, "approve-change"), rig.story()
    assert "no quota" in task.reason
    assert set(rig.ledger.money.parked()) == {"acp/OPENAI_API_KEY@127.0.0.1"}
