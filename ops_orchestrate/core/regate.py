"""A repository's gate as the owner's registry has it now, and what a person's answer makes of it in a run that goes on.

A run works with the registry as it was at its start. Only a person's word takes a gate from it later, and only from the
registry: never from a task, an agent or a repository.
"""

from __future__ import annotations

from ops_orchestrate.core.project import GateSetting, Repository
from ops_orchestrate.core.value import Value


class Registered(Value):
    """What the registry says of one repository, read just now."""

    origin: str
    """The registry's file."""
    digest: str
    """SHA-256 of its bytes."""
    repository: Repository | None
    """None: no entry leads to it."""
    missing: str = ""
    """Why there is no registry at all, and the remedy."""


class Regate(Value):
    """What follows for the run."""

    take: GateSetting | None = None
    """The gate that the run goes on with; None: it keeps what it has."""
    refusal: str = ""
    """Why there is nothing to verify with, and the remedy; empty where there is a gate."""


def regate(repository: Repository, found: Registered) -> Regate:
    """What a run that has `repository` so takes from the registry as it is now.

    A gate that the registry has no more stays the run's: what was proved by it stays proved.
    """
    now = found.repository.gate_setting if found.repository else None
    if now is not None:
        return Regate(take=now if now != repository.gate_setting else None)
    if repository.gate_setting is not None:
        return Regate()
    return Regate(refusal=f"{repository.name} {_lacks(repository, found)}, and answer yes then.")


def _lacks(repository: Repository, found: Registered) -> str:
    if found.missing:
        return f"has no gate, and there is no registry that could give it one. {found.missing.rstrip('.')}"
    if found.repository is None:
        return f"still has no entry in {found.origin}: add one for {repository.path}, with an `ops.gate`"
    return (
        f"still has no gate in {found.origin}, so nothing can prove the work: give its entry an `ops.gate` "
        f"(`ops-orchestrate init {repository.path}` proposes one)"
    )
