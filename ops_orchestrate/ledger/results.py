"""What the ledger answers: small frozen values. They carry no rule; the steps decide what follows from them."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, NamedTuple

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.crossref import Blocker, Left
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.spend import Amount
from ops_orchestrate.core.states import RunState, Stage, TaskState
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.core.value import Value

Stop = Literal["", "salvage", "now", "cancel"]


class Claim(Value):
    """Whether a job may run a stage."""

    kind: Literal["ok", "stale", "taken", "done", "pass"]
    """`ok`: it is yours. `stale`: a newer grant or publication exists, or the task has left the stage.
    `taken`: another holder's lease lives. `done`: this stage has ended, let the chain go on.
    `pass`: the attempt ended in an earlier stage, pass on to settle."""
    stop: Stop = ""
    """With `ok`: the run is stopping, or this task was cancelled."""

    @property
    def ok(self) -> bool:
        """Whether the stage is the caller's."""
        return self.kind == "ok"


class Granted(Claim):
    """A stage that is the caller's, with what it works on as that stood when it was claimed.

    Whatever has to be so when a branch is moved is looked at again right before that (`Looks.landing`).
    """

    run: RunRecord
    task: TaskRecord
    reserved: Amount = Amount()
    """Of an agent's stage: what was set aside for the attempt, and so the most that it may use."""


class Renewal(Value):
    """What a heartbeat brought back."""

    ok: bool
    """False: the claim is lost. Kill the agent and do nothing more."""
    stop: Stop = ""


class End(IntEnum):
    """What became of a stage that was to be ended; false where it was not."""

    LOST = 0
    """The claim was lost."""
    ENDED = 1
    WANTED = 2
    """It has ended, and some task waits for a free slot."""


class Announced(IntEnum):
    """What became of a merge that was to be announced; false where the claim was lost."""

    LOST = 0
    """The claim was lost."""
    DONE = 1
    BUSY = 2
    """Somebody else has the lock."""


class Offered(IntEnum):
    """What became of a task that was offered to admission; false where it may not start."""

    NO = 0
    YES = 1
    ROOM = 2
    """It may start, and a slot is free: somebody has to fill it. Where none is, whoever gives one back does."""


class Edge(NamedTuple):
    """One way in which the completion of a task counts, and that the ledger has not seen to itself."""

    child: str
    """The task that waits."""
    place: int
    """That of the completed one among all that it waits for in this way, from 0."""
    size: int
    """How many these are. Where it is one, the child could not simply be offered: it is a composite, or under way."""
    parts: bool
    """Whether these are its parts, behind which it completes."""
    first: bool
    """Of several: the caller sees to it that the size of their join is set. One caller, and whoever repeats it."""


class Settled(Value):
    """What a settlement did."""

    applied: bool
    """False: someone else settled it, the key is stale, or the attempt is not over."""
    state: TaskState
    """The state of the task now."""
    blocked: int = 0
    """How many tasks of the run wait for a person now."""
    in_flight: int = 0
    """How many tasks of the run are in flight now."""
    wanted: bool = False
    """Somebody has to fill a slot: one is free, and a task waits for it."""
    edges: tuple[Edge, ...] = ()
    """What is left to do for the tasks that wait for it."""


class Reaped(Value):
    """One thing the reaper found without a living lease, and what the caller has to publish."""

    key: StageKey
    stage: Stage
    what: Literal["ungranted", "lost", "republish", "settle"]
    """`ungranted`: nothing (it was offered again). `lost`, `settle`: publish settle.
    `republish`: publish the tail of the chain from `stage`."""


class Posted(Value):
    """What became of a message to a task's agent."""

    kind: Literal["sent", "known", "full", "ended"]
    """`known`: it was there already. `full`: the mailbox takes no more. `ended`: nobody works on the task any more."""
    number: int = 0
    """Its place in the mailbox."""


class ClaimView(Value):
    """Who has a finding, and how far it is with it."""

    run: str
    task: str
    state: TaskState
    run_state: RunState
    cause: str = ""
    merge: str = ""
    ask: str = ""
    """While blocked: what it asks a person."""
    head: str = ""
    """The commit that its newest attempt delivered."""
    gate: str = ""
    """While it asks to be verified: the gate that has not proved it; empty where it had none."""
    behind: tuple[Blocker, ...] = ()
    """Where its run has ended before it: what it waits for there."""
    left: Left | None = None
    """Until its run's plan is there: what it takes over, and from whom."""
