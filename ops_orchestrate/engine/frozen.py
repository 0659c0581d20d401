"""A branch onto which a merge did not hold what had been verified: it is closed until a person has looked."""

from __future__ import annotations

from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import UnknownRun, UnknownTask


def held(repository: Repository, branch: str, tools: Toolbox, *, but: tuple[str, str] = ("", "")) -> str:
    """Why nothing goes onto this branch, or from it to main; empty where it is open. `but`: run and task that ask.

    The task whose merge it was waits for an answer: with that it is open again.
    """
    frozen = tools.ledger.facts.frozen(repository.key, branch)
    if frozen is None or frozen == but:
        return ""
    try:
        blocked = tools.ledger.tasks.get(*frozen).state is TaskState.BLOCKED
    except (UnknownRun, UnknownTask):
        return ""
    return f"{branch} is closed until somebody has looked at {frozen[1]} of run {frozen[0]}" if blocked else ""
