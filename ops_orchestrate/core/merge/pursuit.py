"""What is remembered between two looks at a pull request of ours: what was pushed, what was seen, what was tried.

Kept in the ledger by whoever holds the claim to land the attempt, so that a crash, a wait of hours or another host
goes on where the last look ended. Whatever belongs to one head is forgotten with it.
"""

from __future__ import annotations

from pydantic import Field

from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.merge.checks import key_of
from ops_orchestrate.core.merge.failure import FailureClass
from ops_orchestrate.core.merge.pull import Pull
from ops_orchestrate.core.merge.snapshot import Act, Decision
from ops_orchestrate.core.value import Value

#: So many refusals in a row of a merge that by the table nothing stands against.
_MOST_REFUSALS = 3
_MOST_MOVES = 10


class Pursuit(Value):
    """One change on its way to its base."""

    number: int = 0
    """The pull request's number; 0: none is open yet."""
    branch: str = ""
    head: str = ""
    """The commit that we pushed there last."""
    base: str = ""
    """The base's head when it was pushed: what the checks of the forge ran with."""
    checks: tuple[str, ...] = ()
    """The keys of the checks seen on this head, one word each."""
    new_check_at: float = 0.0
    """When a check was first seen on this head that had not been there before; 0: none was seen."""
    failures: dict[int, FailureClass] = Field(default_factory=dict)
    reruns: tuple[int, ...] = ()
    """Workflow runs whose rerun was asked for, each as often as it was."""
    fixes: int = 0
    """Attempts spent on what the forge refused; not forgotten with the head."""
    fixed_at: float = 0.0
    """Up to when what people said was dealt with by a head that was pushed, by the forge's clock."""
    said_at: float = 0.0
    """The same of the head that an attempt is at work on: nothing that is said meanwhile is in its brief."""
    given_threads: tuple[str, ...] = ()
    """Threads that an attempt was given; only these are ever answered."""
    waits: int = 0
    """How often in a row the same row of the table said "wait"."""
    row: str = ""
    reason: str = ""
    mending: bool = False
    """The change was sent back: the next head that is pushed is what an attempt made of it."""
    closed_threads: tuple[str, ...] = ()
    """Threads that we have answered and resolved."""
    refusals: int = 0
    """How often the forge said no to merging this head, or to having this base moved."""
    queued: int = 0
    """How often this head was put into the merge queue."""
    foreign_in: int = 0
    """The attempt in which somebody else's commits were found on the branch; 0: there are none."""
    in_line: bool = False
    """It could go in, and another change to the base goes first: until then nobody has to look at it."""
    merged_at: float = 0.0
    """When a merge was asked for whose end is not known; 0: none."""

    def pushed(self, head: str, *, base: str) -> Pursuit:
        """After another head was pushed: what was seen of the last one counts no more."""
        if head == self.head:
            return self
        return Pursuit(
            number=self.number,
            branch=self.branch,
            head=head,
            base=base,
            fixes=self.fixes,
            fixed_at=max(self.fixed_at, self.said_at),
            closed_threads=self.closed_threads,
            given_threads=self.given_threads,
            foreign_in=self.foreign_in,
        )

    def saw(self, pull: Pull, now: float) -> Pursuit:
        """After a look: a check that had not been there before starts the time to settle anew."""
        names = {":".join(map(str, key_of(check))) for check in pull.checks}
        if pull.checks_of != self.head or names.issubset(self.checks):
            return self
        return self.model_copy(update={"checks": tuple(sorted(names.union(self.checks))), "new_check_at": now})

    def sent_back(self, *, said_at: float, threads: tuple[str, ...]) -> Pursuit:
        """After it was given to another attempt, with what people said up to `said_at`. Once a head, however often."""
        return self.model_copy(
            update={
                "fixes": self.fixes if self.mending else self.fixes + 1,
                "mending": True,
                # The forge's times are whole seconds, and what was said in the same one was read as well.
                "said_at": max(self.said_at, said_at + 0.5) if said_at else self.said_at,
                "given_threads": tuple(dict.fromkeys((*self.given_threads, *threads))),
            }
        )

    def refused(self) -> Pursuit:
        """After the forge said no to a merge that was asked for: none is under way."""
        return self.model_copy(update={"refusals": self.refusals + 1, "merged_at": 0.0})

    def given_up(self, end: LandingEnd) -> bool:
        """Whether a person has to look at refusals that the table shows no reason for.

        The forge may be computing still, or show a reason by now; a base that others move is tried for longer.
        """
        return self.refusals >= (_MOST_MOVES if end is LandingEnd.MOVED else _MOST_REFUSALS)

    def decided(self, decision: Decision) -> Pursuit:
        """After a decision: waits by one row are counted, from the first."""
        waits = 0
        if decision.act in (Act.WAIT, Act.RECONCILE):
            waits = self.waits + 1 if decision.row == self.row else 1
        return self.model_copy(update={"row": decision.row, "reason": decision.reason, "waits": waits})
