"""What a run has cost, project by project."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from ops_orchestrate.report.amounts import count, duration
from ops_orchestrate.report.money import attempts_by_project, cost_words
from ops_orchestrate.report.view import AttemptView, RunView


class Cost(NamedTuple):
    """One line of the table."""

    project: str
    tasks: int
    attempts: int
    worked: str
    cost: str


def costs(view: RunView) -> tuple[Cost, ...]:
    """The projects, dearest in agents' time first, and all of them together last; none where no agent was started."""
    projects = attempts_by_project(view)
    if not projects:
        return ()
    tasks = Counter(task.project or task.repo for task in view.tasks.values())
    lines = [(_seconds(tries), _cost(name, tasks[name], tries)) for name, tries in projects.items()]
    every = [attempt for tries in projects.values() for attempt in tries]
    ordered = [line for _, line in sorted(lines, key=lambda pair: (-pair[0], pair[1].project))]
    together = [_cost(f"all {count(len(lines), 'project')}", len(view.tasks), every)] if len(lines) > 1 else []
    return (*ordered, *together)


def _cost(project: str, tasks: int, attempts: list[AttemptView]) -> Cost:
    return Cost(project, tasks, len(attempts), duration(_seconds(attempts)), cost_words(attempts))


def _seconds(attempts: list[AttemptView]) -> float:
    return sum(attempt.seconds or 0.0 for attempt in attempts)
