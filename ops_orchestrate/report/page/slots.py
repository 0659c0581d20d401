"""The five slots over time: who held which, when, and how that attempt ended."""

from __future__ import annotations

import math
from typing import NamedTuple

from ops_orchestrate.report.amounts import duration
from ops_orchestrate.report.cells import cut
from ops_orchestrate.report.page.words import outcome_tone
from ops_orchestrate.report.view import AttemptView, RunView, TaskView

_WIDE, _LEFT, _HIGH, _GAP, _AXIS = 1000.0, 46.0, 26.0, 6.0, 22.0
#: Units of one letter of a label; a bar too short for three letters has none.
_LETTER = 6.6
_STEPS = (0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800)
_MARKS = 9


class Bar(NamedTuple):
    """One attempt's hold of a slot."""

    task: str
    title: str
    label: str
    tone: str
    x: float
    y: float
    wide: float
    high: float = _HIGH


class Mark(NamedTuple):
    """A moment on the axis."""

    x: float
    text: str


class Lane(NamedTuple):
    """A slot."""

    name: str
    y: float


class Timeline(NamedTuple):
    """The picture; `left` is where time begins."""

    wide: float
    high: float
    left: float
    lanes: tuple[Lane, ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]


def timeline(view: RunView) -> Timeline | None:
    """The slots of a run, from its first grant to its last; None where nothing was started."""
    held = [(task, attempt) for task in view.tasks.values() for attempt in task.attempts if attempt.started is not None]
    if not held:
        return None
    begin = min(attempt.started or 0.0 for _, attempt in held)
    end = max([attempt.ended or view.last_at or 0.0 for _, attempt in held])
    span = max(end - begin, 0.1)
    scale = (_WIDE - _LEFT) / span
    slots = sorted({attempt.slot for _, attempt in held}, key=lambda slot: -1 if slot is None else slot)
    names = ["?" if slot is None else f"slot {slot}" for slot in slots]
    lanes = {slot: Lane(names[at], _AXIS + at * (_HIGH + _GAP)) for at, slot in enumerate(slots)}
    bars = tuple(
        _bar(task, attempt, lanes[attempt.slot].y, _Scale(begin, scale, view.last_at or begin))
        for task, attempt in held
    )
    marks = tuple(Mark(_LEFT + at * scale, _since(at)) for at in _moments(span))
    high = _AXIS + len(lanes) * (_HIGH + _GAP)
    return Timeline(_WIDE, high, _LEFT, tuple(lanes.values()), bars, marks)


class _Scale(NamedTuple):
    """Moments in units of the drawing; `now` ends what is under way."""

    begin: float
    units: float
    now: float


def _bar(task: TaskView, attempt: AttemptView, y: float, scale: _Scale) -> Bar:
    start = attempt.started or 0.0
    seconds = (scale.now if attempt.ended is None else attempt.ended) - start
    wide = max(2.0, seconds * scale.units)
    number = f" #{attempt.number}" if attempt.number > 1 else ""
    room = int((wide - 8) / _LETTER)
    label = cut(task.id + number, room) if room >= 3 else ""
    title = f"{task.id}, attempt {attempt.number}: {attempt.outcome or 'under way'}, {duration(seconds)}"
    x = _LEFT + (start - scale.begin) * scale.units
    return Bar(task.id, title, label, outcome_tone(attempt.outcome), x, y, wide)


def _moments(span: float) -> list[float]:
    """Round numbers of seconds, not too many."""
    step = next((step for step in _STEPS if span / step <= _MARKS), _STEPS[-1] * math.ceil(span / _STEPS[-1] / _MARKS))
    return [at * step for at in range(int(span / step) + 1)]


def _since(seconds: float) -> str:
    return duration(seconds) if seconds else "0"
