"""The seed's step 1e: what the boards of earlier and concurrent runs already say about a piece of work.

Done since → not again. Another run's → said, never doubled. Left behind by a run that ended → taken over; so is
what waits there for a gate, once there is one. Its cause changed after it had ended → planned anew. It never lets two
runs hold the same work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from ops_orchestrate.core.finding import FindingKind
from ops_orchestrate.core.mark import cause_mark
from ops_orchestrate.core.names import short
from ops_orchestrate.core.states import FINAL, RUN_OPEN, STARTABLE, RunState, TaskState
from ops_orchestrate.core.value import Value

#: Kinds of one-off work. An issue stays open at its forge after a merge into `dev`: that does not make it new.
_ONCE = frozenset({FindingKind.REQUESTED, FindingKind.PHASE, FindingKind.ISSUE, FindingKind.TICKET})
#: What a person was asked about one commit: two runs must not ask the same.
_QUESTIONS = frozenset({"approve", "approve-change", "merged"})


class Blocker(Value):
    """An unfinished task that a task waits for in its run."""

    task: str
    project: str
    fingerprint: str
    sources: tuple[str, ...] = ()


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
    @property
    def ask(self) -> str: ...
    @property
    def head(self) -> str: ...
    @property
    def gate(self) -> str: ...
    @property
    def behind(self) -> tuple[Blocker, ...]: ...
    @property
    def left(self) -> Left | None: ...


class Verdict(StrEnum):
    """What to do with a piece of work."""

    NEW = "new"
    OVER = "over"  #: plan it, and take the claim over
    AGAIN = "again"  #: plan it: it has come back after a merge that no ledger knows of any more
    DONE = "done"  #: completed: whoever waits for it need not
    SKIP = "skip"


class Left(NamedTuple):
    """Work that a run which has ended left behind, and that is taken over from it."""

    run: str
    task: str
    head: str = ""
    """The commit that was made for it and that nothing could prove; empty: it begins anew."""
    behind: tuple[Blocker, ...] = ()
    """What it waits for there."""


class Standing(NamedTuple):
    """The verdict, and its reason where the work is left out."""

    verdict: Verdict
    reason: str = ""
    left: Left | None = None
    """With OVER: who had it until now; None: it had ended there."""


NOBODYS = Standing(Verdict.NEW)


def standing(claim: ClaimView | None, cause: str, *, gate: str | None = None) -> Standing:
    """What an earlier or concurrent run's claim means for a finding with this cause. None: nobody has it.

    `gate`: that of the repository in the run that plans. What waited for one is taken over together with what was made.
    """
    if claim is None:
        return NOBODYS
    if claim.state in FINAL:
        return _ended(claim) if claim.cause == cause else Standing(Verdict.OVER)
    if claim.run_state not in RUN_OPEN:
        if claim.state in STARTABLE:
            before = again(claim.left, same=claim.cause == cause)
            return Standing(Verdict.OVER, left=before or Left(claim.run, claim.task, behind=claim.behind))
        if _waits_for_gate(claim) and gate and gate != claim.gate:
            made = claim.head if claim.cause == cause else ""
            return Standing(Verdict.OVER, left=Left(claim.run, claim.task, made))
    changed = "" if claim.cause == cause else "; its cause has changed since"
    return Standing(Verdict.SKIP, f"owned by run {claim.run} ({claim.state}): task {claim.task}{changed}")


def again(left: Left | None, *, same: bool) -> Left | None:
    """What a run that came to no plan had taken over, as whoever plans next has it. `same`: its cause is the same."""
    return left._replace(head=left.head if same else "") if left else None


#: What counts of several: work in hand, then work to be done anew, then work done.
_WEIGHT = (Verdict.SKIP, Verdict.OVER, Verdict.AGAIN, Verdict.DONE, Verdict.NEW)


def weightiest(standings: Iterable[Standing]) -> Standing:
    """Of work that several sources report, each with a standing of its own, the one that counts.

    A further source of what was done since is done as well; one whose cause has changed makes it due again.
    """
    return min(
        standings, key=lambda one: (_WEIGHT.index(one.verdict), one.left is None, not (one.left and one.left.head))
    )


def left_to(run: str, state: TaskState, ask: str, run_state: RunState) -> str:
    """Why an open change of an earlier run's task is left to that run; empty where another one may go on with it."""
    if state is TaskState.BLOCKED:
        return f"waits for your answer in run {run}" if ask in _QUESTIONS else ""
    if state in FINAL or (state in STARTABLE and run_state not in RUN_OPEN):
        return ""
    return f"run {run} is at work on it"


class Trace(NamedTuple):
    """A merge of a finding that only git or the forge remembers: which one, and what the finding rested on then."""

    said: str
    cause: str = ""
    """As `cause_mark` writes it; "": nothing says it."""


def adopted(kind: FindingKind, traces: Sequence[Trace], cause: str) -> Standing:
    """What merges that no ledger knows mean for a finding with this cause: the same as the ledger's own would.

    Where none says what it rested on, what may come back (a red baseline, a red workflow, an error) is worked on
    again, and the reason names the newest fix. No traces: nobody has merged it.
    """
    if not traces:
        return NOBODYS
    mark = cause_mark(cause)
    for trace in traces:
        if trace.cause == mark or (not trace.cause and kind in _ONCE):
            return Standing(Verdict.DONE, f"done since: {trace.said}")
    return Standing(Verdict.AGAIN, f"an earlier fix of the same is on the base already: {traces[0].said}")


def _waits_for_gate(claim: ClaimView) -> bool:
    """Whether it is blocked because no gate could prove it."""
    return claim.state is TaskState.BLOCKED and claim.ask == "verify"


def _ended(claim: ClaimView) -> Standing:
    if claim.state is TaskState.COMPLETED:
        merge = f" ({short(claim.merge)})" if claim.merge else ""
        return Standing(Verdict.DONE, f"done since in run {claim.run}{merge}")
    retry = f"`ops-orchestrate retry {claim.run} {claim.task}`"
    return Standing(Verdict.SKIP, f"{claim.state} in run {claim.run}: {retry}")
