"""Real agents over ACP against the model stand-in, as our own adapter starts them: what their tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.agents import AcpAgent
from ops_orchestrate.core.agent import AgentEvent, AgentJob, AgentResult
from tests.adapters.agents.claude.real import KEY, SECONDS, follow
from tests.adapters.agents.work import job
from tests.adapters.foreign import settings
from tests.standins.model import Model

BIN = Path(__file__).parents[4] / ".agents" / "acp" / "node_modules" / ".bin"
KINDS = {"opencode": "opencode", "gemini": "gemini", "codex": "codex-acp"}


def needs(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not (BIN / KINDS[kind]).exists(), reason=f"the real {kind} is not here: run `make agents`"
    )


def acp(kind: str, folder: Path, url: str, **more: Any) -> AcpAgent:
    """The agent with a model at `url`."""
    given = {
        "agent": "acp",
        "acp_command": (str(BIN / KINDS[kind]),),
        "model": "gemini-2.5-pro" if kind == "gemini" else "m1",
        "model_url": url + ("" if kind == "gemini" else "/v1"),
        "model_retries": 1,
        "log_limit_mb": 20,
    }
    return AcpAgent(settings(folder, **(given | more)), dict.fromkeys(("OPENAI_API_KEY", "GEMINI_API_KEY"), KEY).get)


def work(folder: Path, **more: Any) -> AgentJob:
    """A job in a small repository, with the grace that a real program needs."""
    return job(folder, **({"grace_seconds": 5.0, "beat_seconds": SECONDS, "seconds": 2 * SECONDS} | more))


def play(
    kind: str, folder: Path, at: Model, scenario: str, who: str = "x", **more: Any
) -> tuple[AgentResult, list[AgentEvent]]:
    """Run a scenario to its end: the result, and every event."""
    return follow(acp(kind, folder, at.url(scenario, who), **more).start(work(folder)))
