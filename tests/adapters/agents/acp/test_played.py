"""Every way that a conversation over ACP ends, with a small agent of our own in the real sandbox."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.agents import AcpAgent
from ops_orchestrate.adapters.agents.acp.session import AcpSession
from ops_orchestrate.adapters.agents.transcript import transcript_path
from ops_orchestrate.core.agent import AgentEnd, AgentEvent, AgentEventKind, AgentJob, AgentResult, ToolState
from tests.adapters.agents.acp import player
from tests.adapters.agents.claude.real import KEY, follow
from tests.adapters.agents.work import BRIEF, job, leaving_nothing, mark
from tests.adapters.foreign import both_ways, git, living, needs_sandbox, settings, without_sandbox
from tests.standins.model import Model

pytestmark = needs_sandbox


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    """After each test: no process of any attempt of it."""
    with leaving_nothing(tmp_path):
        yield


def work(folder: Path, **more: Any) -> AgentJob:
    return job(folder, **({"grace_seconds": 1.0} | more))


def start(
    folder: Path,
    scenario: str,
    url: str = "http://127.0.0.1:9/v1",
    brief: str = BRIEF,
    waits: bool = False,
    **more: Any,
) -> AcpSession:
    given = {
        "agent": "acp",
        "acp_command": (sys.executable, player.__file__, scenario),
        "model_url": url,
        "model_key_header": "authorization",
        "model_retries": 2,
    }
    agent = AcpAgent(settings(folder, **(given | more)), {"ANTHROPIC_API_KEY": KEY}.get)
    return agent.start(work(folder, brief=brief, waits=waits))


def play(folder: Path, scenario: str, *url: str, **more: Any) -> tuple[AgentResult, list[AgentEvent]]:
    return follow(start(folder, scenario, *url, **more))


@both_ways
def test_it_works_and_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandboxed: bool) -> None:
    work(tmp_path)
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    result, seen = play(tmp_path, "works", unsandboxed_ok=True)
    monkeypatch.undo()
    assert (result.end, result.exit_code, result.version) == (AgentEnd.DONE, 0, "1.2.3"), result
    assert result.unsandboxed is not sandboxed
    assert git(tmp_path / "tree", "log", "-1", "--format=%s %an") == "Add b ops-orchestrate"
    assert result.report is not None
    assert result.report.summary == f"The brief has {len(work(tmp_path).brief)} characters."
    assert result.report.cost_usd == 0.25
    told = [(event.kind, event.text) for event in seen if event.text]
    assert told == [
        (AgentEventKind.OUTPUT, "a line beside the protocol\n"),
        (AgentEventKind.MESSAGE, "I look first."),
        (AgentEventKind.TOOL_CALL, f"{tmp_path}/tree/b.txt"),
        (AgentEventKind.PLAN, "Tell"),
        (AgentEventKind.MESSAGE, result.report.summary),
        (AgentEventKind.STOP, "end_turn"),
    ]
    calls = [(event.tool, event.state) for event in seen if event.kind is AgentEventKind.TOOL_CALL]
    assert calls == [("edit", ToolState.BEGUN), ("", ToolState.DONE)]
    kept = transcript_path(settings(tmp_path), work(tmp_path)).read_text()
    assert '"session/update"' in kept
    assert '"ops/printed"' in kept


#: What a conversation ends with is in test_conversation.py: these are the ways of a program.
ROWS = [
    ("mute", AgentEnd.UNSTARTED, "does not speak ACP (exit code 2): usage: player"),
    ("deaf", AgentEnd.UNSTARTED, "(exit code 3)"),
    ("dies", AgentEnd.CRASHED, "by signal 9"),
    ("leaves", AgentEnd.CRASHED, "exited with 0, within its turn"),
    ("lingers", AgentEnd.DONE, ""),
]


@pytest.mark.parametrize(("scenario", "end", "says"), ROWS, ids=[row[0] for row in ROWS])
def test_how_it_ends(tmp_path: Path, scenario: str, end: AgentEnd, says: str) -> None:
    result, _ = play(tmp_path, scenario)
    assert result.end is end, result
    assert says in result.detail


def test_what_it_asks_for_is_answered_by_the_rule(tmp_path: Path) -> None:
    result, seen = play(tmp_path, "asks")
    assert result.report is not None
    assert result.report.summary == "no no no no yes yes -32601", "files and terminals of ours are not offered"
    denied = [(event.tool, event.text) for event in seen if event.state is ToolState.DENIED]
    assert denied == [
        ("execute", "git push is not for agents"),
        ("execute", "gh is not for agents"),
        ("edit", ".env holds secrets"),
        ("fetch", "it reaches the web"),
    ]
    assert (result.end, "git push is not for agents" in result.detail) == (AgentEnd.DONE, True)


def stops(seen: Sequence[AgentEvent]) -> list[str]:
    return [event.text for event in seen if event.kind is AgentEventKind.STOP]


def begun(seen: list[AgentEvent]) -> bool:
    return any(event.state is ToolState.BEGUN for event in seen)


@pytest.mark.parametrize(
    ("how", "scenario"), [("interrupt", "sleeps"), ("interrupt", "stubborn"), ("kill", "stubborn")]
)
def test_it_is_stopped_and_leaves_nothing(tmp_path: Path, scenario: str, how: Any) -> None:
    session = start(tmp_path, scenario)
    follow(session, begun)
    session.stop(how)
    result, seen = follow(session)
    assert result.end is AgentEnd.STOPPED, result
    assert living(mark(work(tmp_path))) == []
    assert stops(seen) == (["cancelled"] if scenario == "sleeps" else []), "it is asked by its protocol first"


def test_a_killed_supervisor_leaves_nothing(tmp_path: Path) -> None:
    session = start(tmp_path, "stubborn")
    follow(session, begun)
    os.kill(session._supervised.pid, signal.SIGKILL)
    result, _ = follow(session)
    assert (result.end, result.detail) == (AgentEnd.CRASHED, "Its supervisor died.")


def test_it_is_told_something_within_its_turn_and_between_its_turns(tmp_path: Path) -> None:
    """In one session, which stays open for that until it is released. How each kind is told is in test_conversation."""
    session = start(tmp_path, "sleeps", waits=True)
    follow(session, begun)
    assert session.message("Use «parse2».")
    follow(session, lambda seen: stops(seen) == ["cancelled", "end_turn"])
    assert session.message("The schema is merged.")
    session.release()
    result, _ = follow(session)
    assert result.report is not None
    assert (result.end, result.report.summary) == (AgentEnd.DONE, "The schema is merged.")
    assert not session.message("Too late.")
    kept = transcript_path(settings(tmp_path), work(tmp_path)).read_text()
    assert kept.count("ops/told") == 2


def test_a_log_that_is_full_ends_it(tmp_path: Path) -> None:
    result, _ = play(tmp_path, "floods", log_limit_mb=0.05)
    assert (result.end, "OPS_LOG_LIMIT_MB" in result.detail) == (AgentEnd.FAILED, True), result


#: What each status counts as is in tests/core/test_acp_outcome.py.
MODELS = [
    ("hiccup", AgentEnd.DONE, ""),
    ("rate", AgentEnd.QUOTA, "gives no more for now (429)"),
    ("credit", AgentEnd.QUOTA, "(400): Your credit balance is too low"),
]


@pytest.mark.parametrize(("scenario", "end", "says"), MODELS, ids=[row[0] for row in MODELS])
def test_what_its_model_says_is_seen_outside_of_it(
    tmp_path: Path, model: Model, who: str, scenario: str, end: AgentEnd, says: str
) -> None:
    """The agent would ask fifty times and tell nobody: it is ended after OPS_MODEL_RETRIES, each no is an event."""
    result, seen = play(tmp_path, "models", f"{model.url(scenario, who)}/v1")
    assert result.end is end, result
    assert says in result.detail
    assert [event for event in seen if event.kind is AgentEventKind.RETRY]
    assert len(model.bodies(who)) < 20


def test_a_long_brief_arrives_whole_and_its_report_is_read(tmp_path: Path) -> None:
    brief = "word " * 60_000 + "and the last one."
    result, _ = follow(start(tmp_path, "reports", brief=brief))
    assert result.report is not None
    assert (result.end, result.report.status) == (AgentEnd.DONE, "blocked")
    assert result.report.question == f"Of {len(brief)} characters, which one?"
