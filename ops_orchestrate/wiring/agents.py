"""Which agents there are, and whether one may be started on this host."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from ops_orchestrate.adapters.agents import AcpAgent, ClaudeAgent, CommandAgent, ScriptedAgent
from ops_orchestrate.adapters.sandbox import probe
from ops_orchestrate.config import Settings, process_settings, settings_of_agent
from ops_orchestrate.core.redaction import redact as by_shape
from ops_orchestrate.errors import UsageError
from ops_orchestrate.ports import Agent
from ops_orchestrate.wiring.outside import Outside

Redact = Callable[[str], str]


def _claude(outside: Outside, redact: Redact) -> Agent:
    settings = settings_of_agent(outside.settings, "claude")
    return ClaudeAgent(settings, _secrets_of(outside), redact)


def _acp(name: str) -> Callable[[Outside, Redact], Agent]:
    def made(outside: Outside, redact: Redact) -> Agent:
        return AcpAgent(outside.settings, _secrets_of(outside), redact, name)

    return made


def _command(outside: Outside, _redact: Redact) -> Agent:
    return CommandAgent(settings_of_agent(outside.settings, "command"), _secrets_of(outside))


def _secrets_of(outside: Outside) -> Callable[[str], str | None]:
    def secret(name: str) -> str | None:
        return outside.secrets.get(name)  # late: nobody is asked for a key before it is needed

    return secret


def _scripted(outside: Outside, _redact: Redact) -> Agent:
    return ScriptedAgent(outside.settings)


#: Agent kinds by the name in OPS_AGENT.
AGENTS: dict[str, Callable[[Outside, Redact], Agent]] = {
    "claude": _claude,
    "opencode": _acp("opencode"),
    "gemini": _acp("gemini"),
    "codex": _acp("codex"),
    "acp": _acp("acp"),
    "command": _command,
    "scripted": _scripted,
}


#: Those of them that can be told nothing while they work.
DEAF = frozenset({"command"})


def agent_of(settings: Settings, outside: Outside | None = None, redact: Redact = by_shape) -> Callable[[str], Agent]:
    """Agents by name. The function raises UsageError for a name that does not exist."""
    around = outside or Outside(settings)

    @lru_cache(maxsize=8)
    def named(name: str) -> Agent:
        if name not in AGENTS:
            raise UsageError(f"OPS_AGENT is {name!r}; there are: {', '.join(AGENTS)}.")
        return AGENTS[name](around, redact)

    return named


def sandbox_problem(settings: Settings) -> str:
    """Why no agent may be started on this host; empty where the sandbox works or the owner has opted out."""
    found = probe(settings)
    if found.ok or settings.unsandboxed_ok:
        return ""
    return (
        f"No sandbox works here: {found.detail}. Install bubblewrap, or set OPS_UNSANDBOXED_OK=1 to run agents "
        "and gates without one (every report will say so)."
    )


def sandbox_line() -> str:
    """What this host says about its sandbox on the board."""
    found = probe(process_settings())
    return found.version if found.ok else f"none: {found.detail}"
