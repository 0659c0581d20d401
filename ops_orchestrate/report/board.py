"""The seed's board "between waves": one line a task, in its layout, at any width.

    TASK           OWNER          STATUS   PR      CI    DEPLOY

Nobody waits for a wave: the board is printed when a wave's last task has settled, while others already run.
"""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.names import short
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.core.task import TaskMode
from ops_orchestrate.report.amounts import count
from ops_orchestrate.report.cells import cut, for_encoding, pad, width_of, wrap
from ops_orchestrate.report.frame import box, frame_width, heading
from ops_orchestrate.report.money import cost_of, short_cost, waiting_words
from ops_orchestrate.report.view import RunView, TaskView

_HEAD = ("TASK", "OWNER", "STATUS", "PR", "CI", "DEPLOY")
#: The seed's own column widths; content widens them, a narrow terminal shrinks TASK and OWNER.
_SEED = (15, 15, 9, 8, 6, 0)
_TASK_LIMIT = 60
_STATUS = {
    TaskState.QUEUED: "○ queue",
    TaskState.RUNNING: "◉ wip",
    TaskState.VERIFYING: "◉ wip",
    TaskState.SHIPPING: "◉ wip",
    TaskState.RETRYABLE: "↻ retry",
    TaskState.BLOCKED: "■ blocked",
    TaskState.COMPLETED: "✓ done",
    TaskState.CANCELLED: "– cancelled",
    TaskState.DISCARDED: "✗ failed",
}
_GREEN = frozenset({OutcomeKind.VERIFIED, OutcomeKind.MERGED, OutcomeKind.WAITING, OutcomeKind.ALREADY_DONE})
#: Which tasks are shown first when there are more than fit: what moves, then what needs somebody.
_URGENCY = (
    TaskState.RUNNING,
    TaskState.VERIFYING,
    TaskState.SHIPPING,
    TaskState.BLOCKED,
    TaskState.DISCARDED,
    TaskState.RETRYABLE,
    TaskState.QUEUED,
    TaskState.COMPLETED,
    TaskState.CANCELLED,
)


def board(
    view: RunView,
    width: int = 80,
    wave: int | None = None,
    rows: int = 60,
    encoding: str | None = "utf-8",
) -> str:
    """The board of a run for a terminal of `width` columns, of at most `rows` tasks; the rest is counted.

    `wave` is the number shown in the heading; left out, the first wave that is not settled. `encoding` is the
    output's: what it cannot show is replaced.
    """
    tasks = _chosen(view, rows)
    table = _table([_row(view, task) for task in tasks], width)
    inner = frame_width(width, max((width_of(line) for line in table), default=0))
    shown = _current_wave(view) if wave is None else wave
    lines = heading(f"OPS ► ORCHESTRATE — Wave {shown} | Mode: {view.mode or '—'}", inner)
    lines.append("")
    if tasks:
        lines += [table[0], " " + "─" * (inner - 1), *table[1:]]
    else:
        lines += [f" {line}" for line in wrap(empty_words(view), inner - 1)]
    left_out = len(view.tasks) - len(tasks)
    if left_out:
        lines.append(cut(f" … and {count(left_out, 'task')} more", inner))
    return for_encoding("\n".join([*lines, "", *_footer(view, inner), box(inner)]), encoding)


def wave_boards(before: RunView, after: RunView) -> list[int]:
    """The waves whose last task has settled between the two pictures: a board is due for each.

    A task held up by one that waits for a person counts as settled, else its wave would never be shown; a
    wave of nothing but such tasks has no board of its own.
    """
    old, new = _settled_waves(before), _settled_waves(after)
    return sorted(new - old)


def found_nothing(view: RunView) -> str:
    """That an audit found no task for its run; what another run has, or was done since, is skipped and not nothing."""
    beside = f"nothing beside the {len(view.skipped)} skipped" if view.skipped else "no work"
    return f"the audit of {count(len(view.projects), 'project')} found {beside}"


def empty_words(view: RunView) -> str:
    """Why there is no task on the board."""
    audited = count(len(view.projects), "project")
    if view.state in ("", RunState.AUDITING):
        return f"Auditing {audited} …"
    if view.state == RunState.FAILED:
        return f"There is no plan: {view.reason or 'the audit failed'}"
    words = f"Nothing to do: {found_nothing(view)}."
    if view.unknown:
        words += f" {count(len(view.unknown), 'source')} could not be read: what is there is unknown, not nothing."
    return words


def _settled_waves(view: RunView) -> set[int]:
    waves: dict[int, list[TaskView]] = {}
    for task in view.tasks.values():
        waves.setdefault(task.wave, []).append(task)
    return {
        wave
        for wave, tasks in waves.items()
        if all(t.settled or t.held_by for t in tasks) and any(t.settled for t in tasks)
    }


def _current_wave(view: RunView) -> int:
    open_waves = [task.wave for task in view.tasks.values() if not task.settled and not task.held_by]
    return min(open_waves, default=max((task.wave for task in view.tasks.values()), default=0))


