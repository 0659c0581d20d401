"""What a rule looks at, gathered in one place: the frozen snapshot behind a landing decision."""

from __future__ import annotations

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.landing import LandingSnapshot, is_main
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.toolbox import Toolbox


def landing_snapshot(
    key: StageKey, run: RunRecord, record: TaskRecord, repository: Repository, tools: Toolbox
) -> LandingSnapshot:
    """Everything that decides a merge, read once. The mirror has just been refreshed."""
    verified = tools.ledger.attempts.verified(key)
    intent = tools.ledger.attempts.intent(key.run, key.task)
    base_now = tools.workshop.head(repository, record.spec.base) or ""
    landed = bool(intent and base_now and tools.workshop.is_ancestor(repository, intent.commit, base_now))
    return LandingSnapshot(
        run=key.run,
        task=key.task,
        may_ship=tools.forge_of(repository).may_ship(repository) or "",
        verified_head=verified.head,
        verified_base=verified.base,
        verified_tree=verified.tree,
        head=record.head,
        base=base_now,
        approved=tools.ledger.tasks.approved(key.run, key.task),
        force=run.request.force,
        spared=run.request.no_main and is_main(record.spec.base, repository.main),
        dry_run=run.request.dry_run,
        stopping=bool(tools.ledger.attempts.stop_asked(key.run, key.task)),
        intended=intent is not None,
        landed=landed,
    )
