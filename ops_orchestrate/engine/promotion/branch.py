"""A promotion where there are no pull requests: a merge commit of ours, pushed to main by compare-and-set.

The commit is written down before it is pushed, so its SHA is known: whoever comes after a push without an end looks
whether main has it, says so once, and never pushes blindly. Afterwards integration is moved forward to the merge
commit, so that the two branches never diverge.
"""

from __future__ import annotations

from ops_orchestrate.core.change import Landing, LandingEnd, MergeIntent
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.message import promotion_message
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import Promotion, PromotionSnapshot, PromotionState
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.engine.promotion.book import already_said, remember, warn
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import GitError

_LOOK_AGAIN = frozenset({LandingEnd.UNKNOWN, LandingEnd.MOVED})


def promote_branch(
    run: RunRecord, repository: Repository, seen: PromotionSnapshot, known: Promotion | None, tools: Toolbox
) -> tuple[PromotionState, str]:
    """Push the merge commit to main, and integration forward to it."""
    intent = _intent(run, repository, seen, known, tools)
    remember(run.id, repository.key, tools, intent=intent)
    landing = tools.forge_of(repository).land(repository, intent)
    if landing.end is LandingEnd.LANDED:
        _promoted(run, repository, seen, intent, tools)
        return PromotionState.DONE, ""
    if landing.end in _LOOK_AGAIN:  # main itself shows the next look what came of it
        return PromotionState.PENDING, landing.detail or str(landing.end)
    remember(run.id, repository.key, tools, intent=None)
    return PromotionState.REFUSED, _why(landing)


def was_promoted(
    run: RunRecord, repository: Repository, seen: PromotionSnapshot, known: Promotion | None, tools: Toolbox
) -> bool:
    """Whether main has what this run has announced: its worker died, or got no answer, before it could say so."""
    intent = known.intent if known else None
    if intent is None or not seen.main_head or not _has(repository, seen.main_head, intent.commit, tools):
        return False
    _promoted(run, repository, seen, intent, tools)
    return True


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


def _intent(
    run: RunRecord, repository: Repository, seen: PromotionSnapshot, known: Promotion | None, tools: Toolbox
) -> MergeIntent:
    """The prepared commit: the one that was announced before, where it is the same merge."""
    preview = tools.workshop.preview(repository, seen.main_head, seen.head)
    before = known.intent if known else None
    if before and (before.base, before.head, before.tree) == (seen.main_head, seen.head, preview.tree):
        return before
    main = seen.main or ""
    commit = tools.workshop.commit_tree(
        repository,
        tree=preview.tree,
        parents=(seen.main_head, seen.head),
        message=promotion_message(integration=seen.integration, main=main, run=run.id, head=seen.head),
        at=tools.ledger.now(),
    )
    return MergeIntent(
        repo=repository.key,
        branch=main,
        base=seen.main_head,
        head=seen.head,
        tree=preview.tree,
        commit=commit,
        method="merge",
    )


def _promoted(
    run: RunRecord, repository: Repository, seen: PromotionSnapshot, intent: MergeIntent, tools: Toolbox
) -> None:
    """Said once, however often a worker dies right behind it; then integration follows."""
    if not already_said(run.id, EventKind.PROMOTED, repository.key, intent.head, tools):
        data = {
            "repo": repository.key,
            "name": repository.name,
            "from": seen.integration,
            "to": intent.branch,
            "commit": intent.commit,
            "head": intent.head,
        }
        tools.ledger.runs.note(run.id, EventKind.PROMOTED, host=tools.host, data=data)
    back = intent.model_copy(update={"branch": seen.integration, "base": intent.head, "method": "forward"})
    _forward(run, repository, seen, back, tools)
    remember(run.id, repository.key, tools, intent=None)


def _forward(
    run: RunRecord, repository: Repository, seen: PromotionSnapshot, back: MergeIntent, tools: Toolbox
) -> None:
    """Integration forward to main's merge commit: a fast-forward, because nothing else may be between them."""
    landing = tools.forge_of(repository).land(repository, back)
    if landing.end is not LandingEnd.LANDED:
        text = f"{seen.integration} of {repository.name} was not moved forward to {seen.main}: {landing.detail}"
        warn(run.id, repository, text, tools)


def _has(repository: Repository, head: str, commit: str, tools: Toolbox) -> bool:
    try:
        return tools.workshop.is_ancestor(repository, commit, head)
    except GitError:  # the mirror of this host has no such commit: nobody has pushed it
        return False


def _why(landing: Landing) -> str:
    return " ".join(part for part in (landing.detail or str(landing.end), landing.command) if part)
