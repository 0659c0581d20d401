"""Retention: what is over for good is forgotten, in the ledger, in this machine's mirrors and among its sessions."""

from __future__ import annotations

import logging

from ops_orchestrate.core.project import Repository
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import GitError, SourceUnavailable

log = logging.getLogger("ops_orchestrate.keep")

_DAY = 24 * 3600


def forget_runs(tools: Toolbox) -> int:
    """Forget runs that ended long ago and that nobody can go on with; how many."""
    before = _before(tools)
    return sum(tools.ledger.runs.forget(run.id, ended_before=before) for run in tools.ledger.runs.list())


def tidy_mirrors(tools: Toolbox) -> int:
    """Remove old refs of merged work from the mirrors that are here; how many. A repository's failure is its own."""
    removed = 0
    for repository in _repositories(tools).values():
        try:
            removed += tools.workshop.tidy(repository, before=_before(tools))
        except (GitError, SourceUnavailable) as error:
            log.warning("%s is not tidied: %s", repository.name, error)
    return removed


def drop_mirrors(tools: Toolbox) -> list[str]:
    """Remove the mirrors that no run needs which the ledger still knows; the keys of those that are gone."""
    gone = tools.workshop.drop_mirrors(set(_repositories(tools)), before=_before(tools))
    if gone:
        log.info("mirrors that nobody has used for long are gone: %s", ", ".join(gone))
    return gone


def forget_sessions(tools: Toolbox) -> int:
    """Remove the sessions that this machine keeps of runs that the ledger has forgotten; how many."""
    known = {run.id for run in tools.ledger.runs.list()}
    return tools.sessions.forget(known=known, before=_before(tools))


def _before(tools: Toolbox) -> float:
    return tools.ledger.now() - tools.settings.keep_days * _DAY


def _repositories(tools: Toolbox) -> dict[str, Repository]:
    """Every repository of a run that the ledger knows, as the newest one has it."""
    runs = reversed(tools.ledger.runs.list())
    return {one.key: one for run in runs for project in run.request.portfolio.projects for one in project.repositories}
