"""What the events of one run add up to: the frozen picture that every table and document is made of.

Text in it has been cleaned where it entered (`fold`), so nothing here needs care when it is printed.
Times are seconds of the server's clock since 1970; None where it has not happened.
"""

from __future__ import annotations

from pydantic import Field

from ops_orchestrate.core.project import Skipped
from ops_orchestrate.core.states import IN_FLIGHT, STARTABLE, TaskState
from ops_orchestrate.core.value import Value
from ops_orchestrate.report.view_own import PromotionView, RevertView

#: States in which nothing more happens to a task unless a person says so.
SETTLED = frozenset({TaskState.COMPLETED, TaskState.BLOCKED, TaskState.DISCARDED, TaskState.CANCELLED})


class AttemptView(Value):
    """One agent's try."""

    number: int
    fence: int | None = None
    agent: str = ""
    agent_version: str = ""
    host: str = ""
    slot: int | None = None
    started: float | None = None
    ended: float | None = None
    """When the agent had exited and its commits were in; verifying and shipping come after it."""
    outcome: str = ""
    """The last one recorded over all stages, a word of core.attempt.OutcomeKind; empty while it works."""
    summary: str = ""
    head: str = ""
    branch: str = ""
    brief: str = ""
    """Digest of the brief: no two attempts of a task share one."""
    seconds: float | None = None
    cost_usd: float | None = None
    tokens: int | None = None
    """Its agent's, as `cost_usd`; its security reviews stand apart."""
    review_usd: float | None = None
    review_tokens: int | None = None
    reviews_unpriced: int = 0
    salvage: str = ""
    """Ref under which undelivered work is kept."""
    unsandboxed: bool | None = None
    """None where nobody said so yet; it is never taken for "in a sandbox"."""


class VerdictView(Value):
    """What verify concluded about one commit."""

    at: float
    attempt: int | None = None
    kind: str
    rule: str = ""
    summary: str = ""
    head: str = ""
    base: str = ""
    tree: str = ""


class ReviewView(Value):
    """What a security reviewer said of one commit."""

    at: float
    attempt: int | None = None
    verdict: str
    """`approve`, `reject`, `unsure`; `none`: there is no review, for the reason `why`."""
    why: str = ""
    summary: str = ""
    findings: int = 0
    head: str = ""
    base: str = ""
    agent: str = ""
    model: str = ""
    cost_usd: float | None = None


class RefusalView(Value):
    """A no: a guard's, or the forge's."""

    at: float
    by: str
    reason: str
    command: str = ""
    """What a person could run to resolve it, where there is such a command."""
    repo: str = ""
    """Of a change of the run's own: the repository's key."""
    ask: str = ""
    """Of what waits for a person: `promote`, `back`, `revert`."""
    what: str = ""
    """Of a change of the run's own: `promotion`, `back-merge`, `revert`."""


class HandOverView(Value):
    """What a task was told about the work of one that it waited for."""

    source: str
    """The task that handed it over."""
    text: str
    """In its agent's words."""


class MessageView(Value):
    """Something that was said to a task's agent."""

    number: int
    sender: str
    topic: str
    text: str
    at: float
    told: str = ""
    """How it was told last: `session` or `brief`; empty while it waits."""


