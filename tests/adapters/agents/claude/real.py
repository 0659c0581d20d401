"""The real Claude Code against the model stand-in, as our own agent starts it: what its tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.agents import ClaudeAgent
from ops_orchestrate.core.agent import AgentEvent, AgentJob, AgentResult
from ops_orchestrate.ports import AgentSession
from tests.adapters.agents.work import job
from tests.adapters.foreign import eventually, needs_sandbox, settings
from tests.standins.model import Model

CLAUDE = Path(__file__).parents[4] / ".agents" / "node_modules" / ".bin" / "claude"
KEY = "sk-ant-test-0123456789abcdefghij"
"""Only the proxy and the model may ever see it."""
SECONDS = 90.0

needs_claude = pytest.mark.skipif(not CLAUDE.exists(), reason="the real Claude Code is not here: run `make agents`")
real = [needs_claude, needs_sandbox, pytest.mark.real]


def claude(folder: Path, url: str, **more: Any) -> ClaudeAgent:
    """The agent with a model at `url`; few retries, so that a broken model is known in seconds."""
    given = {"claude": str(CLAUDE), "model_url": url, "model_retries": 1, "log_limit_mb": 20, "grace": 5} | more
    used = settings(folder, **given)
    return ClaudeAgent(used, {"ANTHROPIC_API_KEY": KEY}.get)


def work(folder: Path, **more: Any) -> AgentJob:
    """A job in a small repository, with the grace that a real program needs."""
    return job(folder, **({"grace_seconds": 5.0, "beat_seconds": SECONDS} | more))


def play(folder: Path, at: Model, scenario: str, who: str = "x", **more: Any) -> tuple[AgentResult, list[AgentEvent]]:
    """Run a scenario to its end: the result, and every event."""
    session = claude(folder, at.url(scenario, who), **more).start(work(folder))
    return follow(session)


def follow(session: AgentSession, until: Callable[[Sequence[AgentEvent]], object] | None = None) -> Any:
    """Its result and events once it has ended; or only its events, once `until` is true of them. Else it is killed."""
    seen: list[AgentEvent] = []

    def over() -> AgentResult | bool | None:
        session.beat()
        seen.extend(session.events(0.05))
        if until is not None:
            return bool(until(seen))
        return session.result()

    try:
        found = eventually(over, SECONDS)
    except BaseException:
        session.stop("kill")
        eventually(session.result, SECONDS)
        raise
    if until is not None:
        return seen
    return found, [*seen, *session.events(0)]


def stand_in(folder: Path, body: str) -> str:
    """A program in the place of Claude Code: a shell script with this body."""
    program = folder / "claude"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return str(program)
