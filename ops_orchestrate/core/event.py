"""Events: the append-only story of a run. Reports, `events --json` and every outside check are made of these.

`docs/schemas.md` documents them; `EVENT_VERSION` changes when a field changes its meaning.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from ops_orchestrate.core.value import Value

EVENT_VERSION = 1


class EventKind(StrEnum):
    """What happened. The data each kind carries is listed in docs/schemas.md and checked by a test."""

    RUN_BEGUN = "run.begun"
    RUN_PLANNED = "run.planned"
    RUN_STOPPING = "run.stopping"
    RUN_RESUMED = "run.resumed"
    RUN_FINISHED = "run.finished"
    GATE_TAKEN = "gate.taken"  #: by a person's answer, from the registry: a repository of the run has another gate
    RUN_WAITING = "run.waiting"  #: tasks of it may start, but for money or a quota
    ACCOUNT_PARKED = "account.parked"  #: an agent's account has no quota
    AUDIT_PART = "audit.part"
    TASK_PLANNED = "task.planned"
    TASK_SETTLED = "task.settled"  #: state and reason: completed, retryable, blocked, discarded, cancelled
    TASK_REOPENED = "task.reopened"  #: by answer or retry
    TASK_SPLIT = "task.split"  #: it waits for its parts now, and completes when they have
    TASK_SNOOZED = "task.snoozed"
    SLOT_TAKEN = "slot.taken"
    SLOT_RELEASED = "slot.released"
    OWNERSHIP_TAKEN = "ownership.taken"
    OWNERSHIP_RELEASED = "ownership.released"
    ATTEMPT_STARTED = "attempt.started"
    ATTEMPT_ENDED = "attempt.ended"
    AGENT_NOTE = "agent.note"  #: progress worth showing: what the agent says it is doing
    MESSAGE_SENT = "message.sent"  #: into the mailbox of a task's agent
    MESSAGE_DELIVERED = "message.delivered"  #: the attempt was told it: in its session, or in its brief
    STAGE_CLAIMED = "stage.claimed"
    STAGE_LOST = "stage.lost"  #: its lease ended; the tail of the chain is published again
    EVIDENCE = "evidence"
    VERDICT = "verdict"
    MERGE_INTENDED = "merge.intended"
    MERGE_PROVED = "merge.proved"
    MERGE_REFUSED = "merge.refused"
    SALVAGED = "salvaged"
    PROMOTED = "promoted"
    BACK_MERGED = "back.merged"  #: what main had and integration lacked
    REVERTED = "reverted"  #: a merge was taken back, by a merge of its own
    WARNING = "warning"


class Event(Value):
    """One line of `events RUN --json`."""

    seq: int
    at: float
    """The server's clock, seconds since 1970."""
    kind: EventKind
    run: str
    task: str | None = None
    attempt: int | None = None
    fence: int | None = None
    host: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)
