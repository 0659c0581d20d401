"""Nothing of an agent's is lost: trees on this host whose attempt is over are salvaged, then removed.

Each agent worker calls this when it starts and on every tick, so that work left by a killed worker is kept by
whoever comes next on the same host.
"""

from __future__ import annotations

import logging

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.project import Repository
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import GitError, LedgerUnavailable, UnknownRun, UnknownTask
from ops_orchestrate.log import about

log = logging.getLogger("ops_orchestrate.salvage")


def sweep(tools: Toolbox) -> int:
    """Salvage and remove every tree of this host that no living claim holds; returns how many."""
    swept = 0
    for repo, key in tools.workshop.leftover_trees():
        repository = _repository(key, repo, tools)
        if repository is not None:
            with about(run=key.run, task=key.task, attempt=key.attempt):  # no job does: the thread is about nothing
                swept += _swept(key, repository, tools)
    return swept


def _swept(key: StageKey, repository: Repository, tools: Toolbox) -> int:
    try:
        return _take(key, repository, tools)
    except LedgerUnavailable:
        raise
    except Exception:  # agents have written to it: what one of them thought of must not keep the others' work
        log.exception("the tree of attempt %s of %s could not be swept", key.attempt, key.task)
        return 0


def _take(key: StageKey, repository: Repository, tools: Toolbox) -> int:
    """Salvage one tree, unless somebody holds it: a stopped worker that comes back is still busy with its own."""
    with tools.workshop.hold_tree(repository, key) as mine:
        if not mine or tools.ledger.attempts.living(key.run, key.task, key.attempt, key.fence):
            return 0
        return _keep(key, repository, tools)


def _repository(key: StageKey, repo: str, tools: Toolbox) -> Repository | None:
    """The repository of a leftover; None when this ledger does not know its run: then the tree is left alone."""
    try:
        return tools.ledger.runs.get(key.run).request.portfolio.repository(repo)
    except (UnknownRun, UnknownTask, KeyError):
        return None


def _keep(key: StageKey, repository: Repository, tools: Toolbox) -> int:
    try:
        ref = tools.workshop.salvage(repository, key)
    except GitError as error:
        data = {"text": f"The tree of {key.task} is kept, its work could not be imported: {error}"}
        tools.ledger.runs.note(key.run, EventKind.WARNING, task=key.task, attempt=key.attempt, data=data)
        return 0
    if ref:
        tools.ledger.attempts.salvaged(key.run, key.task, key.attempt, key.fence, ref, host=tools.host)
    tools.workshop.discard_tree(repository, key)
    return 1
