"""The plan as text, for `plan` and `--dry-run`: what would be done, in which order, why so, at what cost.

Made of the events that planning wrote, and of a forecast that the caller hands in. Refuses to be silently
empty: what was skipped and what is unknown stands in every plan, with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ops_orchestrate.core.forecast import Forecast
from ops_orchestrate.core.outlet import Outlet
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.amounts import count, duration
from ops_orchestrate.report.board import empty_words
from ops_orchestrate.report.cells import cut, for_encoding, wrap
from ops_orchestrate.report.frame import box, frame_width, heading, labelled
from ops_orchestrate.report.view import RunView, TaskView

_PLANNER = ", proposed by the planner's agent"
_ASKED_FIRST = "an agent is asked first how to split it (--planner-help)"


def plan_text(
    view: RunView,
    width: int = 80,
    forecast: Forecast | None = None,
    encoding: str | None = "utf-8",
    outlets: Sequence[Outlet] | None = None,
) -> str:
    """The plan for a terminal of `width` columns. `outlets`: where changes would go; None: nobody has looked."""
    inner = frame_width(width, min(width, 100))
    lines = heading(f"OPS ► ORCHESTRATE — Plan | Mode: {view.mode or '—'}", inner)
    if view.mode_note:
        lines += [f" {line}" for line in wrap(view.mode_note, inner - 1)]
    lines.append("")
    if view.tasks:
        for wave in sorted({task.wave for task in view.tasks.values()}):
            lines += [*_wave(view, wave, inner, names_of(outlets)), ""]
    else:
        lines += [f" {line}" for line in wrap(empty_words(view), inner - 1)] + [""]
    for label, entries in _sections(view, forecast, outlets):
        if entries:
            lines += labelled(label, entries, inner)
    return for_encoding("\n".join([*lines, box(inner)]), encoding)


def names_of(outlets: Sequence[Outlet] | None) -> dict[str, str]:
    """What people call each repository, by its key."""
    return {outlet.repo: outlet.name for outlet in outlets or ()}


def _wave(view: RunView, wave: int, width: int, names: Mapping[str, str]) -> list[str]:
    tasks = [task for task in view.tasks.values() if task.wave == wave]
    beyond = view.max_waves is not None and wave >= view.max_waves
    limit = f" — beyond --max-waves {view.max_waves}, not started" if beyond else ""
    lines = [cut(f" Wave {wave}: {count(len(tasks), 'task')}{limit}", width)]
    for task in tasks:
        lines += _task(task, width, 3 + 2 * min(wave, 6 if width >= 60 else 2), names)
    return lines


def _task(task: TaskView, width: int, indent: int, names: Mapping[str, str]) -> list[str]:
    """The task's line, and below it what it is, what it waits for and why it is as it is."""
    repo = names.get(task.repo, task.repo or task.project)
    facts = "  ".join(part for part in (task.label or task.priority, repo) if part)
    lines = [cut(f"{' ' * indent}{task.id}  {facts}", width)]
    if task.title and task.title != task.id:
        lines.append(cut(f"{' ' * (indent + 2)}{task.title}", width))
    for detail in _details(task):
        lines += [" " * (indent + 2) + line for line in wrap(detail, max(width - indent - 2, 10))]
    return lines


def _details(task: TaskView) -> list[str]:
    details = [*([task.detail] if task.detail else []), *_split(task)]
    waits = [name for name in task.blocked_by if name not in task.parts]
    details += [f"after {', '.join(waits)}"] if waits else []
    if task.mode:
        details.append(task.mode + (f": {task.mode_reason}" if task.mode_reason else ""))
    if task.paths:
        details.append(f"may change {', '.join(task.paths[:6])}" + (" …" if len(task.paths) > 6 else ""))
    if task.human:
        details.append(f"only a person can do it: {task.human}")
    elif task.state is TaskState.BLOCKED:
        details.append(f"blocked: {task.reason}")
    if task.sensitive:
        details.append(f"a person reviews it: {task.sensitive}")
    if task.state is TaskState.COMPLETED:
        details.append(f"done already: {task.reason}" if task.reason else "done already")
    return details


