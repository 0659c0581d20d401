"""The seed's step 1e: what the boards of earlier and concurrent runs already say about a piece of work.

Done since → not again. Another run's → said, never doubled. Left behind by a run that ended → taken over.
Its cause changed after it had ended → planned anew. It never lets two runs hold the same work.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Protocol

from ops_orchestrate.core.finding import FindingKind
from ops_orchestrate.core.states import FINAL, RUN_OPEN, STARTABLE, RunState, TaskState

#: Kinds of one-off work. An issue stays open at its forge after a merge into `dev`: that does not make it new.
_ONCE = frozenset({FindingKind.REQUESTED, FindingKind.PHASE, FindingKind.ISSUE, FindingKind.TICKET})
#: What a person was asked about one commit: two runs must not ask the same.
_QUESTIONS = frozenset({"approve", "approve-change", "merged"})


class ClaimView(Protocol):
    """Who claimed a fingerprint, and how far that task is: what the ledger shows of it."""

    @property
    def run(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def state(self) -> TaskState: ...
    @property
    def run_state(self) -> RunState: ...
    @property
    def cause(self) -> str: ...
    @property
    def merge(self) -> str: ...


class Verdict(StrEnum):
    """What to do with a piece of work."""

    NEW = "new"
    OVER = "over"  #: plan it, and take the claim over
    DONE = "done"  #: completed: whoever waits for it need not
    SKIP = "skip"


class Standing(NamedTuple):
    """The verdict, and its reason where the work is left out."""

    verdict: Verdict
    reason: str = ""


def standing(claim: ClaimView | None, cause: str) -> Standing:
    """What an earlier or concurrent run's claim means for a finding with this cause. None: nobody has it."""
    if claim is None:
        return Standing(Verdict.NEW)
    if claim.state in FINAL:
        return _ended(claim) if claim.cause == cause else Standing(Verdict.OVER)
    if claim.state in STARTABLE and claim.run_state not in RUN_OPEN:
        return Standing(Verdict.OVER)
    changed = "" if claim.cause == cause else "; its cause has changed since"
    return Standing(Verdict.SKIP, f"owned by run {claim.run} ({claim.state}): task {claim.task}{changed}")


#: What counts of several claims on one piece of work: work in hand, then work to be done anew, then work done.
_WEIGHT = (Verdict.SKIP, Verdict.OVER, Verdict.DONE, Verdict.NEW)


def standing_of_all(claims: Iterable[tuple[ClaimView | None, str]]) -> Standing:
    """The same for work that several sources report, each under a claim of its own: (claim, cause) of each.

    A further source of what was done since is done as well; one whose cause has changed makes it due again.
    """
    return min((standing(claim, cause) for claim, cause in claims), key=lambda one: _WEIGHT.index(one.verdict))


def left_to(run: str, state: TaskState, ask: str, run_state: RunState) -> str:
    """Why an open change of an earlier run's task is left to that run; empty where another one may go on with it."""
    if state is TaskState.BLOCKED:
        return f"waits for your answer in run {run}" if ask in _QUESTIONS else ""
    if state in FINAL or (state in STARTABLE and run_state not in RUN_OPEN):
        return ""
    return f"run {run} is at work on it"


def adopted(kind: FindingKind, trace: str) -> Standing:
    """Work that no ledger knows, but whose merge the base itself shows (`trace` says which run's).

    What may come back (a red baseline, a red workflow, an error) is worked on again, and the reason names the earlier
    fix: nothing says whether it is older than what was seen last.
    """
    if kind in _ONCE:
        return Standing(Verdict.DONE, f"done since: {trace}")
    return Standing(Verdict.NEW, f"an earlier fix of the same is on the base already: {trace}")


def _ended(claim: ClaimView) -> Standing:
    if claim.state is TaskState.COMPLETED:
        merge = f" ({claim.merge[:12]})" if claim.merge else ""
        return Standing(Verdict.DONE, f"done since in run {claim.run}{merge}")
    retry = f"`ops-orchestrate retry {claim.run} {claim.task}`"
    return Standing(Verdict.SKIP, f"{claim.state} in run {claim.run}: {retry}")
