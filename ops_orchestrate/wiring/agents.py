"""Which agents there are, and whether one may be started on this host."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from ops_orchestrate.adapters.agents.command import CommandAgent
from ops_orchestrate.adapters.agents.scripted import ScriptedAgent
from ops_orchestrate.adapters.sandbox import probe
from ops_orchestrate.config import Settings, process_settings
from ops_orchestrate.errors import AgentUnavailable
from ops_orchestrate.ports import Agent
from ops_orchestrate.wiring.outside import Outside


def _command(settings: Settings) -> Agent:
    outside = Outside(settings)

    def secret(name: str) -> str | None:
        return outside.secrets.get(name)  # late: nobody is asked for a key before it is needed

    return CommandAgent(settings, secret)


#: Agent kinds by the name in OPS_AGENT.
AGENTS: dict[str, Callable[[Settings], Agent]] = {"command": _command, "scripted": ScriptedAgent}


def agent_of(settings: Settings) -> Callable[[str], Agent]:
    """Agents by name. The function raises AgentUnavailable for a name that does not exist."""

    @lru_cache(maxsize=8)
    def named(name: str) -> Agent:
        if name not in AGENTS:
            raise AgentUnavailable(f"OPS_AGENT is {name!r}; there are: {', '.join(AGENTS)}.")
        return AGENTS[name](settings)

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
