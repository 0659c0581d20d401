"""Tasks: one pull request's worth of work in one repository, a node of the plan."""

from __future__ import annotations

from enum import StrEnum

from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.value import Value


class Priority(StrEnum):
    """How urgent a task is. `--fires-only` keeps P0 and what blocks it."""

    P0 = "P0"  #: production is broken
    P1 = "P1"  #: costs money or users now
    P2 = "P2"  #: ordinary work
    P3 = "P3"  #: when there is nothing better to do


class Mode(StrEnum):
    """How a run, or a task of it, is worked on (the seed's matrix)."""

    SUBAGENTS = "subagents"
    TEAMS = "teams"
    HYBRID = "hybrid"


class TaskMode(StrEnum):
    """The tag of one task."""

    SUBAGENT = "subagent"
    TEAM = "team"


class TaskSpec(Value):
    """A task as planned: what it is, never how far it is. Immutable once stored, except by a later audit."""

    id: str
    project: str
    repo: str
    """The repository's key."""
    title: str
    description: str = ""
    acceptance: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """Globs of what the task may change; empty: anything in its repository, and then it owns all of it."""
    priority: Priority = Priority.P2
    label: str = "P2"
    urgency: Priority | None = None
    """The most urgent priority among itself and everything that waits for it: admission goes by this, so that a
    fire is not stuck behind a P2 which it needs. None: its own priority."""
    blocked_by: tuple[str, ...] = ()
    mode: TaskMode = TaskMode.SUBAGENT
    mode_reason: str = ""
    member: str = ""
    """What its agent is called (`api-worker`): unique in its run, the same for every attempt."""
    wave: int = 0
    """Longest distance from a root: for display and `--max-waves`, nobody waits for it."""
    rank: float = 0.0
    """Larger starts earlier; see core/rank.py."""
    estimate: float = 600.0
    """Expected seconds of one attempt, learned from history where there is one."""
    fingerprint: str
    prints: tuple[tuple[str, str], ...] = ()
    """Every fingerprint that it covers, with the cause of each, its own first; empty: its own only."""
    sources: tuple[str, ...] = ()
    sensitive: str | None = None
    """Why a person has to review it (auth, payments, PII, secrets), else None."""
    human: str | None = None
    """Why only a person can do it; planned as blocked, never dispatched."""
    gate: str | None = None
    """The repository's gate, shown with the task (the seed's metadata)."""
    base: str = ""
    """The integration branch it ships to."""
    change: str = ""
    """The number of an open pull request of ours that the task goes on with; empty: it makes a change of its own."""
    change_branch: str = ""
    """With `change`: its branch."""
    begun_at: str = ""
    """A commit that an earlier run made, and that nothing could prove there: verified before an agent is asked."""
    begun_by: str = ""
    """With `begun_at`: the `RUN/TASK` that made it."""
    names: tuple[str, ...] = ()
    """Every name that it has at its sources: asked after once more right before the first agent starts."""
    closes: tuple[str, ...] = ()
    """What the merge closes at its sources: `owner/name#7`, `linear:ENG-12`, `sentry:4711`."""
    cause: str = ""
    fixes_base: bool = False
    """It is the task that turns a red base green: the same failure as the base's own is no excuse for it."""
    parts: tuple[str, ...] = ()
    """The tasks that it was split into: it has no work of its own any more, and completes when they have."""
    part_of: str = ""
    """The task that it is a part of."""
    split_by: str = ""
    """With `part_of`: who proposed it, `rule` or `planner`."""
    whole: tuple[tuple[str, str], ...] = ()
    """With `part_of`: (fingerprint, cause) of all that the whole settles."""
    of_parts: int = 1
    """With `part_of`: how many parts that has; they share its cap."""
    big: str = ""
    """Why an agent is asked how to split it before one works on it; empty: none is asked."""

    @property
    def claims(self) -> tuple[tuple[str, str], ...]:
        """(fingerprint, cause) of all that its merge settles."""
        return self.prints or ((self.fingerprint, self.cause),)


class TaskRecord(Value):
    """A task as the ledger has it now."""

    run: str
    spec: TaskSpec
    state: TaskState
    reason: str = ""
    ask: str = ""
    """While blocked: what kind of answer moves it on (`approve`, `retry`, `done`), see core/ask.py."""
    attempt: int = 0
    """Attempts that were claimed so far."""
    spent: int = 0
    """Attempts that count against the limit: an interrupted one does not."""
    early: bool = False
    """While in flight: its newest attempt was granted before its blockers had completed."""
    fence: int = 0
    """Fence of the newest grant."""
    stage: str = ""
    """Stage of the newest attempt."""
    seq: int = 0
    """How often the tail of the newest attempt's chain was published."""
    host: str = ""
    head: str = ""
    """The commit that the newest attempt delivered."""
    merge: str = ""
    """The commit on the integration branch, once proved."""
    change: str = ""
    """Branch or number of the change."""
    wake_at: float = 0.0
    updated_at: float = 0.0
