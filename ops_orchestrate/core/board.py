"""What admission looks at: slots, owners, candidates, as one frozen picture with a version."""

from __future__ import annotations

from pydantic import Field

from ops_orchestrate.core.task import Priority
from ops_orchestrate.core.value import Value

#: The user's own number: at most five agents at once, over all workers and all runs. A setting may lower it.
MAX_AGENTS = 5


class Slot(Value):
    """Room for one agent, taken. Ends when the agent has exited and its commits are imported."""

    index: int
    run: str
    task: str
    attempt: int
    fence: int
    host: str = ""
    """Empty until the attempt is claimed."""
    taken_at: float
    lease_until: float


class Owner(Value):
    """Who may write in a repository, and where. No paths: all of it."""

    repo: str
    run: str
    task: str
    fence: int
    host: str = ""
    paths: tuple[str, ...] = ()
    lease_until: float


class Candidate(Value):
    """A task that may start: startable, offered to admission, its blockers completed (or `early`)."""

    run: str
    task: str
    repo: str
    project: str = ""
    """Its alias."""
    paths: tuple[str, ...] = ()
    priority: Priority = Priority.P2
    path_left: float = 0.0
    """Seconds of the longest chain of work that waits for it, itself included."""
    estimate: float = 600.0
    offered_at: float = 0.0
    part_of: str = ""
    """The task that it is one of so many parts of, which share that task's cap."""
    of_parts: int = 1
    early: bool = False
    """A member of a team whose unfinished blockers are being worked on: it may start where a slot stays free."""


class Unmerged(Value):
    """A change that is verified or shipping, or waits for a person: made, but not on the base yet."""

    run: str
    task: str
    repo: str
    paths: tuple[str, ...] = ()


class Host(Value):
    """A machine, and what its worker processes announced last."""

    name: str
    pools: dict[str, int]
    """Pool name to number of processes. A plain worker announces all four."""
    seen_at: float
    sandbox: str = ""
    version: str = ""
    agents: tuple[str, ...] = ()
    """Agents that can be started there."""
    probed: bool = False
    """Whether it has looked: `agents` and `checkouts` are then all that it has."""
    checkouts: tuple[str, ...] = ()
    """Folders of repositories that it has, of its own registry and of the open runs."""
    memory_mb: int = 0
    """What it has; 0: not known."""
    skew: float = 0.0
    """Seconds that its clock is ahead of the server's."""
    machine: str = ""
    """Which machine it is, whatever it is called: two of one name are noticed."""
    drained: bool = False
    """Takes no new jobs, because somebody asked for that."""
    terms: tuple[str, ...] = ()
    """By which settings its planners grant, a digest each; `""` of one that cannot say. Empty where it has none."""


class Board(Value):
    """One picture of the shared board over all runs, with the version a grant must name."""

    version: int
    now: float
    cap: int
    """min(5, setting)."""
    capacity: int
    """Free agent processes announced by live hosts."""
    hosts: tuple[Host, ...] = ()
    """The living machines."""
    slots: tuple[Slot, ...] = ()
    reserved: int = 0
    """Slots kept for reviewers that wait for one."""
    owners: tuple[Owner, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    unmerged: tuple[Unmerged, ...] = ()
    repo_work: dict[str, float] = Field(default_factory=dict)
    """Seconds of unfinished work left per repository that has a candidate here."""
    quiet_until: float = 0.0
    """Nothing is admitted before this: a new epoch, or the server was restarted."""
    born: float = 0.0
    """When the ledger began; 0: not known."""
    noticed: bool = True
    """False: the ledger is a new one, or its server is in another life than when it was opened. Nothing is granted."""
    parked: dict[str, float] = Field(default_factory=dict)
    """Accounts without quota, and until when."""


class Grant(Value):
    """A slot, the ownership and a fence, given to one attempt that must claim it soon."""

    run: str
    task: str
    attempt: int
    fence: int
    slot: int
    host: str = ""
    """The machine that it is for; empty: whoever is free."""
    repo: str = ""
    title: str = ""
    """Its task's."""