class TaskView(Value):
    """One task, and how far it is."""

    id: str
    project: str = ""
    repo: str = ""
    title: str = ""
    priority: str = ""
    label: str = ""
    mode: str = ""
    mode_reason: str = ""
    member: str = ""
    """What its agent is called."""
    wave: int = 0
    blocked_by: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    """What it was split into; `part_of` what it is a part of, `split_by` who proposed it (`rule`, `planner`)."""
    part_of: str = ""
    split_by: str = ""
    split_why: str = ""
    big: str = ""  # why an agent is asked how to split it first
    estimate: float | None = None
    paths: tuple[str, ...] = ()
    acceptance: tuple[str, ...] = ()
    sensitive: str = ""
    human: str = ""
    detail: str = ""
    gate: str = ""
    base: str = ""
    state: TaskState = TaskState.QUEUED
    reason: str = ""
    ask: str = ""
    """While blocked: the kind of answer that moves it on."""
    command: str = ""
    """While blocked: the command that would resolve it outside of us, as the forge's refusal named it."""
    held_by: tuple[str, ...] = ()
    """Derived: the blocked, discarded or cancelled tasks that it cannot start before."""
    settled_at: float | None = None
    wake_at: float | None = None
    """While snoozed: when it is looked at again."""
    note: str = ""
    """The last word of its agent, or of a snooze."""
    attempts: tuple[AttemptView, ...] = ()
    change: str = ""
    head: str = ""
    verdicts: tuple[VerdictView, ...] = ()
    reviews: tuple[ReviewView, ...] = ()
    refusals: tuple[RefusalView, ...] = ()
    merge: str = ""
    """The commit on the integration branch, once proved."""
    merged_into: str = ""
    merged_at: float | None = None
    promoted_to: str = ""
    promoted_as: str = ""
    """The commit on that branch that brought it there."""
    reopened: int = 0
    hand_overs: tuple[HandOverView, ...] = ()
    messages: tuple[MessageView, ...] = ()

    @property
    def in_flight(self) -> bool:
        """Whether an attempt of it is under way."""
        return self.state in IN_FLIGHT

    @property
    def startable(self) -> bool:
        """Whether it waits for a slot or for its blockers."""
        return self.state in STARTABLE

    @property
    def settled(self) -> bool:
        """Whether nothing more happens to it without a person."""
        return self.state in SETTLED

    @property
    def newest(self) -> AttemptView | None:
        """Its last attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def deploy(self) -> str:
        """How far it is shipped, for the board: `main`, `dev merged`, or a dash."""
        if self.promoted_to:
            return self.promoted_to
        if not self.merge:
            return "—"
        return f"{self.merged_into} merged" if self.merged_into else "merged"


class SlotView(Value):
    """A slot that this run holds now."""

    index: int
    task: str
    attempt: int | None = None
    fence: int | None = None


class OwnerView(Value):
    """Which task of this run may write in a repository now. No paths: all of it."""

    repo: str
    task: str
    fence: int | None = None
    paths: tuple[str, ...] = ()


class NoteView(Value):
    """Something the audit noticed that is no task: the owner's own uncommitted work, for one."""

    kind: str
    project: str = ""
    title: str


class RunView(Value):
    """A run as its events tell it."""

    run: str = ""
    last_seq: int | None = None
    last_at: float | None = None
    mode: str = ""
    mode_note: str = ""
    scope: str = ""
    origin: str = ""
    digest: str = ""
    agent: str = ""
    version: str = ""
    host: str = ""  # where it was asked for
    projects: tuple[str, ...] = ()
    dry_run: bool = False
    fires_only: bool = False
    no_main: bool = False
    force: bool = False
    max_waves: int | None = None
    began: float | None = None
    planned: float | None = None
    finished: float | None = None
    state: str = ""
    """A word of core.states.RunState; empty before anything happened."""
    reason: str = ""
    stop: str = ""
    """`salvage` or `now` once a stop was asked for."""
    waiting: str = ""
    """Why tasks that could start do not: the owner's money, or a quota; empty where none waits for that."""
    waiting_until: float | None = None
    """When that ends by itself."""
    unsandboxed: bool = False
    """Whether anything of it ran without a sandbox."""
    warnings: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unknown: tuple[Skipped, ...] = ()
    notes: tuple[NoteView, ...] = ()
    refusals: tuple[RefusalView, ...] = ()
    """Refusals of the run's own steps, such as a promotion; those of a task are with the task."""
    tasks: dict[str, TaskView] = Field(default_factory=dict)
    """In plan order."""
    slots: dict[int, SlotView] = Field(default_factory=dict)
    owners: tuple[OwnerView, ...] = ()
    promotions: tuple[PromotionView, ...] = ()
    reverts: tuple[RevertView, ...] = ()

    @property
    def noticed(self) -> list[str]:
        """What the audit noticed, a line each."""
        return [f"{note.project}: {note.title}" if note.project else note.title for note in self.notes]

    @property
    def seconds(self) -> float | None:
        """How long it has taken, or has been under way at its last event."""
        end = self.finished if self.finished is not None else self.last_at
        return None if self.began is None or end is None else max(0.0, end - self.began)

    def of_state(self, *states: TaskState) -> list[TaskView]:
        """The tasks in any of these states, in plan order."""
        return [task for task in self.tasks.values() if task.state in states]
