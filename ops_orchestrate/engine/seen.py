"""The frozen snapshot behind a decision of the merge gate, for a change and for a promotion alike."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.config import Settings
from ops_orchestrate.core.merge.pull import BranchRules, Pull
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.merge.snapshot import MergePolicy, MergeSnapshot
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.run import RunRequest

#: How old a shared answer may be, as a share of the time between two looks: who wakes after it asks for all.
SHARED = 0.9


def policy_of(repository: Repository, request: RunRequest, settings: Settings, base: str, **more: Any) -> MergePolicy:
    """What the owner wants of what goes onto this base; `more`: the fields in which the two ways differ."""
    wanted: dict[str, Any] = {
        "integration": base,
        "ci": repository.ci,
        "expected_checks": repository.expected_checks,
        "skippable_checks": repository.skippable_checks,
        "merge_authors": request.merge_authors,
        "unprotected_ok": repository.unprotected_ok,
        "grace": settings.ci_grace,
        "min_ci": settings.ci_minimum,
        "settle": settings.ci_settle,
        "patience": settings.ci_patience,
        "poll": settings.ci_poll,
        "reconcile": settings.merge_unknown,
        "max_fixes": settings.max_fixes,
    }
    return MergePolicy(**(wanted | more))


def snapshot_of(
    pull: Pull, pursuit: Pursuit, *, now: float, rules: BranchRules, policy: MergePolicy, **facts: Any
) -> MergeSnapshot:
    """What the forge says, what is remembered of earlier looks, and the `facts` that git and the ledger have."""
    return MergeSnapshot(
        now=now,
        pull=pull,
        rules=rules,
        policy=policy,
        checks_base=pursuit.base,
        new_check_at=pursuit.new_check_at,
        failures=pursuit.failures,
        reruns=pursuit.reruns,
        queued=pursuit.queued,
        fixes=pursuit.fixes,
        fixed_at=pursuit.fixed_at,
        closed_threads=pursuit.closed_threads,
        waited=pursuit.row,
        waits=pursuit.waits,
        **facts,
    )
