"""One agent's try: who holds it, how it ended, what the orchestrator found in it."""

from __future__ import annotations

from enum import StrEnum

from ops_orchestrate.core.part import Part
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.value import Value


class StageKey(Value):
    """The right to run one stage of one attempt. Every job of a chain carries this and nothing else."""

    run: str
    task: str
    attempt: int
    fence: int
    seq: int = 0
    """Which publication of the chain's tail this is: a snooze or a repair raises it."""


class OutcomeKind(StrEnum):
    """How an attempt ended. The retry rule reads the kind, never the text."""

    SUCCEEDED = "succeeded"  #: the agent ended well and left a commit
    EMPTY = "empty"  #: it says success and changed nothing
    FAILED = "failed"  #: it said so itself, or ended with an error
    CRASHED = "crashed"  #: it died, or its report cannot be read
    STALLED = "stalled"  #: no sign of life for too long
    TIMED_OUT = "timed-out"  #: over the time limit of an attempt
    INTERRUPTED = "interrupted"  #: stopped by a person or a shutdown; does not count as an attempt
    REDIRECTED = "redirected"  #: stopped to be told something; does not count, the next attempt goes on from its work
    PLANNED = "planned"  #: an agent was asked how to split the task, and nobody worked on it; does not count
    LOST = "lost"  #: its worker or host vanished
    QUOTA = "quota"  #: the model's provider gives no more for now; does not count, and is tried again after a pause
    UNSTARTED = "unstarted"  #: it could not be started (agent missing, no sandbox, no tree)
    REFUSED = "refused"  #: a guard refused what it made
    REJECTED = "rejected"  #: the gate failed on what it made
    SENT_BACK = "sent-back"  #: its checks or reviewers on the forge said no; the next attempt goes on from its head
    CONFLICT = "conflict"  #: its change does not merge with the base
    VERIFIED = "verified"
    MERGED = "merged"
    ALREADY_DONE = "already-done"  #: nothing is left to be done: the base has it
    WAITING = "waiting"  #: a person has to act


class Outcome(Value):
    """What a stage passes on to the next one, through the ledger."""

    kind: OutcomeKind
    summary: str = ""
    """For people: one or two sentences. May hold text of the agent's, cleaned."""
    log_tail: str = ""
    """The relevant end of a log: goes into the next brief."""
    head: str = ""
    """The commit delivered."""
    base: str = ""
    """The commit it was judged against."""
    tree: str = ""
    """The tree of the merge preview that was verified."""
    merge: str = ""
    """With MERGED: the commit on the base."""
    files: tuple[str, ...] = ()
    ask: str = ""
    """With WAITING or REFUSED: what a person can answer."""
    command: str = ""
    """With WAITING: the command that would resolve it."""
    cost_usd: float | None = None
    tokens: int | None = None
    unsandboxed: bool = False
    rule: str = ""
    """With REFUSED or WAITING: the guard's name; with SENT_BACK by the security reviewer: `security-review`."""
    review: str = ""
    """What the security reviewer said of this head, in one sentence; empty where none was asked."""
    hand_over: str = ""
    """What the agent says a dependant needs to know; goes into their briefs as quoted data."""
    agent_version: str = ""
    """Of the program that worked."""
    resets_at: float = 0.0
    """With QUOTA: when there is more, in seconds since 1970; 0 where nobody said."""
    parts: tuple[Part, ...] = ()
    """With PLANNED: the parts that an agent proposed and the rules let through; empty: it goes on undivided."""


class AttemptRecord(Value):
    """One attempt as the ledger keeps it."""

    number: int
    fence: int
    agent: str = ""
    host: str = ""
    started_at: float = 0.0
    ended_at: float = 0.0
    outcome: Outcome | None = None
    """The last outcome recorded for it, over all its stages."""
    brief_digest: str = ""
    branch: str = ""
    salvage: str = ""
    """Ref under which its work is kept, where it was not delivered."""


class HandOver(Value):
    """What a completed blocker produced, for the briefs of its dependants."""

    task: str
    title: str
    project: str
    merge: str
    summary: str
    files: tuple[str, ...] = ()


class Settlement(Value):
    """Where an attempt leaves its task."""

    state: TaskState
    reason: str
    ask: str = ""
    not_before: float = 0.0
    """With RETRYABLE: no other attempt starts before this moment of the server's clock; 0: at once."""
