"""The gate on what a repository's last steps are about to merge: the audit pool runs it, the ship pool reads it."""

from __future__ import annotations

from ops_orchestrate.core.change import GateEnd
from ops_orchestrate.core.own_change import OwnChange, OwnKind, own_key
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.engine.promotion.book import promotion_of, warn
from ops_orchestrate.engine.promotion.plans import own_plan
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.engine.unlisted import gate_wanted
from ops_orchestrate.engine.verify import gate_on, known_gate
from ops_orchestrate.errors import GitError, SourceUnavailable


def check_head(run_id: str, key: str, tools: Toolbox) -> None:
    """Run the gate, so that the decision finds its result. Never raises for a bad repository.

    Of a promotion: on integration's head. Of a back-merge or a revert: on what its merge would make of its base.
    """
    run, own = tools.ledger.runs.get(run_id), own_key(key)
    repository = run.request.portfolio.repository(own.repo)
    try:
        tools.workshop.refresh(repository)
        if own.kind is OwnKind.PROMOTE:
            _check_integration(run_id, repository, tools)
        else:
            _check_merge(run, repository, own, tools)
    except (GitError, SourceUnavailable) as error:
        warn(run_id, repository, f"{repository.name} could not be checked before its {own.noun}: {error}", tools)


def _check_integration(run_id: str, repository: Repository, tools: Toolbox) -> None:
    head = tools.workshop.head(repository, tools.workshop.integration(repository))
    if head is not None:
        _gate(run_id, repository, head, tools.workshop.tree_of(repository, head), tools)


def _gate(run_id: str, repository: Repository, commit: str, tree: str, tools: Toolbox) -> None:
    known = known_gate(repository, tree, tools)
    if known is None or known.end is GateEnd.UNAVAILABLE:
        gate = gate_on(repository, commit, tree, None, tools)
        if wanted := gate_wanted(repository, gate, tools):
            warn(run_id, repository, wanted, tools)


def _check_merge(run: RunRecord, repository: Repository, own: OwnChange, tools: Toolbox) -> None:
    known = promotion_of(run.id, own.key, tools)
    plan = own_plan(run, repository, own, known, tools) if known else None
    if plan is None or not (plan.base_head and plan.head):
        return
    preview = tools.workshop.preview(repository, plan.base_head, plan.head)
    if preview.tree and not preview.empty:
        _gate(run.id, repository, preview.commit, preview.tree, tools)
