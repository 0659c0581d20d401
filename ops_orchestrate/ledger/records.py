"""From the server's hashes to frozen values. A field that is missing has the value's default."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import ValidationError

from ops_orchestrate import __version__
from ops_orchestrate.core.attempt import AttemptRecord, Outcome
from ops_orchestrate.core.project import GateSetting, Skipped
from ops_orchestrate.core.run import RunRecord, RunRequest
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.core.task import TaskRecord, TaskSpec
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import OtherVersion
from ops_orchestrate.ledger.results import Edge

Hash = Mapping[str, str]
V = TypeVar("V", bound=Value)


def run_record(run: str, stored: Hash, request: RunRequest | None = None) -> RunRecord:
    """A run of its hash; `request`: where it is known already, and the hash need not hold it."""
    return RunRecord(
        id=run,
        request=request or _read(RunRequest, stored["request"], f"run {run}"),
        state=RunState(stored["state"]),
        reason=stored.get("reason", ""),
        stop=stored.get("stop", ""),
        created_at=_float(stored, "created_at"),
        finished_at=_float(stored, "finished_at"),
        skipped=tuple(json.loads(stored.get("skipped") or "[]")),
        unknown=tuple(json.loads(stored.get("unknown") or "[]")),
    )


def with_gates(record: RunRecord, stored: Hash) -> RunRecord:
    """The run with the gates that its repositories have been given since it began, as they are stored."""
    if not stored:
        return record
    gates = {repo: GateSetting.model_validate_json(text) for repo, text in stored.items()}
    request = record.request
    portfolio = request.portfolio.with_gates(gates)
    return record.model_copy(update={"request": request.model_copy(update={"portfolio": portfolio})})


def _read(kind: type[V], text: str, what: str) -> V:
    """A stored value. Raises OtherVersion: this one writes nothing that it cannot read."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"]))
        raise OtherVersion(other_version(what, field)) from None


def other_version(what: str, field: str) -> str:
    """What is said where something stored cannot be read, for that field of it."""
    return (
        f"What the ledger holds of {what} was written by another version of ops-orchestrate: {__version__}, which "
        f"reads it, makes nothing of its {field or 'form'}. Install the version that wrote it, or begin with an empty "
        "ledger (docs/operating.md, Several machines)."
    )


def task_record(run: str, stored: Hash) -> TaskRecord:
    """A task of its hash."""
    texts = {name: stored.get(name, "") for name in ("reason", "ask", "stage", "host", "head", "merge", "change")}
    numbers = {name: int(stored.get(name) or 0) for name in ("attempt", "spent", "fence", "seq")}
    times = {name: _float(stored, name) for name in ("wake_at", "updated_at")}
    return TaskRecord(
        run=run,
        spec=_read(TaskSpec, stored["spec"], f"a task of run {run}"),
        state=TaskState(stored["state"]),
        early=stored.get("early") == "1",
        **texts,
        **numbers,
        **times,
    )


def attempt_record(stored: Hash) -> AttemptRecord:
    """An attempt of its hash."""
    return AttemptRecord(
        number=int(stored["number"]),
        fence=int(stored["fence"]),
        agent=stored.get("agent", ""),
        host=stored.get("host", ""),
        started_at=_float(stored, "started_at"),
        ended_at=_float(stored, "ended_at"),
        outcome=outcome(stored.get("outcome")),
        brief_digest=stored.get("brief_digest", ""),
        branch=stored.get("branch", ""),
        salvage=stored.get("salvage", ""),
    )


def outcome(text: str | None) -> Outcome | None:
    """A stored outcome."""
    return _read(Outcome, text, "an attempt") if text else None


def edges_of(flat: Sequence[str | int]) -> tuple[Edge, ...]:
    """What a script has left to do for those that wait for a completed task, without the place to go on from."""
    rows = (flat[start : start + 5] for start in range(0, len(flat), 5))
    return tuple(
        Edge(str(child), int(place), int(size), parts=int(parts) == 1, first=int(first) == 1)
        for child, place, size, parts, first in rows
    )


def skipped_lines(items: tuple[Skipped, ...] | list[Skipped]) -> str:
    """Entries that were left out, as the run keeps them: one line each, a JSON list."""
    return json.dumps([f"{item.name}: {item.reason}" for item in items])


def skipped_data(items: tuple[Skipped, ...] | list[Skipped]) -> list[dict[str, str]]:
    """The same for an event."""
    return [{"name": item.name, "reason": item.reason} for item in items]


def _float(stored: Hash, name: str) -> float:
    return float(stored.get(name) or 0)