def _split(task: TaskView) -> list[str]:
    """Of what it is a part, or what it was split into, or will be; and who proposes that."""
    if task.part_of:
        return [f"part of {task.part_of}" + (_PLANNER if task.split_by == "planner" else "")]
    if task.parts:
        return [f"split into {', '.join(task.parts)}" + (f" — {task.split_why}" if task.split_why else "")]
    return [f"big, it {task.big}: {_ASKED_FIRST}"] if _waits_for_help(task) else []


def _waits_for_help(task: TaskView) -> bool:
    return bool(task.big) and not task.parts and not task.attempts


def _sections(
    view: RunView, forecast: Forecast | None, outlets: Sequence[Outlet] | None
) -> list[tuple[str, list[str]]]:
    return [
        ("Forecast:", [*forecast_words(forecast), *_asked_first(view)] if forecast else []),
        ("Merges:", merges(view, outlets)),
        ("Skipped:", [f"{s.name} — {s.reason}" if s.reason else s.name for s in view.skipped]),
        ("Unknown:", [f"{u.name} — {u.reason}" if u.reason else u.name for u in view.unknown]),
        ("Noticed:", view.noticed),
        ("Warnings:", list(view.warnings)),
    ]


def _asked_first(view: RunView) -> list[str]:
    asked = sum(1 for task in view.tasks.values() if _waits_for_help(task))
    return [f"and {count(asked, 'question')} how to split a big task, not counted here"] if asked else []


def forecast_words(forecast: Forecast) -> list[str]:
    """The forecast in sentences."""
    if not forecast.attempts:
        waiting = f"; {count(forecast.waiting, 'task waits', 'tasks wait')} for a person" if forecast.waiting else ""
        return [f"no agent would be started{waiting}"]
    agents, attempts = count(forecast.agents, "agent"), count(forecast.attempts, "attempt")
    lines = [f"up to {agents} at once, {attempts} of {duration(forecast.agent_seconds)} in all"]
    least = duration(forecast.seconds_lower_bound)
    lines.append(f"about {duration(forecast.seconds_expected)}; no order takes less than {least}")
    lines.append(f"cost {forecast.cost}" + (f", {count(forecast.tokens, 'token')}" if forecast.tokens else ""))
    if forecast.waiting:
        lines.append(f"{count(forecast.waiting, 'task')} not counted: waiting for a person")
    return [*lines, forecast.basis] if forecast.basis else lines


def merges(view: RunView, outlets: Sequence[Outlet] | None = None) -> list[str]:
    """What would be merged where, one sentence a repository and branch."""
    ways = {outlet.repo: outlet for outlet in outlets or ()}
    groups: dict[tuple[str, str], list[TaskView]] = {}
    for task in view.tasks.values():
        if planned_to_run(view, task):
            groups.setdefault((task.repo or task.project, task.base), []).append(task)
    lines = [_merge(repo, base, tasks, ways.get(repo)) for (repo, base), tasks in groups.items()]
    if lines and not view.force:
        lines.append("each waits for your yes (--force merges without asking)")
    if lines and view.no_main:
        lines.append("nothing is promoted to main (--no-main)")
    elif lines and outlets is None:
        lines.append("then promoted to main where they differ")
    return lines


def _merge(repo: str, base: str, tasks: Sequence[TaskView], way: Outlet | None) -> str:
    into = base or "its integration branch"
    line = f"{way.name if way else repo}: {count(len(tasks), 'change')} into {into}"
    if way and way.refused:
        return f"{line} — made, but not merged: {way.refused}"
    if any(not task.gate for task in tasks):
        return f"{line} — what has no quality gate is made, but not merged"
    if way and way.slug:
        line = f"{way.name}: {count(len(tasks), 'pull request')} into {into} of {way.slug}"
    if way and way.spared:
        return f"{line}, each after your own yes: --no-main leaves {base} alone"
    if not (way and way.main):
        return line
    return f"{line}, then one to {way.main}" if way.slug else f"{line}, which is then promoted to {way.main}"


def planned_to_run(view: RunView, task: TaskView) -> bool:
    """Whether an agent would be started for it in this run."""
    return (
        task.startable
        and not task.parts
        and not task.held_by
        and (view.max_waves is None or task.wave < view.max_waves)
    )
