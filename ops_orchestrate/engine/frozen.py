"""A branch onto which a merge did not hold what had been verified: it is closed until a person has looked."""

from __future__ import annotations

from ops_orchestrate.core.own_change import OwnChange, own_change
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import Promotion, PromotionState
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
    waits = _waits(*frozen, tools)
    return f"{branch} is closed until somebody has looked at {frozen[1]} of run {frozen[0]}" if waits else ""


def freeze_own(own: OwnChange, repository: Repository, branch: str, run: str, tools: Toolbox) -> None:
    """Nothing more goes onto this branch while that change of the run's own waits for a person."""
    tools.ledger.facts.freeze(repository.key, branch, run=run, task=own.name)


def _waits(run: str, task: str, tools: Toolbox) -> bool:
    """Whether what it is closed for still waits for a person."""
    own = own_change(task)
    if own is not None:
        stored = tools.ledger.runs.promotion(run, own.key)
        return bool(stored) and Promotion.model_validate(stored).state is PromotionState.WAITING
    try:
        return tools.ledger.tasks.get(run, task).state is TaskState.BLOCKED
    except (UnknownRun, UnknownTask):
        return False
