"""The lane of a base: of all changes to it, one at a time is brought up to date and merged.

Held by a task, not by a job: it outlives the waits for CI and another verification, is kept with every look, given back
when the attempt ends, and runs out by itself where nobody looks any more.
"""

from __future__ import annotations

from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.engine.landing.case import Case, snooze
from ops_orchestrate.engine.lease import base_lock
from ops_orchestrate.engine.step import Next


def in_lane(case: Case, *, also: float = 0.0) -> bool:
    """Take the lane, or keep it; `also` for so many seconds in which nobody looks."""
    return case.tools.ledger.locks.acquire(_name(case), _holder(case), _seconds(case) + also)


def another_goes_first(case: Case) -> bool:
    """Whether somebody else is in the lane now."""
    return case.tools.ledger.locks.holder(_name(case)) not in ("", _holder(case))


def wait_in_line(case: Case, pursuit: Pursuit) -> Next:
    """Another one goes first. Until it has, this change is not looked at: that costs the forge nothing."""
    if not pursuit.in_line:
        waiting = pursuit.model_copy(update={"in_line": True})
        if not case.tools.ledger.attempts.pursue(case.key, holder=case.holder, pursuit=waiting):
            return Next.DROP
    return snooze(case, f"another change to {case.base} goes first", case.tools.settings.ci_poll)


def keep_lane(case: Case, *, also: float = 0.0) -> None:
    """Stay in the lane, for who is in it; `also` for so many seconds in which nobody looks."""
    case.tools.ledger.locks.renew(_name(case), _holder(case), _seconds(case) + also)


def leave_lane(case: Case) -> None:
    """Let the next one in; nothing happens where somebody else is in it."""
    case.tools.ledger.locks.release(_name(case), _holder(case))


def _seconds(case: Case) -> float:
    return max(case.tools.settings.lease, 4 * case.tools.settings.ci_poll)


def _name(case: Case) -> str:
    return base_lock(case.repository.key, case.base)


def _holder(case: Case) -> str:
    return f"{case.key.run}/{case.key.task}"
