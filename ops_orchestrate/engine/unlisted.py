"""What foreign code wanted to reach and could not: told to the owner, who alone can put it on a list."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.change import GateResult
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.hosts import why_refused
from ops_orchestrate.core.project import Repository
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import LedgerUnavailable


def gate_wanted(repository: Repository, gate: GateResult, tools: Toolbox) -> str:
    """What a gate asked for in vain, in a sentence; empty where there is nothing to tell."""
    return tools.secrets.redact(why_refused("The gate", gate.unlisted, f"`gate_hosts` of {repository.name}"))


def tell_unlisted(key: StageKey, who: str, hosts: Sequence[str], tools: Toolbox) -> None:
    """A warning in the story of the attempt of what its agent, or another that was asked about it, did not reach."""
    tell(key, tools.secrets.redact(why_refused(who, hosts, "OPS_AGENT_HOSTS")), tools)


def tell(key: StageKey, text: str, tools: Toolbox) -> None:
    """A warning in the story of the attempt; nothing where there is no text."""
    if text:
        with suppress(LedgerUnavailable):  # no reason to end an attempt
            tools.note(key, EventKind.WARNING, {"text": text})
