"""`watch`: a run on one screen, drawn anew as it goes: progress, slots, what waits, the seed's board.

The board is the seed's; what stands above it answers what one asks while a run is under way: what is each agent doing
now, what comes next, what is needed of me.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.amounts import count, duration
from ops_orchestrate.report.board import board
from ops_orchestrate.report.cells import cut, for_encoding, width_of
from ops_orchestrate.report.commands import command, next_command, resume_command
from ops_orchestrate.report.frame import frame_width, heading
from ops_orchestrate.report.view import RunView, SlotView

_NEXT, _WAITING = 4, 3
_YOU = " You:  "
#: Columns that a reason needs beside a command to be worth its place.
_REASON = 12
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
        top.append(" No worker is there: nothing moves until one is.")
        top += _to_type(command("resume", view.run), inner)
    if not over:
        top += ["", *(_slot(view, index, now) for index in _slot_numbers(view, cap))]
        top += _section(" Next: ", _next(view))
    top += _waiting(view, inner)
    if again := resume_command(view):
        top += [" To go on with the run:", *_to_type(again, inner)]
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


def _waiting(view: RunView, width: int) -> list[str]:
    waiting = view.of_state(TaskState.BLOCKED)
    lines: list[str] = []
    for task in waiting[:_WAITING]:
        typed = next_command(view.run, task)
        # The command stands first: where a line is too long its end is cut, and the command is what one came for.
        # Where it has no room beside its reason, it has lines of its own below what it is about.
        beside = width_of(f"{_YOU}$ {typed}") + _REASON <= width
        lines.append(
            (" " * len(_YOU) if lines else _YOU)
            + (f"$ {typed}  ({task.reason})" if beside else f"{task.id}: {task.reason}")
        )
        lines += [] if beside else _to_type(typed, width)
    more = len(waiting) - _WAITING
    if more > 0:
        lines += [f"{' ' * len(_YOU)}… and {count(more, 'task')} more:", *_to_type(command("report", view.run), width)]
    return lines


def _to_type(words: str, width: int) -> list[str]:
    """A command that can be copied whatever the width: on as many lines as a shell reads as one."""
    first, *rest = map(shlex.quote, shlex.split(words))
    lines = [f"  $ {first}"]
    for left, word in zip(range(len(rest), 0, -1), rest, strict=True):
        if width_of(f"{lines[-1]} {word}") + 2 * (left > 1) <= width:
            lines[-1] += f" {word}"
        else:
            lines[-1] += " \\"
            lines.append(f"    {word}")
    return lines
