"""Whether integration is promoted to main at the end of a run. The merge pins the commit that was checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from ops_orchestrate.core.change import GateEnd, MergeIntent
from ops_orchestrate.core.merge.pull import Pull, PullState
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.names import short
from ops_orchestrate.core.own_change import OwnKind, own_branch
from ops_orchestrate.core.value import Value
from ops_orchestrate.core.watch import Watched


class PromotionStep(StrEnum):
    """What to do."""

    SKIP = "skip"  #: not wanted, or nothing to promote
    ASK = "ask"  #: a person confirms it, for this very commit
    PROMOTE = "promote"
    REFUSE = "refuse"  #: something stands against it; the reason names it


class PromotionState(StrEnum):
    """Where a repository stands once its tasks have ended."""

    UNDER_WAY = "under-way"  #: a job has it
    PENDING = "pending"  #: its pull request waits for the forge until `wake_at`
    WATCHING = "watching"  #: what is deployed is looked at again at `wake_at`
    DONE = "done"
    WAITING = "waiting"  #: a person confirms it
    REFUSED = "refused"
    SKIPPED = "skipped"


#: States in which the run goes on because of it.
OPEN = frozenset({PromotionState.UNDER_WAY, PromotionState.PENDING, PromotionState.WATCHING})


class Promotion(Value):
    """What is kept of one repository's last steps: its promotion and its watch, its back-merge, its revert."""

    state: PromotionState
    reason: str = ""
    merges: int = -1
    """How many merges the run had there when it was last decided; -1: it is to be decided anew."""
    at: float = 0.0
    wake_at: float = 0.0
    approved: str = ""
    """The head that a person approved."""
    pursuit: Pursuit | None = None
    """The pull request of it, on a forge that has them."""
    intent: MergeIntent | None = None
    """The push to main that was announced and not said to be done, where there are no pull requests."""
    watched: Watched | None = None
    """What is looked at after a merge; of a revert: what did not do well."""
    commit: str = ""
    """Of a back-merge: main's commit that is brought back."""


class PromotionSnapshot(Value):
    """Everything the decision looks at."""

    integration: str
    main: str | None
    """None where there is no other branch to promote to."""
    head: str
    """Integration's head."""
    main_head: str = ""
    contained: bool = False
    """Main has the head already."""
    wanted: bool = True
    """The owner's `promote` setting."""
    no_main: bool = False
    merged: int = 0
    """Tasks that this run merged into integration."""
    gate: GateEnd | None = None
    """The gate's end on this very head; None where it has not been run."""
    conflicts: tuple[str, ...] = ()
    force: bool = False
    approved: str = ""
    """The head that a person approved."""
    may_ship: str = ""
    """Why the forge does not ship this repository; empty where it does."""


class PromotionDecision(Value):
    """The step and its reason, in one sentence."""

    step: PromotionStep
    reason: str = ""


def pinned(pulls: Iterable[Pull], kind: OwnKind, base: str) -> list[Pull]:
    """The open pull requests of ours to a branch that are of this kind, and still what we pushed first."""
    return [
        pull
        for pull in pulls
        if pull.ours
        and pull.state is PullState.OPEN
        and pull.base_ref == base
        and pull.head
        and pull.head_ref == own_branch(kind, pull.head)
    ]


def overtaken(
    pulls: Iterable[Pull], kind: OwnKind, base: str, head: str, contains: Callable[[str], bool]
) -> list[Pull]:
    """Those of ours that the one of `head` makes needless: it `contains` all that they bring."""
    return [pull for pull in pinned(pulls, kind, base) if pull.head != head and contains(pull.head)]


def goes_on(known: Promotion, head: str) -> bool:
    """Whether the pull request that is open is brought to its end, also where integration has moved since.

    It is pinned to what was checked and confirmed. Only a person's yes to the newer `head` begins another one.
    """
    if known.pursuit is None:
        return False
    return bool(known.pursuit.merged_at) or not known.approved or known.approved != head or known.pursuit.head == head


def decide_promotion(seen: PromotionSnapshot) -> PromotionDecision:
    """First match wins; `--force` skips the question and nothing else."""
    skip = _skip(seen)
    if skip:
        return PromotionDecision(step=PromotionStep.SKIP, reason=skip)
    refuse = _refuse(seen)
    if refuse:
        return PromotionDecision(step=PromotionStep.REFUSE, reason=refuse)
    if seen.force or (seen.approved and seen.approved == seen.head):
        return PromotionDecision(step=PromotionStep.PROMOTE, reason=f"{seen.integration} → {seen.main}")
    return PromotionDecision(step=PromotionStep.ASK, reason=f"promote {seen.integration} to {seen.main}?")


def _skip(seen: PromotionSnapshot) -> str:
    if seen.no_main:
        return "--no-main: main is never touched"
    if not seen.wanted:
        return "the registry says `promote: false`"
    if seen.main is None:
        return f"there is no branch beside {seen.integration} to promote to"
    if not seen.merged:
        return "nothing was merged in this run"
    if seen.contained:
        return f"{seen.main} has it already"
    return ""


def _refuse(seen: PromotionSnapshot) -> str:
    if seen.may_ship:
        return seen.may_ship
    if seen.gate is not GateEnd.PASSED:
        how = "has no result" if seen.gate is None else f"says {seen.gate}"
        return f"the gate {how} on {seen.integration} at {short(seen.head)}; only a green head is promoted"
    if seen.conflicts:
        return f"{seen.integration} and {seen.main} conflict in {', '.join(seen.conflicts[:5])}"
    return ""
