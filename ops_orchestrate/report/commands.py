"""The exact command that moves something on: nothing that waits for a person is shown without it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import NamedTuple

from ops_orchestrate.core import ask
from ops_orchestrate.core.names import short
from ops_orchestrate.core.own_change import OwnKind
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.view import RunView, TaskView

PROGRAM = "ops-orchestrate"
_GIVEN_UP = frozenset({TaskState.DISCARDED, TaskState.CANCELLED})


def command(*words: str) -> str:
    """A command of ours, ready to be pasted into a shell."""
    return shlex.join([PROGRAM, *words])


def next_command(run: str, task: TaskView) -> str:
    """What a person types to move that task on; empty where nothing of theirs is needed."""
    if task.state is TaskState.BLOCKED:
        return ask.command(shlex.quote(run), shlex.quote(task.id), task.ask)
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


class Question(NamedTuple):
    """What a person at the terminal can say yes or no to."""

    name: str
    """What `answer` calls it: a task's id, or `promote:`, `back:` or `revert:` and a repository."""
    about: str
    """The commit it is about: another one is another question."""
    text: str


def questions(view: RunView) -> Iterator[Question]:
    """The confirmations that wait: merges, in plan order, then the run's own. A review or a guard's no is none."""
    for task in view.tasks.values():
        if task.state is TaskState.BLOCKED and task.ask == "approve":
            into = f" into {task.base}" if task.base else ""
            yield Question(task.id, task.head, f"Merge {task.id} ({task.title}) at {short(task.head)}{into}?")
    for refusal in view.refusals:
        words = refusal.command.split()
        if refusal.ask in set(OwnKind) and len(words) > 3:
            yield Question(words[3], str(refusal.at), f"{refusal.by}: {refusal.reason}.")
