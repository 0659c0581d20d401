"""What money and tokens are counted by: purses, the owner's caps, what an attempt reserves, and when a day ends."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from pydantic import Field

from ops_orchestrate.core.value import Value

#: A cap that leaves less than this share of what an attempt may use is reached: a crumb buys no work.
LEAST = 4


class Amount(Value):
    """Tokens and microdollars; None: without a limit, or nobody knows."""

    tokens: int | None = None
    micros: int | None = None

    @property
    def limited(self) -> bool:
        """Whether either is a number."""
        return self.tokens is not None or self.micros is not None


class Purse(Value):
    """What one scope (a task, a project's day, a run, a day) has spent, and what is reserved for attempts under way."""

    tokens: int = 0
    micros: int = 0
    reserved_tokens: int = 0
    reserved_micros: int = 0
    uncounted: int = 0
    """Attempts whose tokens nobody knows, and that had reserved none."""
    unpriced: int = 0
    """Likewise, of their dollars."""
    review_tokens: int = 0
    """Of `tokens`, what security reviewers used; `review_micros` likewise."""
    review_micros: int = 0
    known: bool = False
    """Of a day: the owner has said what was spent on it before the ledger began."""


class Caps(Value):
    """The owner's caps. Without any, nothing is reserved; what is spent is written down all the same."""

    attempt: Amount = Amount()
    task: Amount = Amount()
    project: Amount = Amount()
    """For the attempts of one project in a day."""
    run: Amount = Amount()
    day: Amount = Amount()

    @property
    def shared(self) -> bool:
        """Whether attempts share any cap, so that they have to reserve their part of it."""
        return any(cap.limited for cap in (self.task, self.project, self.run, self.day))

    @property
    def in_dollars(self) -> bool:
        """Whether there is a cap in dollars."""
        return any(cap.micros is not None for cap in (self.attempt, self.task, self.project, self.run, self.day))


class Day(Value):
    """A day of the owner's, by the server's clock."""

    label: str
    """`2026-11-27`."""
    begins: float
    ends: float


class Limit(Value):
    """A cap that an attempt must fit under, and the purse that it is about."""

    purse: str
    cap: Amount


class Reserve(Value):
    """What a grant sets aside for its attempt, checked once more by the ledger in the very step that grants."""

    day: Day
    task: str = ""
    """The purse of the task, which is the whole's for a part of one; empty: its own."""
    project: str = ""
    amount: Amount = Amount()
    """What the attempt may use; what is not known at its end counts as this much."""
    each: Amount = Amount()
    """What an attempt of which nothing is known counts as."""
    limits: tuple[Limit, ...] = ()
    accounts: tuple[str, ...] = ()
    """Accounts that it may work with; with none of them parked, or one that is not, it may start."""


class Parked(Value):
    """An account without quota."""

    account: str
    until: float = Field(ge=0)


def allowance(caps: Caps, agents: int, parts: int = 1) -> Amount:
    """What one attempt may use: its own cap, and never more than a wider one.

    Where none of its own is set, a run's and a day's are shared out among as many as may work at once, and a task's
    among as many of its `parts`.
    """
    return Amount(tokens=_share(caps, "tokens", agents, parts), micros=_share(caps, "micros", agents, parts))


def _share(caps: Caps, unit: str, agents: int, parts: int) -> int | None:
    own = getattr(caps.attempt, unit)
    among = 1 if own is not None else max(1, agents)
    shared = ((caps.task, min(among, parts)), (caps.project, 1), (caps.run, among), (caps.day, among))
    found = [
        None if (cap := getattr(wide, unit)) is None else max(1, cap // by) for wide, by in shared
    ]  # never nothing
    return min((one for one in (own, *found) if one is not None), default=None)


def day_of(now: float, zone: tzinfo) -> Day:
    """The day that this moment is in; it ends at the next midnight there, be it 23, 24 or 25 hours long."""
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    tomorrow = (today.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    return Day(label=today.date().isoformat(), begins=today.timestamp(), ends=tomorrow.timestamp())


def task_purse(run: str, task: str) -> str:
    """The name of a task's purse."""
    return f"task:{run}/{task}"


def run_purse(run: str) -> str:
    """The name of a run's purse."""
    return f"run:{run}"


def project_purse(day: Day, project: str) -> str:
    """The name of the purse of a project's day."""
    return f"project:{day.label}:{project}"


def day_purse(day: Day) -> str:
    """The name of a day's purse."""
    return f"day:{day.label}"
