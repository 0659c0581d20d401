"""The lane of a base: of all changes to it, one at a time is brought up to date and merged.

Held by a task, not by a job: it outlives the waits for CI, is taken again with every look, given back when the attempt
ends, and runs out by itself where nobody looks any more.
"""

from __future__ import annotations

from ops_orchestrate.engine.landing.case import Case


def in_lane(case: Case) -> bool:
    """Take the lane, or keep it."""
    settings = case.tools.settings
    seconds = max(settings.lease, 4 * settings.ci_poll)
    return case.tools.ledger.locks.acquire(_name(case), _holder(case), seconds)


def leave_lane(case: Case) -> None:
    """Let the next one in; nothing happens where somebody else is in it."""
    case.tools.ledger.locks.release(_name(case), _holder(case))


def _name(case: Case) -> str:
    return f"base:{case.repository.key}:{case.base}"


def _holder(case: Case) -> str:
    return f"{case.key.run}/{case.key.task}"
