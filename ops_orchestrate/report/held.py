"""Which tasks cannot start because another one waits for a person or has been given up.

Derived, never stored: as a state it would have to be undone over half the graph when the blocker goes on.
"""

from __future__ import annotations

from collections import deque

from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.view import TaskView

_DEAD_ENDS = frozenset({TaskState.BLOCKED, TaskState.DISCARDED, TaskState.CANCELLED})
#: More culprits than this say nothing more to a person, and would make the whole quadratic.
_SHOWN = 5


def with_held(tasks: dict[str, TaskView]) -> dict[str, TaskView]:
    """The same tasks, each startable one with the nearest dead ends among what it waits for."""
    culprits: dict[str, tuple[str, ...]] = {}
    for name in _blockers_first(tasks):
        task = tasks[name]
        found: dict[str, None] = {}
        for blocker in task.blocked_by if task.startable else ():
            dead = blocker in tasks and tasks[blocker].state in _DEAD_ENDS
            found.update(dict.fromkeys((blocker,) if dead else culprits.get(blocker, ())))
        culprits[name] = tuple(found)[:_SHOWN]
    return {
        name: task if task.held_by == culprits.get(name, ()) else _held(task, culprits.get(name, ()))
        for name, task in tasks.items()
    }


def _held(task: TaskView, by: tuple[str, ...]) -> TaskView:
    return task.model_copy(update={"held_by": by})


def _blockers_first(tasks: dict[str, TaskView]) -> list[str]:
    """Names, blockers first. Tasks on a cycle are left out (the planner refuses them)."""
    waits = {name: sum(1 for b in set(task.blocked_by) if b in tasks) for name, task in tasks.items()}
    dependants: dict[str, list[str]] = {}
    for name, task in tasks.items():
        for blocker in dict.fromkeys(task.blocked_by):
            dependants.setdefault(blocker, []).append(name)
    ready = deque(name for name, count in waits.items() if count == 0)
    order: list[str] = []
    while ready:
        name = ready.popleft()
        order.append(name)
        for dependant in dependants.get(name, ()):
            waits[dependant] -= 1
            if waits[dependant] == 0:
                ready.append(dependant)
    return order
