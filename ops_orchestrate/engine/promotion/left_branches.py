"""Branches of merged changes that are still there: their removal got no answer when they were merged.

The merge does not wait for it, and neither does whoever waits for the merge; so it is made up for here, where the run
waits for the repository's last steps anyway.
"""

from __future__ import annotations

from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.project import Repository
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import SourceUnavailable
from ops_orchestrate.ports import PullRequests


def remove_left_branches(run: str, repository: Repository, pulls: PullRequests, tools: Toolbox) -> None:
    """Remove them where they stand at what was merged. Raises SourceUnavailable where that is not answered either.

    The mirror has just been refreshed: usually it shows that there are none, and nobody is asked.
    """
    for record in tools.ledger.tasks.all(run):
        if not record.merge or record.spec.repo != repository.key:
            continue
        pursuit = tools.ledger.attempts.pursuit(run, record.spec.id)
        if not pursuit.branch or tools.workshop.head(repository, pursuit.branch) != record.head:
            continue
        gone = pulls.remove(repository, branch=pursuit.branch, head=record.head)
        if gone.end is LandingEnd.UNKNOWN:
            raise SourceUnavailable(f"{pursuit.branch} is merged and not removed yet: {gone.detail}")
        if gone.end is LandingEnd.REFUSED:  # the forge keeps such branches: it is not asked for each, look after look
            return
