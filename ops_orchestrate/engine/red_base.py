"""Changes that are as red as their base wait for it: once a merge has replaced that base they are verified again.

Asked right after every merge, and once more before a run may end: a change whose verdict fell just before the merge
starts to wait just after it, and would wait for ever.
"""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.admit import newest
from ops_orchestrate.engine.placing import publish_tail
from ops_orchestrate.engine.toolbox import Toolbox


def after_merge(run: str, task: str, tools: Toolbox) -> None:
    """A merge may have turned a red base green: what waits for that branch is verified once more."""
    if not tools.ledger.runs.counts(run).get(TaskState.BLOCKED):
        return  # the whole board is read only where somebody waits: asked after every merge, it would be quadratic
    repo = tools.ledger.tasks.get(run, task).spec.repo
    for record in _waiting(tools.ledger.tasks.all(run)):
        if record.spec.repo == repo:
            _again(record, f"the merge of {task}", tools)


def overtaken(tasks: Sequence[TaskRecord], tools: Toolbox) -> bool:
    """Verify again what was judged against a base that a merge of the same run has replaced; True if anything was."""
    waiting = _waiting(tasks)
    if not waiting:
        return False
    replaced = {(task.spec.repo, _base(task, Stage.LAND, tools)) for task in tasks if task.merge}
    late = [task for task in waiting if (task.spec.repo, _base(task, Stage.VERIFY, tools)) in replaced]
    moved = [task for task in late if _again(task, "a merge that came first", tools)]
    return bool(moved)


def _waiting(tasks: Sequence[TaskRecord]) -> list[TaskRecord]:
    return [task for task in tasks if task.state is TaskState.BLOCKED and task.ask == "base"]


def _base(task: TaskRecord, stage: Stage, tools: Toolbox) -> str:
    """The base that the newest attempt was judged against, or merged onto."""
    outcome = tools.ledger.attempts.outcome_of(task.run, task.spec.id, task.attempt, stage)
    return outcome.base if outcome else ""


def _again(record: TaskRecord, by: str, tools: Toolbox) -> bool:
    moved = tools.ledger.tasks.reopen(
        record.run,
        record.spec.id,
        to=TaskState.VERIFYING,
        expect=(TaskState.BLOCKED,),
        by=by,
        answer="base moved",
    )
    if moved is not None:
        publish_tail(newest(moved), Stage.VERIFY, tools)
    return moved is not None
