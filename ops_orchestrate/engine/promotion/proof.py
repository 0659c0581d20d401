"""Main shows the promotion: is it what was verified? Only then is it said, once, and tidied up after.

A merge commit that holds anything else closes main to us until a person has looked, as for every merge of ours.
"""

from __future__ import annotations

from contextlib import suppress

from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.message import MERGE_KEY, sync_body
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.engine.frozen import freeze_promotion
from ops_orchestrate.engine.promotion.book import already_said
from ops_orchestrate.engine.promotion.sync import Step, Sync
from ops_orchestrate.errors import LedgerUnavailable, OpsError, SourceUnavailable


def promoted(sync: Sync, pursuit: Pursuit, merge: str = "") -> Step:
    """What comes of a promotion that is merged; `merge`: the commit, as far as the forge has said."""
    sync.tools.workshop.refresh(sync.repository)
    main_head = sync.tools.workshop.head(sync.repository, sync.main) or ""
    if not sync.contains(main_head, pursuit.head):
        return PromotionState.PENDING, f"#{pursuit.number} is merged and not visible on {sync.main} yet"
    commit = merge or _merge_commit(sync, pursuit)
    if commit and not _is_as_verified(sync, commit, pursuit.head):
        return _not_as_verified(sync, commit)
    try:
        _back(sync, main_head)  # before it is said to be done: nobody comes back for it
    except LedgerUnavailable:
        raise
    except OpsError as error:
        sync.warn(f"{sync.main} was not brought back to {sync.seen.integration}: {error}")
    _say(sync, pursuit, main_head)
    with suppress(SourceUnavailable):
        sync.pulls.remove(sync.repository, branch=pursuit.branch, head=pursuit.head)
    sync.keep(None)
    return PromotionState.DONE, ""


def _merge_commit(sync: Sync, pursuit: Pursuit) -> str:
    """The commit that brought it to main, by our trailer, else as the forge has it; empty: somebody pushed it there."""
    trailer = f"{MERGE_KEY}: {sync.main}/{pursuit.head}"
    found = sync.tools.workshop.find_commit(sync.repository, sync.main, since=pursuit.base, trailer=trailer)
    return found or sync.pulls.read(sync.repository, pursuit.number).merge_commit


def _is_as_verified(sync: Sync, commit: str, head: str) -> bool:
    """Whether it holds just what main held before it, and `head`."""
    work = sync.tools.workshop
    parent = work.parents_of(sync.repository, commit)[0]
    return work.tree_of(sync.repository, commit) == work.preview(sync.repository, parent, head).tree


def _not_as_verified(sync: Sync, commit: str) -> Step:
    freeze_promotion(sync.repository, sync.main, sync.run.id, sync.tools)
    sync.keep(None)
    how = f"git revert -m 1 {commit}"
    return PromotionState.WAITING, (
        f"{commit[:10]} on {sync.main} does not hold what was verified. Nothing more is merged there until you have "
        f"looked; to take it back: {how} in a pull request"
    )


def _say(sync: Sync, pursuit: Pursuit, main_head: str) -> None:
    """Once, however often a worker dies right behind it."""
    if already_said(sync.run.id, sync.repository.key, pursuit.head, sync.tools):
        return
    data = {
        "repo": sync.repository.key,
        "name": sync.repository.name,
        "from": sync.seen.integration,
        "to": sync.main,
        "commit": main_head,
        "head": pursuit.head,
        "change": f"#{pursuit.number}",
    }
    sync.tools.ledger.runs.note(sync.run.id, EventKind.PROMOTED, host=sync.tools.host, data=data)


def _back(sync: Sync, main_head: str) -> None:
    """What main has and integration lacks comes back in a pull request of its own, which waits for a person."""
    dev = sync.tools.workshop.head(sync.repository, sync.seen.integration) or sync.seen.head
    preview = sync.tools.workshop.preview(sync.repository, dev, main_head)
    if preview.empty:
        return
    branch = f"ops/back/{main_head[:12]}"
    landing = sync.pulls.publish(sync.repository, commit=main_head, branch=branch, expected="")
    if landing.end is not LandingEnd.LANDED:
        sync.warn(f"{sync.main} has work that {sync.seen.integration} lacks: {landing.detail}")
        return
    title = f"chore: bring {sync.main} back to {sync.seen.integration}"
    body = sync_body(integration=sync.main, main=sync.seen.integration, run=sync.run.id, head=main_head)
    number = sync.pulls.open(sync.repository, branch=branch, base=sync.seen.integration, title=title, body=body)
    text = f"{sync.main} has work that {sync.seen.integration} lacks; #{number} brings it back and waits for you"
    sync.warn(text)
