"""`watch`: a run on one screen, drawn anew as it goes: progress, slots, what waits, the seed's board.

The board is the seed's; what stands above it answers what one asks while a run is under way: what is each agent doing
now, what comes next, what is needed of me.
"""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.amounts import count, duration
from ops_orchestrate.report.board import board
from ops_orchestrate.report.cells import cut, for_encoding, width_of
from ops_orchestrate.report.commands import command, next_command
from ops_orchestrate.report.frame import frame_width, heading
from ops_orchestrate.report.view import RunView, SlotView

_NEXT, _WAITING = 4, 3
#: Lines of the board beside its rows: frame, heading, what is left out, a footer of two lines.
_FRAME = 11
_FEWEST_ROWS = 3


def watch_screen(
    view: RunView,
    *,
    now: float,
    cap: int,
    width: int = 80,
    height: int = 24,
    encoding: str | None = "utf-8",
    nobody: bool = False,
) -> str:
    """The screen of `width` columns and, where that is possible, `height` lines.

    `now` is the server's clock; `cap` how many agents may work at once; `nobody`: no worker is there.
    """
    inner = frame_width(width, min(width, 100))
    state = view.state or "not begun"
    over = view.finished is not None
    word = "after" if over else "for"
    since = "" if view.began is None else f" {word} {duration(max(0.0, (view.finished or now) - view.began))}"
    top = heading(f"OPS ► ORCHESTRATE — {view.run} {state}{since}", inner)
    top.append(_progress(view, inner))
    if nobody and not over:
        top.append(f" No worker is there: nothing moves until one is. $ ops-orchestrate resume {view.run}")
    if not over:
        top += ["", *(_slot(view, index, now) for index in _slot_numbers(view, cap))]
        top += _section(" Next: ", _next(view))
    top += _section(" You:  ", _waiting(view, inner - 7))
    above = [cut(line, inner) for line in top]
    rows = max(_FEWEST_ROWS, height - len(above) - _FRAME)
    lines = [*above, *board(view, width=width, rows=rows, encoding="utf-8").splitlines()]
    return for_encoding("\n".join(lines), encoding)


def _progress(view: RunView, width: int) -> str:
    """A bar of what is settled, what moves and what is still to come."""
    tasks = len(view.tasks)
    if not tasks:
        return " nothing is planned yet" if view.planned is None else " the audit found no work"
    done, moving = len(view.of_state(TaskState.COMPLETED)), sum(task.in_flight for task in view.tasks.values())
    words = f" {done}/{tasks} done, {moving} in flight "
    room = max(8, width - width_of(words) - 2)
    full, busy = done * room // tasks, -(-moving * room // tasks)
    busy = min(busy, room - full)
    return words + "━" * full + "▸" * busy + "─" * (room - full - busy)


def _slot_numbers(view: RunView, cap: int) -> list[int]:
    return sorted({*range(1, cap + 1), *view.slots})


def _slot(view: RunView, index: int, now: float) -> str:
    slot = view.slots.get(index)
    return f" {index}  {_held(view, slot, now) if slot else '·'}"


def _held(view: RunView, slot: SlotView, now: float) -> str:
    task = view.tasks.get(slot.task)
    newest = task.newest if task else None
    number = f" #{slot.attempt}" if slot.attempt and slot.attempt > 1 else ""
    begun = newest.started if newest and newest.number == slot.attempt else None
    worked = f" {duration(max(0.0, now - begun))}" if begun is not None else " about to start"
    return f"{slot.task}{number}{worked}" + (f": {task.note}" if task and task.note else "")


def _section(label: str, entries: Sequence[str]) -> list[str]:
    return [(label if at == 0 else " " * len(label)) + entry for at, entry in enumerate(entries)]


def _next(view: RunView) -> list[str]:
    """What could start once there is room: blockers done, in plan order."""
    done = {task.id for task in view.of_state(TaskState.COMPLETED)}
    ready = [task for task in view.tasks.values() if task.startable and done >= set(task.blocked_by)]
    names = [task.id for task in ready[:_NEXT]]
    more = len(ready) - len(names)
    return [", ".join(names) + (f" and {count(more, 'task')} more" if more else "")] if names else []


def _waiting(view: RunView, room: int) -> list[str]:
    waiting = view.of_state(TaskState.BLOCKED)
    # The command stands first: where a line is too long its end is cut, and the command is what one came for. Where not
    # even that has room, the task is what tells one from the other.
    commands = [(f"$ {next_command(view.run, task)}", task) for task in waiting[:_WAITING]]
    lines = [
        f"{words}  ({task.reason})" if width_of(words) <= room else f"{task.id}: {task.reason}"
        for words, task in commands
    ]
    more = len(waiting) - len(lines)
    return [*lines, *([f"$ {command('report', view.run)}  (and {count(more, 'task')} more)"] if more else [])]
