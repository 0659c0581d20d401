"""A promotion where there are no pull requests: a merge commit of ours, pushed to main by compare-and-set.

Afterwards integration is moved forward to the merge commit, so that the two branches never diverge.
"""

from __future__ import annotations

from ops_orchestrate.core.change import LandingEnd, MergeIntent
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.message import promotion_message
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import PromotionSnapshot, PromotionState
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.engine.promotion.book import warn
from ops_orchestrate.engine.toolbox import Toolbox


def promote_branch(
    run: RunRecord, repository: Repository, seen: PromotionSnapshot, tools: Toolbox
) -> tuple[PromotionState, str]:
    """Push the merge commit to main, and integration forward to it."""
    assert seen.main is not None
    preview = tools.workshop.preview(repository, seen.main_head, seen.head)
    commit = tools.workshop.commit_tree(
        repository,
        tree=preview.tree,
        parents=(seen.main_head, seen.head),
        message=promotion_message(integration=seen.integration, main=seen.main, run=run.id, head=seen.head),
        at=tools.ledger.now(),
    )
    intent = MergeIntent(
        repo=repository.key,
        branch=seen.main,
        base=seen.main_head,
        head=seen.head,
        tree=preview.tree,
        commit=commit,
        method="merge",
    )
    landing = tools.forge_of(repository).land(repository, intent)
    if landing.end is not LandingEnd.LANDED:
        return PromotionState.REFUSED, " ".join(
            part for part in (landing.detail or str(landing.end), landing.command) if part
        )
    data = {
        "repo": repository.key,
        "name": repository.name,
        "from": seen.integration,
        "to": seen.main,
        "commit": commit,
    }
    tools.ledger.runs.note(run.id, EventKind.PROMOTED, host=tools.host, data=data)
    back = intent.model_copy(update={"branch": seen.integration, "base": seen.head, "method": "forward"})
    _forward(run, repository, seen, back, tools)
    return PromotionState.DONE, ""


def catch_up(run: RunRecord, repository: Repository, seen: PromotionSnapshot, tools: Toolbox) -> None:
    """A worker may have died between a promotion and the back-merge: main is ahead then, and integration follows."""
    if seen.no_main or seen.main_head == seen.head:
        return
    tree = tools.workshop.tree_of(repository, seen.main_head)
    intent = MergeIntent(
        repo=repository.key,
        branch=seen.integration,
        base=seen.head,
        head=seen.head,
        tree=tree,
        commit=seen.main_head,
        method="forward",
    )
    _forward(run, repository, seen, intent, tools)


def _forward(
    run: RunRecord, repository: Repository, seen: PromotionSnapshot, back: MergeIntent, tools: Toolbox
) -> None:
    """Integration forward to main's merge commit: a fast-forward, because nothing else may be between them."""
    landing = tools.forge_of(repository).land(repository, back)
    if landing.end is not LandingEnd.LANDED:
        text = f"{seen.integration} of {repository.name} was not moved forward to {seen.main}: {landing.detail}"
        warn(run.id, repository, text, tools)
