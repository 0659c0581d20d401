"""What a rule looks at, gathered in one place: the frozen snapshot behind a landing decision."""

from __future__ import annotations

from ops_orchestrate.core.landing import LandingSnapshot, is_main
from ops_orchestrate.engine.landing.case import Case
from ops_orchestrate.ledger.looks import Landable


def landing_snapshot(case: Case, known: Landable) -> LandingSnapshot:
    """Everything that decides a merge, read once. The mirror has just been refreshed."""
    work, repository = case.tools.workshop, case.repository
    base_now = work.head(repository, case.base) or ""
    intent, verified = known.intent, known.verified
    landed = bool(intent and base_now and work.is_ancestor(repository, intent.commit, base_now))
    return LandingSnapshot(
        run=case.key.run,
        task=case.key.task,
        may_ship=case.tools.forge_of(repository).may_ship(repository) or "",
        verified_head=verified.head,
        verified_base=verified.base,
        verified_tree=verified.tree,
        head=case.record.head,
        base=base_now,
        approved=known.approved,
        force=case.run.request.force,
        spared=case.run.request.no_main and is_main(case.base, repository.main),
        dry_run=case.run.request.dry_run,
        stopping=known.stopping,
        intended=intent is not None,
        landed=landed,
    )
