"""Findings for which a pull request of ours is open already: the work goes on there, and no second one is opened.

A forge links a pull request with an issue only where it goes into the default branch, and knows nothing of tickets,
errors and red gates. Its text names every finding that it covers (core/mark.py); so a lost ledger loses none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ops_orchestrate.core.finding import Finding, FindingKind
from ops_orchestrate.core.mark import OpenWork


def going_on(findings: Sequence[Finding], opened: Iterable[OpenWork]) -> tuple[Finding, ...]:
    """The findings, each with the open pull request that covers it.

    All that one pull request covers gets its name, and is one piece of work by that. The newest one counts.
    """
    at = {(one.project, print_): one for one in sorted(opened, key=lambda one: one.number) for print_ in one.prints}
    if not at:
        return tuple(findings)
    return tuple(_going_on(one, at.get((one.project, one.fingerprint))) for one in findings)


def _going_on(finding: Finding, work: OpenWork | None) -> Finding:
    if work is None or finding.change or finding.kind is FindingKind.CHANGE or not finding.actionable:
        return finding
    return finding.model_copy(
        update={
            "change": str(work.number),
            "change_branch": work.branch,
            "names": tuple(dict.fromkeys((*finding.names, work.name))),
        }
    )
