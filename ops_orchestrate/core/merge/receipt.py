"""The receipt of a merge: which rows of the table had nothing against it, and what they looked at.

Written before the forge is asked, so that anybody can check a merge afterwards, row by row, without our code.
"""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.merge.decide import ROWS
from ops_orchestrate.core.merge.pull import ReviewState
from ops_orchestrate.core.merge.snapshot import Decision, MergeSnapshot
from ops_orchestrate.core.names import one_line

#: Checks named; the rest is only counted.
_NAMED = 60


def receipt(seen: MergeSnapshot, decision: Decision) -> dict[str, Any]:
    """The keys of an event of the kind `evidence`. Names are cleaned: they come from outside."""
    names = [row.name for row in ROWS]
    passed = names[: names.index(decision.row)]
    pull = seen.pull
    checks = [f"{one_line(check.name, 80)}: {check.conclusion}" for check in pull.checks]
    approving = sorted({one_line(r.author, 60) for r in pull.reviews if r.state is ReviewState.APPROVED})
    waiting = sum(1 for thread in pull.threads if not thread.resolved)
    return {
        "head": pull.head,
        "base": seen.base,
        "row": decision.row,
        "passed": passed,
        "checks": checks[:_NAMED],
        "approved_by": approving,
        "text": f"{len(passed)} rows have nothing against it; {len(checks)} checks, {len(approving)} approvals, "
        f"{waiting} open threads",
    }