def _chosen(view: RunView, rows: int) -> list[TaskView]:
    tasks = list(view.tasks.values())
    if len(tasks) <= rows:
        return tasks
    urgent = sorted(tasks, key=lambda task: _URGENCY.index(task.state))[:rows]
    names = {task.id for task in urgent}
    return [task for task in tasks if task.id in names]


def _row(view: RunView, task: TaskView) -> tuple[str, ...]:
    status = "○ held" if task.held_by else "○ split" if task.parts and task.startable else _STATUS[task.state]
    name = f"{task.id}  {task.title}" if task.title and task.title != task.id else task.id
    return (name, _owner(task), status, _change(task), _checks(task), task.deploy)


def _owner(task: TaskView) -> str:
    newest = task.newest
    if task.member and task.mode == TaskMode.TEAM and task.state is not TaskState.BLOCKED:
        return task.member
    if newest is None:
        return "you" if task.state is TaskState.BLOCKED else "—"
    return f"{newest.agent or 'agent'}@{newest.host}" if newest.host else newest.agent or "—"


def _change(task: TaskView) -> str:
    """The number of the change; on a forge without numbers, the commit delivered."""
    if task.change.startswith("#"):
        return task.change
    return short(task.head) or "—"


def _checks(task: TaskView) -> str:
    if task.state is TaskState.VERIFYING:
        return "…"
    if task.state is TaskState.RUNNING or not task.verdicts:
        return "—"
    if task.ask == "verify":
        return "—"  # nothing that could be called a result
    return "✓" if task.verdicts[-1].kind in _GREEN and task.ask != "base" else "✗"


def _table(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """The heading and the rows, in columns that together fit into `width`."""
    shown = _columns_for(width)
    cells = [tuple(row[i] for i in shown) for row in (_HEAD, *rows)]
    widths = [max(_SEED[i], *(width_of(row[n]) + 2 for row in cells)) for n, i in enumerate(shown)]
    widths[0] = min(widths[0], _TASK_LIMIT)
    _shrink(widths, shown, max(width, 20) - 1)
    return [" " + _line(row, widths) for row in cells]


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    fitting = (_name(row[0], widths[0] - 1), *row[1:])
    return "".join(pad(cut(cell, size - 1), size) for cell, size in zip(fitting, widths, strict=True)).rstrip()


def _name(cell: str, width: int) -> str:
    """The task's id alone, where there is no room for a useful piece of its title."""
    name = cell.partition("  ")[0]
    return name if width_of(cell) > width and width - width_of(name) < 8 else cell


def _columns_for(width: int) -> tuple[int, ...]:
    """A narrow terminal goes without OWNER, then without PR, then without CI."""
    if width >= 64:
        return (0, 1, 2, 3, 4, 5)
    if width >= 52:
        return (0, 2, 3, 4, 5)
    return (0, 2, 4, 5) if width >= 36 else (0, 2, 5)


def _shrink(widths: list[int], shown: tuple[int, ...], width: int) -> None:
    """Take from TASK and OWNER, then from the rest, until the line fits."""
    for column, least in ((0, 24), (1, 13), (0, 12), (5, 8), (3, 5), (2, 9), (4, 4), (0, 6), (5, 4)):
        over = sum(widths) - width
        if over > 0 and column in shown:
            at = shown.index(column)
            widths[at] = max(min(widths[at], least), widths[at] - over)


def _footer(view: RunView, width: int) -> list[str]:
    held = sum(1 for task in view.tasks.values() if task.held_by)
    queued = sum(1 for task in view.tasks.values() if task.startable and not task.held_by)
    parts = [
        f"Completed: {len(view.of_state(TaskState.COMPLETED))}/{len(view.tasks)}",
        f"In-flight: {sum(1 for task in view.tasks.values() if task.in_flight)}",
        f"Queued: {queued}",
        f"Blocked: {len(view.of_state(TaskState.BLOCKED)) + held}",
    ]
    for word, state in (("Failed", TaskState.DISCARDED), ("Cancelled", TaskState.CANCELLED)):
        if found := view.of_state(state):
            parts.append(f"{word}: {len(found)}")
    return [*_money(view, width), *_joined(parts, width)]


def _money(view: RunView, width: int) -> list[str]:
    """What it has cost, and whether anything waits for money or a quota: above the seed's own line."""
    lines = []
    cost = cost_of(attempt for task in view.tasks.values() for attempt in task.attempts)
    if cost.usd is not None or cost.tokens or cost.unpriced:
        lines += [f" {line}" for line in wrap(f"Cost: {short_cost(cost)}", width - 1)]
    if view.waiting and not view.finished:
        lines += [f" {line}" for line in wrap(f"Waiting: {waiting_words(view)}", width - 1)]
    return lines


def _joined(parts: list[str], width: int) -> list[str]:
    lines = [f" {parts[0]}"]
    for part in parts[1:]:
        longer = f"{lines[-1]} | {part}"
        if width_of(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(f" {part}")
    return lines
