"""A merge that did not do well is taken back: begun by the watch, carried out like every change of the run's own."""

from __future__ import annotations

from ops_orchestrate.core.names import short
from ops_orchestrate.core.own_change import OwnChange, OwnKind
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.watch import Watched
from ops_orchestrate.engine.promotion.book import promotion_of, remember
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError


def begin_revert(run: RunRecord, repository: Repository, watched: Watched, tools: Toolbox) -> str:
    """Begin to take it back, once for each merge; what that means, in one sentence."""
    if watched.rollback:
        return "It is what was before; a person has to look"
    if tools.pulls_of(repository) is None:
        return f"To take it back: {revert_by_hand(repository, watched.commit, tools)} on {watched.branch}"
    own = OwnChange(kind=OwnKind.REVERT, repo=repository.key)
    known = promotion_of(run.id, own.key, tools)
    if known is None or known.watched is None or known.watched.commit != watched.commit:
        begun = {"state": PromotionState.PENDING, "reason": "", "watched": watched, "pursuit": None, "approved": ""}
        remember(run.id, own.key, tools, **begun, wake_at=tools.ledger.now())
    return f"A pull request takes {short(watched.commit)} on {watched.branch} back"


def revert_by_hand(repository: Repository, commit: str, tools: Toolbox) -> str:
    """What a person types on the branch."""
    try:
        merge = len(tools.workshop.parents_of(repository, commit)) > 1
    except OpsError:
        merge = False
    return f"git revert {'-m 1 ' if merge else ''}{commit}"
