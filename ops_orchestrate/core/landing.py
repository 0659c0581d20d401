"""The rule that decides a merge: one pure decision over one frozen snapshot, first match wins.

A verdict is valid for exactly one head on one base. `--force` skips the question at the end and nothing before it;
it does not skip a question that another flag asks for.
"""

from __future__ import annotations

from enum import StrEnum

from ops_orchestrate.core.names import short
from ops_orchestrate.core.value import Value


class Step(StrEnum):
    """What to do now."""

    DONE = "done"  #: the base has the prepared commit: prove it
    WAIT = "wait"  #: nothing can be said now; look again
    BLOCK = "block"  #: a person has to act; the reason says how
    REVERIFY = "reverify"  #: head or base is not what was verified
    ASK = "ask"  #: a person confirms it, for this very head
    MERGE = "merge"


class LandingSnapshot(Value):
    """Everything the decision looks at."""

    run: str
    task: str
    may_ship: str = ""
    """Why the forge does not ship this repository; empty where it does."""
    verified_head: str
    verified_base: str
    verified_tree: str
    head: str
    """The change's head now."""
    base: str
    """The base's head now; empty where it is gone."""
    approved: str = ""
    """The head that a person approved."""
    force: bool = False
    spared: bool = False
    """The base is main, and the run is to leave main alone: only a person's own yes moves it."""
    dry_run: bool = False
    stopping: bool = False
    """The run is being stopped, or the task was withdrawn: nothing is merged any more."""
    intended: bool = False
    """A merge was announced and neither proved nor taken back."""
    landed: bool = False
    """The base contains the announced commit."""


class Action(Value):
    """The step, its reason for people, and what a person can answer."""

    step: Step
    reason: str = ""
    ask: str = ""
    command: str = ""


_SPARED = ", also with --force: its base is main, which --no-main leaves alone"


def is_main(branch: str, named: str | None) -> bool:
    """Whether a branch is what its repository calls main: the one that the registry names, else by its name."""
    return branch == named if named else branch in ("main", "master")


def decide_landing(seen: LandingSnapshot) -> Action:
    """The decision, first match wins. Every row but the last two stands against merging."""
    return _over(seen) or _not_now(seen) or _stale(seen) or _confirmed(seen)


def _over(seen: LandingSnapshot) -> Action | None:
    if seen.dry_run:
        return Action(step=Step.BLOCK, reason="a dry run merges nothing", ask="retry")
    if seen.intended and seen.landed:
        return Action(step=Step.DONE, reason="the base has it")
    return None


def _not_now(seen: LandingSnapshot) -> Action | None:
    if seen.stopping:
        return Action(step=Step.WAIT, reason="the run is being stopped")
    if seen.may_ship:
        return Action(step=Step.BLOCK, reason=seen.may_ship, ask="land")
    if not seen.base:
        return Action(step=Step.WAIT, reason="the base cannot be seen now")
    return None


def _stale(seen: LandingSnapshot) -> Action | None:
    """A verdict is valid for one head on one base."""
    why = ""
    if not (seen.verified_head and seen.verified_base and seen.verified_tree):
        why = "there is no verdict"
    elif seen.head != seen.verified_head:
        why = "the change has another head than the one verified"
    elif seen.base != seen.verified_base:
        why = "the base has moved since it was verified"
    return Action(step=Step.REVERIFY, reason=why) if why else None


def _confirmed(seen: LandingSnapshot) -> Action:
    if (seen.force and not seen.spared) or (seen.approved and seen.approved == seen.head):
        return Action(step=Step.MERGE, reason="verified, and nothing stands against it")
    return Action(
        step=Step.ASK,
        reason=f"verified and ready to merge ({short(seen.head)}); it waits for your yes"
        + (_SPARED if seen.spared else ""),
        ask="approve",
        command=f"ops-orchestrate answer {seen.run} {seen.task} yes",
    )
