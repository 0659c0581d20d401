"""Members of a team that start early: what their blockers hand over comes to them as messages."""

from __future__ import annotations

from ops_orchestrate.core.attempt import HandOver, StageKey
from ops_orchestrate.core.early import Standing, standing
from ops_orchestrate.core.mail import Topic, letter
from ops_orchestrate.core.names import short
from ops_orchestrate.core.narrowing import listed
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.toolbox import Toolbox


def standing_of(record: TaskRecord, tools: Toolbox) -> Standing:
    """What its blockers mean for a task that is under way; nothing for one that did not start early."""
    if not record.early:
        return Standing()
    return standing(tools.ledger.tasks.many(record.run, record.spec.blocked_by))


def hand_over(run: str, task: str, tools: Toolbox) -> None:
    """Tell a member that started early what its blockers have made. Repeated, each is told once."""
    record = tools.ledger.tasks.get(run, task)
    if not (record.early and record.state is TaskState.RUNNING):
        return
    for given in tools.ledger.tasks.hand_overs(run, task):
        sender = tools.ledger.tasks.get(run, given.task).spec.member or given.task
        made = letter(sender, Topic.HAND_OVER, tools.secrets.redact(_words(given)))
        tools.ledger.mail.send(run, task, made, id=f"hand-over:{given.task}")


def _words(given: HandOver) -> str:
    return "\n".join(
        (
            f"Task {given.task} of {given.project} is merged as {short(given.merge)}: go on with what waits for it.",
            f"Files: {listed(given.files)}",
            given.summary,
        )
    )


def waits_for(key: StageKey, tools: Toolbox) -> Standing:
    """What the newest attempt of a task still waits for."""
    return standing_of(tools.ledger.tasks.get(key.run, key.task), tools)
