"""The last steps of a repository whose tasks have ended: integration to main by a merge commit, never a squash.

Nobody in the graph waits for it, the run does. The audit pool runs the gate on the head, the ship pool alone writes.
A promotion through a pull request is looked at again and again, like any change; what is kept between is in the ledger.
"""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.names import short
from ops_orchestrate.core.own_change import OwnChange, OwnKind
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import (
    Promotion,
    PromotionSnapshot,
    PromotionState,
    PromotionStep,
    decide_promotion,
    goes_on,
)
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.engine.frozen import held
from ops_orchestrate.engine.lease import base_lock, hold
from ops_orchestrate.engine.promotion.book import promotion_of, remember
from ops_orchestrate.engine.promotion.branch import catch_up, promote_branch, was_promoted
from ops_orchestrate.engine.promotion.change import pursue
from ops_orchestrate.engine.promotion.course import Course
from ops_orchestrate.engine.promotion.left_branches import remove_left_branches
from ops_orchestrate.engine.promotion.outcome import outcome_of, tell
from ops_orchestrate.engine.promotion.plans import promotion_plan
from ops_orchestrate.engine.promotion.watch import first_watch
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.engine.verify import known_gate
from ops_orchestrate.errors import OpsError
from ops_orchestrate.ports import PullRequests


def promote(run_id: str, repo: str, holder: str, tools: Toolbox) -> None:
    """Decide and carry out one promotion, as far as it goes now; whatever comes of it is recorded."""
    run = tools.ledger.runs.get(run_id)
    repository = run.request.portfolio.repository(repo)
    # Before it is decided: a merge that comes meanwhile is due again.
    merges = tools.ledger.runs.merges(run_id).get(repo, 0)
    with hold(f"promote:{repo}", holder, tools) as mine:
        if not mine:
            return
        state, reason, pause = outcome_of(lambda: _promote(run, repository, holder, tools, merges=merges), tools)
        changes: dict[str, Any] = {"state": state, "reason": reason, "merges": merges}
        if state is PromotionState.PENDING:
            changes["wake_at"] = tools.ledger.now() + pause
        if state in (PromotionState.DONE, PromotionState.SKIPPED):
            changes |= first_watch(run, repository, promoted=state is PromotionState.DONE, tools=tools)
        # Told before it is known: what is known may end the run, and a question after its end is one that nobody hears.
        own = OwnChange(kind=OwnKind.PROMOTE, repo=repo)
        tell(run, repository, own, (state, reason), tools, to=_main(repository, tools))
        remember(run_id, repo, tools, **changes)


def _main(repository: Repository, tools: Toolbox) -> str:
    try:
        return tools.workshop.main(repository) or ""
    except OpsError:
        return "?"


def _promote(
    run: RunRecord, repository: Repository, holder: str, tools: Toolbox, *, merges: int
) -> tuple[PromotionState, str]:
    pulls = _up_to_date(run.id, repository, tools)
    known = promotion_of(run.id, repository.key, tools)
    seen = _snapshot(run, repository, known, tools, merges=merges)
    if pulls is not None and known is not None and goes_on(known, seen.head):
        return pursue(_course(run, repository, seen, pulls, tools), known)  # one step further with what is pinned
    if pulls is None and was_promoted(run, repository, seen, known, tools):
        return PromotionState.DONE, ""
    decision = decide_promotion(seen)
    if decision.step is PromotionStep.SKIP:
        if seen.contained and seen.merged and pulls is None:
            catch_up(run, repository, seen, tools)
        return PromotionState.SKIPPED, decision.reason
    if decision.step is PromotionStep.REFUSE:
        return PromotionState.REFUSED, decision.reason
    if decision.step is PromotionStep.ASK or seen.main is None:
        words = f"{seen.integration} at {short(seen.head)} waits for your yes to be promoted to {seen.main}"
        return PromotionState.WAITING, words
    with hold(base_lock(repository.key, seen.main), holder, tools) as mine:
        if not mine:
            return PromotionState.PENDING, f"somebody else is moving {seen.main}"
        return _carry_out(run, repository, seen, known, tools)


def _up_to_date(run: str, repository: Repository, tools: Toolbox) -> PullRequests | None:
    """Where its pull requests are; the mirror is as upstream now, and nothing is left there of what is merged."""
    tools.workshop.refresh(repository)
    pulls = tools.pulls_of(repository)
    if pulls is not None:
        remove_left_branches(run, repository, pulls, tools)
    return pulls


def _carry_out(
    run: RunRecord, repository: Repository, seen: PromotionSnapshot, known: Promotion | None, tools: Toolbox
) -> tuple[PromotionState, str]:
    pulls = tools.pulls_of(repository)
    if pulls is not None:
        return pursue(_course(run, repository, seen, pulls, tools), known)
    return promote_branch(run, repository, seen, known, tools)


def _course(
    run: RunRecord, repository: Repository, seen: PromotionSnapshot, pulls: PullRequests, tools: Toolbox
) -> Course:
    return Course(run, repository, promotion_plan(run, repository, seen), pulls, tools)


def _refused(repository: Repository, branches: tuple[str | None, ...], tools: Toolbox) -> str:
    closed = next((why for one in branches if one and (why := held(repository, one, tools))), "")
    if closed:
        return closed
    pulls = tools.pulls_of(repository)
    return (pulls.may_write(repository) if pulls else tools.forge_of(repository).may_ship(repository)) or ""


def _snapshot(
    run: RunRecord, repository: Repository, known: Promotion | None, tools: Toolbox, *, merges: int
) -> PromotionSnapshot:
    work = tools.workshop
    integration = work.integration(repository)
    main = work.main(repository)
    head = work.head(repository, integration) or ""
    main_head = (work.head(repository, main) if main else None) or ""
    conflicts = work.preview(repository, main_head, head).conflicts if main_head else ()
    gate = known_gate(repository, work.tree_of(repository, head), tools) if head else None
    return PromotionSnapshot(
        integration=integration,
        main=main if main_head else None,
        head=head,
        main_head=main_head,
        contained=bool(main_head) and work.is_ancestor(repository, head, main_head),
        wanted=repository.promote,
        no_main=run.request.no_main,
        merged=merges,
        gate=gate.end if gate else None,
        conflicts=conflicts,
        force=run.request.force,
        approved=known.approved if known else "",
        may_ship=_refused(repository, (integration, main), tools),
    )
