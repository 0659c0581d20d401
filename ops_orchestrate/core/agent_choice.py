"""Which agent an attempt gets: the first in the owner's order whose account has quota."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ops_orchestrate.core.value import Value


class AgentChoice(Value):
    """The agent that works now, or when one can."""

    agent: str = ""
    """Empty: every account is parked."""
    until: float = 0.0
    """Without an agent: when the first account has quota again, in seconds since 1970."""


def in_order(first: str, fallback: Sequence[str]) -> tuple[str, ...]:
    """The agents that may work, the one that is wanted first; each of them once."""
    return tuple(dict.fromkeys((first, *fallback)))


def choose_agent(agents: Sequence[tuple[str, str]], parked: Mapping[str, float], now: float) -> AgentChoice:
    """The first of `agents` (its name, its account) that is not parked; else when the first of them comes back.

    `parked`: accounts, and until when they have no quota. Two agents with one account are parked together.
    """
    until = 0.0
    for name, account in agents:
        back = parked.get(account, 0.0)
        if back <= now:
            return AgentChoice(agent=name)
        until = min(until or back, back)
    return AgentChoice(until=until)
