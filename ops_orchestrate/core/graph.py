"""The graph of a plan: who waits for whom. Checked once, linear in tasks and edges, and never recursive.

It refuses what is not a graph of the plan's own tasks: unknown ids, a task that waits for itself, cycles.
It never drops an edge that somebody wrote, except one written twice: a transitive reduction would take away
what `explain` shows and what a hand-over is read from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.nearest import did_you_mean
from ops_orchestrate.errors import PlanError

#: A cycle longer than this is spelled out at both ends only.
_SPELLED = 12


Places = Sequence[Sequence[int]]
"""For each task of a plan, some others by their places in it."""

V = TypeVar("V", bound=str)


class Graph:
    """Tasks and their blockers, checked. Built once and never changed.

    Within, a task is its place in the plan: a large graph is walked along lists, not by looking names up. What is asked
    of it comes in plan order, but for `order`.
    """

    def __init__(self, blocked_by: Mapping[str, Sequence[str]]) -> None:
        """`blocked_by`: each task's id to the ids it waits for, in plan order. Raises PlanError."""
        self.tasks: tuple[str, ...] = tuple(blocked_by)
        #: The places of each task's blockers.
        self.before: Places = _places(blocked_by)
        once_each = list(map(len, self.before)) == list(map(len, blocked_by.values()))
        if once_each and all(not waits or max(waits) < at for at, waits in enumerate(self.before)):
            self.walk: Sequence[int] = range(len(self.tasks))
        else:
            _refuse_strangers(blocked_by)
            self.walk, cycle = _walk(self.before)
            if cycle:
                names = spell([self.tasks[at] for at in cycle])
                raise PlanError(f"The tasks wait for each other in a circle: {names}. Remove one of these.")
        #: The places of each task's dependants.
        self.after: Places = _turned(self.before)
        #: Every task after its blockers (`walk`: by their places); a plan that is in such an order already keeps it.
        in_order = isinstance(self.walk, range)
        self.order: tuple[str, ...] = self.tasks if in_order else tuple([self.tasks[at] for at in self.walk])
        once = tuple if once_each else _once
        self.blockers: dict[str, tuple[str, ...]] = dict(zip(self.tasks, map(once, blocked_by.values()), strict=True))

    @cached_property
    def dependants(self) -> dict[str, tuple[str, ...]]:
        """Each task's id to the ids of those that wait for it, in plan order."""
        return self._named(self.after)

    def _named(self, places: Places) -> dict[str, tuple[str, ...]]:
        tasks = self.tasks
        return {task: tuple([tasks[at] for at in some]) for task, some in zip(tasks, places, strict=True)}

    def waves(self) -> dict[str, int]:
        """Each task's longest distance from a task without blockers."""
        return dict(zip(self.tasks, self.depths(), strict=True))

    def depths(self) -> list[int]:
        """The waves, in plan order."""
        waves = [0] * len(self.tasks)
        before = self.before
        for at in self.walk:
            for blocker in before[at]:
                if waves[at] <= waves[blocker]:
                    waves[at] = waves[blocker] + 1
        return waves

    def path_left(self, seconds: Mapping[str, float]) -> dict[str, float]:
        """Seconds of the longest chain of work that begins with each task, itself included."""
        return dict(zip(self.tasks, self.lengths([seconds[task] for task in self.tasks]), strict=True))

    def lengths(self, own: Sequence[float]) -> list[float]:
        """The same of seconds in plan order, and so given back."""
        left = list(own)
        before = self.before
        for at in reversed(self.walk):
            ahead = left[at]
            for blocker in before[at]:
                left[blocker] = max(left[blocker], own[blocker] + ahead)
        return left

    def least(self, values: Sequence[V]) -> list[V]:
        """For each task, in plan order, the least of its own value and of all that wait for it, directly or not."""
        least = list(values)
        before = self.before
        for at in reversed(self.walk):
            for blocker in before[at]:
                least[blocker] = min(least[blocker], least[at])
        return least

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
    tasks = tuple(blocked_by)
    return tuple(tasks[at] for at in _walk(_places(blocked_by))[1])


def knots(blocked_by: Mapping[str, Sequence[str]]) -> set[str]:
    """Every task on a cycle, or on a way from one cycle to another. Empty for a graph without cycles."""
    tasks, before = tuple(blocked_by), _places(blocked_by)
    behind = _left_after_peeling(before)
    among = [[one for one in waits if one in behind] if at in behind else [] for at, waits in enumerate(before)]
    return {tasks[at] for at in behind & _left_after_peeling(_turned(among))}


def spell(cycle: Sequence[str]) -> str:
    """`a waits for b, b waits for a`, as a person reads a cycle."""
    pairs = [f"{task} waits for {cycle[(at + 1) % len(cycle)]}" for at, task in enumerate(cycle)]
    if len(pairs) > _SPELLED:
        hidden = len(pairs) - _SPELLED
        pairs[_SPELLED - 1 : -1] = [f"… ({hidden} more) …"]
    return ", ".join(pairs)


def _places(blocked_by: Mapping[str, Sequence[str]]) -> Places:
    """Each task's blockers, once each and as far as they are tasks of it, by their places."""
    place = dict(zip(blocked_by, range(len(blocked_by)), strict=True)).get
    before: list[Sequence[int]] = []
    for waits in blocked_by.values():
        here = [at for one in waits if (at := place(one)) is not None] if waits else ()
        before.append(here if len(here) < 2 or len(set(here)) == len(here) else list(dict.fromkeys(here)))
    return before


def _once(waits: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(waits))


def _refuse_strangers(blockers: Mapping[str, Sequence[str]]) -> None:
    for task, waits in blockers.items():
        if task in waits:
            raise PlanError(f"Task {task} waits for itself. Remove it from its own blocked_by.")
        for blocker in waits:
            if blocker not in blockers:
                hint = did_you_mean(blocker, blockers)
                raise PlanError(f'Task {task} waits for "{one_line(blocker)}", which is no task of this plan.{hint}')


def _walk(before: Places) -> tuple[list[int], list[int]]:
    """Depth first in plan order, blockers first: the order, and the first cycle met."""
    order: list[int] = []
    done = bytearray(len(before))
    for root in range(len(before)):
        if done[root]:
            continue
        trail, rests = [root], [iter(before[root])]
        on_trail = {root}
        while trail:
            ahead = next((one for one in rests[-1] if not done[one]), None)
            if ahead is None:
                rests.pop()
                task = trail.pop()
                on_trail.discard(task)
                done[task] = True
                order.append(task)
            elif ahead in on_trail:
                return order, trail[trail.index(ahead) :]
            else:
                trail.append(ahead)
                rests.append(iter(before[ahead]))
                on_trail.add(ahead)
    return order, []


def _turned(before: Places) -> list[list[int]]:
    after: list[list[int]] = [[] for _ in before]
    for at, waits in enumerate(before):
        for one in waits:
            after[one].append(at)
    return after


def _closure(edges: Mapping[str, Sequence[str]], tasks: Iterable[str]) -> set[str]:
    found = set(tasks)
    todo = list(found)
    while todo:
        for other in edges[todo.pop()]:
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def _left_after_peeling(before: Places) -> set[int]:
    """What is left after taking away, again and again, the tasks that wait for nothing."""
    waits = [len(some) for some in before]
    after = _turned(before)
    free = [at for at, count in enumerate(waits) if not count]
    while free:
        for later in after[free.pop()]:
            waits[later] -= 1
            if not waits[later]:
                free.append(later)
    return {at for at, count in enumerate(waits) if count}
