"""A person has given a repository a gate since the run began: with their answer the run takes it from the registry."""

from __future__ import annotations

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.project import GateSetting, Repository
from ops_orchestrate.core.regate import Registered, regate
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import LedgerUnavailable, OpsError, UsageError


def take_gate(record: TaskRecord, *, by: str, needed: bool, tools: Toolbox) -> str:
    """Let the task's run go on with the gate that the registry has now; what that changes, in words.

    Empty where it changes nothing. `needed`: the gate is what the answer is about. Raises UsageError then where there
    is none, and RegistryError where the registry cannot be read; else that is only said.
    """
    portfolio = tools.ledger.runs.get(record.run).request.portfolio
    repository = portfolio.repository(record.spec.repo)
    try:
        found = tools.registered(portfolio, repository.key)
    except LedgerUnavailable:
        raise
    except OpsError as error:
        if needed:
            raise
        text = f"The registry could not be read again, so the gate of {repository.name} stays what it was: {error}"
        tools.ledger.runs.note(record.run, EventKind.WARNING, task=record.spec.id, data={"text": text})
        return ""
    decided = regate(repository, found)
    if decided.refusal and needed:
        raise UsageError(decided.refusal)
    if decided.take is None:
        return ""
    tools.ledger.runs.take_gate(
        record.run, repository.key, decided.take, task=record.spec.id, told=_told(repository, decided.take, found, by)
    )
    return f", with the gate `{one_line(decided.take.gate, 200)}` of {found.origin}"


def with_gate(record: TaskRecord, repository: Repository) -> TaskRecord:
    """The task as of now: with the gate that its run has now, which a person may have given it after it was planned."""
    if record.spec.gate == repository.gate:
        return record
    return record.model_copy(update={"spec": record.spec.model_copy(update={"gate": repository.gate})})


def _told(repository: Repository, gate: GateSetting, found: Registered, by: str) -> dict[str, str]:
    return {
        "repo": repository.key,
        "name": repository.name,
        "gate": gate.gate,
        "before": repository.gate or "",
        "origin": found.origin,
        "digest": found.digest,
        "by": by,
    }
