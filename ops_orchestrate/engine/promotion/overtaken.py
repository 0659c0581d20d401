"""Promotions whose commits a newer one brings as well: ours are closed, and a run leaves its own to the newer one."""

from __future__ import annotations

from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.promotion import overtaken, syncs
from ops_orchestrate.engine.promotion.sync import Sync
from ops_orchestrate.errors import GitError


def close_overtaken(sync: Sync) -> None:
    """Promotions of ours to main that this one has overtaken: closed without a word, and their branches taken away.

    Their commits are on integration and in this one, so nothing is lost. Nobody waits for it: a no is only said.
    """
    head = sync.seen.head
    opened = sync.pulls.opened(sync.repository)
    for pull in overtaken(opened, sync.main, head, lambda older: _contains(sync, head, older)):
        # The branch first: with it a forge closes the pull request too, and who dies in between leaves nothing.
        sync.pulls.remove(sync.repository, branch=pull.head_ref, head=pull.head)
        closed = sync.pulls.close(sync.repository, pull.number, head=pull.head)
        if closed.end is not LandingEnd.LANDED:
            sync.warn(f"#{pull.number} is overtaken by {head[:10]} and could not be closed: {closed.detail}")
            continue
        sync.note("promotion", f"#{pull.number} is closed: what it brings to {sync.main} is in {head[:10]}")


def overtaken_by(sync: Sync, pursuit: Pursuit) -> int:
    """The promotion of ours, of another run perhaps, that brings all of this one; 0 where there is none."""
    newer = syncs(sync.pulls.opened(sync.repository), sync.main)
    return next(
        (one.number for one in newer if one.number != pursuit.number and _contains(sync, one.head, pursuit.head)), 0
    )


def _contains(sync: Sync, newer: str, older: str) -> bool:
    try:
        return sync.contains(newer, older)
    except GitError:  # the mirror does not have it yet
        return False
