"""May a machine join the others on one ledger? One version, one name a machine, and a server fit to be trusted."""

from __future__ import annotations

from collections.abc import Iterable

from ops_orchestrate.core.board import Host


def why_not_join(me: Host, others: Iterable[Host]) -> str:
    """Why this machine may not work beside those that live; empty where it may. One sentence with its remedy."""
    for other in others:
        if other.version and other.version != me.version:
            return (
                f"{other.name} runs ops-orchestrate {other.version}, this is {me.version}: versions do not share a "
                f"ledger. Stop {other.name} (after `ops-orchestrate drain {other.name}` there), or install "
                f"{other.version} here."
            )
        if other.name == me.name and other.machine and other.machine != me.machine:
            return (
                f"Another machine is called {me.name} already: give this one a name of its own in OPS_HOST. (A copied "
                "data directory must be without its file `orchestrate/machine`.)"
            )
    return ""


def skewed(version: str, hosts: Iterable[Host]) -> str:
    """Why a command of this version should leave those hosts' ledger alone; empty where it need not."""
    return why_not_join(Host(name="", pools={}, seen_at=0, version=version), hosts)
