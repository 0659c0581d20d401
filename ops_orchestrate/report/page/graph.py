"""The dependency graph as a drawing: a wave is a column, an edge runs from a blocker to what waits for it.

Within a column, tasks stand near what they depend on (the barycentre rule of layered drawings), so that few edges
cross. Numbers are units of the drawing; the page scales it to its width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ops_orchestrate.report.amounts import count
from ops_orchestrate.report.cells import cut
from ops_orchestrate.report.page.words import Look, task_look
from ops_orchestrate.report.view import TaskView

#: More boxes than this are a grey wall; the list of tasks says all of it.
MOST = 300
_WIDE, _HIGH, _GAP_X, _GAP_Y, _EDGE = 190, 40, 70, 14, 8
_NAME, _NOTE = 24, 30


class Box(NamedTuple):
    """A task in the drawing."""

    task: str
    title: str
    name: str
    note: str
    look: Look
    x: float
    y: float
    wide: float = _WIDE
    high: float = _HIGH


class Line(NamedTuple):
    """An edge in the drawing: an SVG path."""

    path: str
    done: bool


class Drawing(NamedTuple):
    """Boxes and edges, and how much room they take."""

    wide: float
    high: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    left_out: str = ""


def graph(tasks: Mapping[str, TaskView]) -> Drawing | None:
    """The drawing of a plan; None where nothing depends on anything, or there is nothing at all."""
    shown = dict(list(tasks.items())[:MOST])
    if not any(blocker in shown for task in shown.values() for blocker in task.blocked_by):
        return None
    columns = _columns(shown)
    tall = max(len(column) for column in columns)
    boxes: dict[str, Box] = {}
    for x, column in enumerate(columns):
        top = (tall - len(column)) * (_HIGH + _GAP_Y) / 2
        for y, task in enumerate(column):
            boxes[task.id] = _box(task, _EDGE + x * (_WIDE + _GAP_X), _EDGE + top + y * (_HIGH + _GAP_Y))
    lines = [
        Line(_path(boxes[blocker], boxes[task.id]), shown[blocker].merge != "")
        for task in shown.values()
        for blocker in dict.fromkeys(task.blocked_by)
        if blocker in boxes
    ]
    more = len(tasks) - len(shown)
    return Drawing(
        wide=2 * _EDGE + len(columns) * _WIDE + (len(columns) - 1) * _GAP_X,
        high=2 * _EDGE + tall * (_HIGH + _GAP_Y) - _GAP_Y,
        boxes=tuple(boxes.values()),
        lines=tuple(lines),
        left_out=f"{count(more, 'task')} more than are drawn" if more else "",
    )


def _columns(tasks: Mapping[str, TaskView]) -> list[list[TaskView]]:
    waves = sorted({task.wave for task in tasks.values()})
    columns = [[task for task in tasks.values() if task.wave == wave] for wave in waves]
    places: dict[str, float] = {}
    for column in columns:
        wish = {task.id: _wish(task, places, at) for at, task in enumerate(column)}
        column.sort(key=lambda task: wish[task.id])
        shift = len(column) / 2
        places.update({task.id: at - shift for at, task in enumerate(column)})
    return columns


def _wish(task: TaskView, places: Mapping[str, float], at: int) -> float:
    """Where a task would like to stand: amid its blockers; without any, where the plan has it."""
    near: Sequence[float] = [places[blocker] for blocker in task.blocked_by if blocker in places]
    return sum(near) / len(near) if near else float(at)


def _box(task: TaskView, x: float, y: float) -> Box:
    look = task_look(task)
    title = f"{task.id}: {task.title}" if task.title != task.id else task.id
    note = f"{task.project} · {look.word}" if task.project else look.word
    return Box(task.id, f"{title} — {look.word}", cut(task.id, _NAME), cut(note, _NOTE), look, x, y)


def _path(source: Box, target: Box) -> str:
    x1, y1 = source.x + source.wide, source.y + source.high / 2
    x2, y2 = target.x, target.y + target.high / 2
    bend = max(20.0, (x2 - x1) / 2)
    return f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2 - 5:.0f} {y2:.0f}"
