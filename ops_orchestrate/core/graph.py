"""The graph of a plan: who waits for whom. Checked once, linear in tasks and edges, and never recursive.

It refuses what is not a graph of the plan's own tasks: unknown ids, a task that waits for itself, cycles.
It never drops an edge that somebody wrote, except one written twice: a transitive reduction would take away
what `explain` shows and what a hand-over is read from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.nearest import did_you_mean
from ops_orchestrate.errors import PlanError

#: A cycle longer than this is spelled out at both ends only.
_SPELLED = 12


class Graph:
    """Tasks and their blockers, checked. Built once and never changed."""

    def __init__(self, blocked_by: Mapping[str, Sequence[str]]) -> None:
        """`blocked_by`: each task's id to the ids it waits for, in plan order. Raises PlanError."""
        self.blockers: dict[str, tuple[str, ...]] = {
            task: tuple(dict.fromkeys(waits)) if waits else () for task, waits in blocked_by.items()
        }
        #: Every task after its blockers; a plan that is in such an order already keeps it.
        self.order: tuple[str, ...] = tuple(self.blockers if _is_in_order(self.blockers) else _ordered(self.blockers))
        self.dependants: dict[str, tuple[str, ...]] = _turned(self.blockers)

    def waves(self) -> dict[str, int]:
        """Each task's longest distance from a task without blockers."""
        waves: dict[str, int] = {}
        for task in self.order:
            waits = self.blockers[task]
            waves[task] = 1 + max(map(waves.__getitem__, waits)) if waits else 0
        return waves

    def path_left(self, seconds: Mapping[str, float]) -> dict[str, float]:
        """Seconds of the longest chain of work that begins with each task, itself included."""
        left: dict[str, float] = {}
        for task in reversed(self.order):
            waiting = self.dependants[task]
            left[task] = seconds[task] + (max(map(left.__getitem__, waiting)) if waiting else 0.0)
        return left

    def needed_by(self, tasks: Iterable[str]) -> set[str]:
        """These tasks and everything they wait for, directly or not."""
        return _closure(self.blockers, tasks)

    def waiting_for(self, tasks: Iterable[str]) -> set[str]:
        """These tasks and everything that waits for them, directly or not."""
        return _closure(self.dependants, tasks)


def validate(blocked_by: Mapping[str, Sequence[str]]) -> None:
    """Refuse unknown ids, self-dependencies and cycles, each named. Raises PlanError."""
    Graph(blocked_by)


def find_cycle(blocked_by: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Tasks of which each waits for the next and the last for the first; empty where there are none."""
    return _walk(blocked_by)[1]


def knots(blocked_by: Mapping[str, Sequence[str]]) -> set[str]:
    """Every task on a cycle, or on a way from one cycle to another. Empty for a graph without cycles."""
    forward = _left_after_peeling(blocked_by)
    return forward & _left_after_peeling(_turned({task: blocked_by[task] for task in forward}))


def spell(cycle: Sequence[str]) -> str:
    """`a waits for b, b waits for a`, as a person reads a cycle."""
    pairs = [f"{task} waits for {cycle[(at + 1) % len(cycle)]}" for at, task in enumerate(cycle)]
    if len(pairs) > _SPELLED:
        hidden = len(pairs) - _SPELLED
        pairs[_SPELLED - 1 : -1] = [f"… ({hidden} more) …"]
    return ", ".join(pairs)


def _is_in_order(blockers: Mapping[str, Sequence[str]]) -> bool:
    """Whether each task stands behind its blockers; then it waits for nothing unknown, for itself or in a circle."""
    before: set[str] = set()
    for task, waits in blockers.items():
        if not before.issuperset(waits):
            return False
        before.add(task)
    return True


def _ordered(blockers: Mapping[str, Sequence[str]]) -> Sequence[str]:
    _refuse_strangers(blockers)
    order, cycle = _walk(blockers)
    if cycle:
        raise PlanError(f"The tasks wait for each other in a circle: {spell(cycle)}. Remove one of these.")
    return order


def _refuse_strangers(blockers: Mapping[str, Sequence[str]]) -> None:
    for task, waits in blockers.items():
        if task in waits:
            raise PlanError(f"Task {task} waits for itself. Remove it from its own blocked_by.")
        for blocker in waits:
            if blocker not in blockers:
                hint = did_you_mean(blocker, blockers)
                raise PlanError(f'Task {task} waits for "{one_line(blocker)}", which is no task of this plan.{hint}')


def _walk(blockers: Mapping[str, Sequence[str]]) -> tuple[list[str], tuple[str, ...]]:
    """Depth first in plan order, blockers first: the order, and the first cycle met."""
    order: list[str] = []
    done: set[str] = set()
    for root in blockers:
        if root in done:
            continue
        trail, rests = [root], [iter(blockers[root])]
        on_trail = {root}
        while trail:
            for ahead in rests[-1]:
                if ahead in done or ahead not in blockers:
                    continue
                if ahead in on_trail:
                    return order, tuple(trail[trail.index(ahead) :])
                trail.append(ahead)
                rests.append(iter(blockers[ahead]))
                on_trail.add(ahead)
                break
            else:
                rests.pop()
                task = trail.pop()
                on_trail.discard(task)
                done.add(task)
                order.append(task)
    return order, ()


def _turned(edges: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    turned: dict[str, list[str]] = {task: [] for task in edges}
    for task, others in edges.items():
        for other in others:
            if other in turned:
                turned[other].append(task)
    return {task: tuple(others) for task, others in turned.items()}


def _closure(edges: Mapping[str, Sequence[str]], tasks: Iterable[str]) -> set[str]:
    found = set(tasks)
    todo = list(found)
    while todo:
        for other in edges[todo.pop()]:
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def _left_after_peeling(blockers: Mapping[str, Sequence[str]]) -> set[str]:
    """What is left after taking away, again and again, the tasks that wait for nothing."""
    waits = {task: len({b for b in others if b in blockers}) for task, others in blockers.items()}
    dependants = _turned({task: tuple(dict.fromkeys(others)) for task, others in blockers.items()})
    free = [task for task, count in waits.items() if not count]
    while free:
        for later in dependants[free.pop()]:
            waits[later] -= 1
            if not waits[later]:
                free.append(later)
    return {task for task, count in waits.items() if count}
