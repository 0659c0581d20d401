"""Playbooks: what the `scripted` agent does, attempt by attempt. Written by a person, in YAML or JSON.

A mapping from a task's id (or a glob of ids; the first that fits, an exact id before all) to its attempts. An
attempt is a list of steps; the last attempt repeats. A step is a word, or one word with its arguments.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from ops_orchestrate.adapters.agents.player import STEPS
from ops_orchestrate.errors import UsageError

_LIMIT = 1_000_000

Step = dict[str, dict[str, Any]]


def read_playbook(path: Path) -> dict[str, list[list[Step]]]:
    """The playbook, checked. Raises UsageError, naming file, task and step."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LIMIT + 1)
        content = yaml.safe_load(text) if len(text) <= _LIMIT else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: the playbook cannot be read: {error}") from error
    if not isinstance(content, dict) or not content:
        raise UsageError(f"{path}: a playbook is a mapping from task ids to lists of attempts, at most 1 MB.")
    return {str(task): _attempts(attempts, f"{path}: {task}") for task, attempts in content.items()}


def steps_for(playbook: dict[str, list[list[Step]]], task: str, attempt: int, purpose: str = "") -> list[Step] | None:
    """The steps of an attempt, counted from 1; None where the playbook says nothing about the task.

    `purpose`: of who is asked something about that attempt (`review`, `split`); its entries are named `review:TASK`.
    """
    named = {_of(name)[1]: name for name in playbook if _of(name)[0] == purpose}
    names = [name for name in named if name == task] + [n for n in named if fnmatchcase(task, n)]
    if not names:
        return None
    attempts = playbook[named[names[0]]]
    return attempts[min(max(attempt, 1), len(attempts)) - 1]


def _of(name: str) -> tuple[str, str]:
    """(purpose, task or glob of tasks) of an entry's name; a task's id holds no colon."""
    purpose, _, task = name.rpartition(":")
    return purpose, task


def _attempts(value: Any, where: str) -> list[list[Step]]:
    if not isinstance(value, list) or not value or not all(isinstance(steps, list) for steps in value):
        raise UsageError(f"{where}: must be a list of attempts, each a list of steps.")
    return [[_step(step, f"{where}, attempt {number}") for step in steps] for number, steps in enumerate(value, 1)]


def _step(value: Any, where: str) -> Step:
    step = {value: {}} if isinstance(value, str) else value
    if not isinstance(step, dict) or len(step) != 1:
        raise UsageError(f"{where}: a step is one word, or one word with its arguments.")
    name, arguments = next(iter(step.items()))
    arguments = {} if arguments is None else arguments
    if name not in STEPS:
        raise UsageError(f"{where}: no step is called {name!r}; there are: {', '.join(sorted(STEPS))}.")
    if not isinstance(arguments, dict) or not set(arguments) <= STEPS[name]:
        known = ", ".join(sorted(STEPS[name])) or "none"
        raise UsageError(f"{where}: the arguments of {name} are: {known}.")
    return {name: arguments}
