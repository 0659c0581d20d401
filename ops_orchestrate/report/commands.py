"""The exact command that moves something on: nothing that waits for a person is shown without it."""

from __future__ import annotations

import shlex

from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.view import RunView, TaskView

PROGRAM = "ops-orchestrate"
#: What a blocked task asks for, and the answer that gives it.
_ANSWERS = {"approve": "yes", "retry": "retry", "done": "done"}
_GIVEN_UP = frozenset({TaskState.DISCARDED, TaskState.CANCELLED})


def command(*words: str) -> str:
    """A command of ours, ready to be pasted into a shell."""
    return shlex.join([PROGRAM, *words])


def next_command(run: str, task: TaskView) -> str:
    """What a person types to move that task on; empty where nothing of theirs is needed."""
    if task.state is TaskState.BLOCKED:
        answer = _ANSWERS.get(task.ask)
        return command("answer", run, task.id, answer) if answer else command("explain", run, task.id)
    if task.state in _GIVEN_UP:
        return command("retry", run, task.id)
    return ""


def resume_command(view: RunView) -> str:
    """What goes on with a run that has ended before its tasks have; empty where nothing is left for it."""
    limit = view.max_waves
    left = any(
        task.in_flight or (task.startable and not task.held_by and (limit is None or task.wave < limit))
        for task in view.tasks.values()
    )
    return command("resume", view.run) if left and view.finished is not None else ""
