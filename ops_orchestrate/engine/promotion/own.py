"""A back-merge or a revert, from when it was begun until it is merged, refused, or a person's: one step at a time.

Both are begun where their reason is seen (`after.py`, `watch.py`), and go on beside everything else of the repository.
"""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.own_change import OwnChange, OwnDecision, OwnSnapshot, OwnStep, decide_own, own_key
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import OPEN, Promotion, PromotionState
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.engine.lease import base_lock, hold
from ops_orchestrate.engine.promotion.book import promotion_of, remember
from ops_orchestrate.engine.promotion.change import open_for_person, pursue
from ops_orchestrate.engine.promotion.course import Course, Plan, Step
from ops_orchestrate.engine.promotion.outcome import outcome_of, tell
from ops_orchestrate.engine.promotion.plans import own_plan
from ops_orchestrate.engine.promotion.revert import revert_by_hand
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.engine.verify import known_gate


def pursue_own(run_id: str, key: str, holder: str, tools: Toolbox) -> None:
    """Bring it one step further; whatever comes of it is recorded."""
    run, own = tools.ledger.runs.get(run_id), own_key(key)
    repository = run.request.portfolio.repository(own.repo)
    with hold(f"promote:{own.key}", holder, tools) as mine:
        known = promotion_of(run_id, own.key, tools)
        if not mine or known is None or known.state not in OPEN:
            return
        state, reason, pause = outcome_of(lambda: _step(run, own, known, holder, tools), tools)
        changes: dict[str, Any] = {"state": state, "reason": reason}
        if state is PromotionState.PENDING:
            changes["wake_at"] = tools.ledger.now() + pause
        base = known.watched.branch if known.watched else ""
        # Told before it is known: what is known may end the run.
        tell(run, repository, own, (state, reason), tools, to=base, command=_by_hand(repository, known, tools))
        remember(run_id, own.key, tools, **changes)


def _step(run: RunRecord, own: OwnChange, known: Promotion, holder: str, tools: Toolbox) -> Step:
    repository = run.request.portfolio.repository(own.repo)
    pulls = tools.pulls_of(repository)
    if pulls is None:
        return PromotionState.REFUSED, f"{repository.name} has no pull requests"
    tools.workshop.refresh(repository)
    plan, decision = _decided(repository, own_plan(run, repository, own, known, tools), known, tools)
    if decision.step is OwnStep.REFUSE:
        return PromotionState.REFUSED, decision.reason
    with hold(base_lock(repository.key, plan.base), holder, tools) as mine:
        if not mine:
            return PromotionState.PENDING, f"somebody else is moving {plan.base}"
        course = Course(run, repository, plan, pulls, tools)
        if decision.step is OwnStep.OPEN:
            return open_for_person(course, known, decision.reason)
        return pursue(course, known)


def _decided(repository: Repository, plan: Plan, known: Promotion, tools: Toolbox) -> tuple[Plan, OwnDecision]:
    merges = bool(plan.base_head and plan.head)
    preview = tools.workshop.preview(repository, plan.base_head, plan.head) if merges else None
    gate = known_gate(repository, preview.tree, tools) if preview and preview.tree else None
    seen = OwnSnapshot(
        kind=plan.own.kind,
        base=plan.base,
        base_head=plan.base_head,
        commit=plan.commit,
        head=plan.head,
        opened=known.pursuit is not None,
        gate=gate.end if gate else None,
        conflicts=preview.conflicts if preview else (),
    )
    return plan.model_copy(update={"gated": gate is not None}), decide_own(seen)


def _by_hand(repository: Repository, known: Promotion, tools: Toolbox) -> str:
    """What a person types where a revert is not merged by us."""
    if known.watched is None:
        return ""
    return revert_by_hand(repository, known.watched.commit, tools)
