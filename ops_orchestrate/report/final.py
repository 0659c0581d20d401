"""The seed's final report: what was done, what waits for whom and why, and the exact command to go on.

Below the seed's own lines stands what an owner asks next: how long, what did it cost, what was not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ops_orchestrate.core.names import short
from ops_orchestrate.core.project import Skipped
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.report.amounts import count, duration
from ops_orchestrate.report.board import found_nothing
from ops_orchestrate.report.cells import for_encoding
from ops_orchestrate.report.commands import command, next_command, resume_command
from ops_orchestrate.report.frame import box, frame_width, heading, labelled
from ops_orchestrate.report.money import cost_of, cost_words, costs_by_project, short_cost, waiting_words
from ops_orchestrate.report.times import Clock
from ops_orchestrate.report.view import AttemptView, RefusalView, ReviewView, RunView, TaskView

#: Entries of one list before the rest is only counted: the whole of it is in the JSON.
_LIST_LIMIT = 40
#: Tasks whose cost is named.
_DEAREST = 5
_TITLES = {
    "": "ORCHESTRATION NOT BEGUN",
    RunState.AUDITING: "ORCHESTRATION UNDER WAY",
    RunState.RUNNING: "ORCHESTRATION UNDER WAY",
    RunState.STOPPED: "ORCHESTRATION STOPPED",
    RunState.FAILED: "ORCHESTRATION FAILED",
}


def final_report(view: RunView, width: int = 80, encoding: str | None = "utf-8", clock: Clock | None = None) -> str:
    """The final report of a run for a terminal of `width` columns; of an open run, how far it is.

    `clock` shows when it began.
    """
    inner = frame_width(width, min(width, 100))
    lines = heading(f"OPS ► {_TITLES.get(view.state, 'ORCHESTRATION COMPLETE')}", inner)
    lines += labelled("Mode:", [_mode(view)], inner)
    lines += labelled("Completed:", [_completed(view)], inner)
    lines += labelled("Blocked:", _blocked(view) or ["nothing"], inner)
    lines += labelled("Follow-ups:", _follow_ups(view) or ["none"], inner)
    lines.append(box(inner))
    for label, entries in _below(view, clock):
        if entries:
            lines += labelled(label, _capped(entries, view.run), inner)
    return for_encoding("\n".join([*lines, box(inner)]), encoding)


def totals(view: RunView) -> dict[str, int]:
    """Tasks completed, changes shipped, changes that are on main."""
    tasks = view.tasks.values()
    return {
        "completed": len(view.of_state(TaskState.COMPLETED)),
        "shipped": sum(1 for task in tasks if task.merge),
        "promoted": sum(1 for task in tasks if task.promoted_to),
    }


def _mode(view: RunView) -> str:
    return (view.mode or "—") + (f" ({view.mode_note})" if view.mode_note else "")


def _completed(view: RunView) -> str:
    done = totals(view)
    tasks, shipped = count(done["completed"], "task"), _shipped(view, done["shipped"])
    line = f"{tasks}, {shipped} shipped, {done['promoted']} promoted to main"
    if not view.tasks and view.planned is not None:
        line += f"; {found_nothing(view)}"
    return line


def _shipped(view: RunView, number: int) -> str:
    """Pull requests, as the seed has it; changes, where any was merged without one, and where there is none."""
    if number == 0:
        return "nothing"
    without = any(task.merge and not task.change.startswith("#") for task in view.tasks.values())
    return count(number, "change" if without else "PR")


def _blocked(view: RunView) -> list[str]:
    """Each blocked task with its rationale, its command, and the tasks that wait for it."""
    holds: dict[str, list[str]] = {}
    for task in view.tasks.values():
        for culprit in task.held_by:
            holds.setdefault(culprit, []).append(task.id)
    entries: list[list[str]] = []
    for task in view.of_state(TaskState.BLOCKED):
        entry = [f"{task.id} — {task.reason or task.human or task.sensitive or 'waits for you'}"]
        entry.append(f"$ {next_command(view.run, task)}")
        if task.command:
            entry += ["or, by hand:", f"$ {task.command}"]
        entries.append(entry + _holds(holds.get(task.id, [])))
    return _capped_groups(entries, view.run)


def _holds(names: list[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return [f"  holds up {', '.join(names[:5])}{more}"]


def _follow_ups(view: RunView) -> list[str]:
    """Everything unfinished that is not blocked itself, with its task id and why."""
    entries = [
        [
            f"{task.id} — given up: {task.reason or 'every attempt failed'}",
            f"$ {next_command(view.run, task)}",
        ]
        for task in view.of_state(TaskState.DISCARDED)
    ]
    entries += [[f"{t.id} — {_unfinished(view, t)}"] for t in view.tasks.values() if t.startable or t.in_flight]
    entries += map(_refusal, view.refusals)
    lines = _capped_groups(entries, view.run)
    resume = resume_command(view)
    return [*lines, f"$ {resume}"] if resume else lines


def _unfinished(view: RunView, task: TaskView) -> str:
    if task.held_by:
        return f"blocked by {', '.join(task.held_by)}"
    if task.in_flight:
        return "under way"
    if view.max_waves is not None and task.wave >= view.max_waves:
        return f"wave {task.wave}: beyond --max-waves {view.max_waves}"
    if task.parts:
        return f"waits for its parts {', '.join(task.parts)}"
    if task.state is TaskState.RETRYABLE:
        return f"to be tried again: {task.reason}" if task.reason else "to be tried again"
    return "not started"


def _refusal(refusal: RefusalView) -> list[str]:
    """A promotion, back-merge or revert that was refused or waits, and its command."""
    return [f"{refusal.by} — {refusal.reason}", *([f"$ {refusal.command}"] if refusal.command else [])]


def _below(view: RunView, clock: Clock | None) -> list[tuple[str, list[str]]]:
    """What stands under the seed's lines; a label without entries is left out."""
    attempts = [attempt for task in view.tasks.values() for attempt in task.attempts]
    promoted = sorted(view.promotions, key=lambda made: (made.name or made.repo, made.at))
    cancelled = [f"{t.id} — {t.reason or 'withdrawn'}" for t in view.of_state(TaskState.CANCELLED)]
    return [
        ("Run:", [view.run] if view.run else []),
        ("State:", [f"{view.state} — {view.reason}" if view.reason else view.state or "—"]),
        ("Began:", [clock.moment(view.began)] if clock and view.began is not None else []),
        ("Duration:", [_durations(view, attempts)]),
        ("Waiting:", [words] if (words := waiting_words(view, clock)) else []),
        ("Cost:", [cost_words(attempts), *_costs(view)]),
        ("Sandbox:", [_sandbox(view, attempts)]),
        ("Promoted:", [f"{p.name or p.repo}: {p.source} → {p.target} at {short(p.commit)}" for p in promoted]),
        ("Taken back:", [f"{one.name or one.repo}: {short(one.reverts)} on {one.target}" for one in view.reverts]),
        ("Reviews:", _reviews(view)),
        ("Split:", [f"{t.id} — {t.split_why or 'split'}" for t in view.tasks.values() if t.parts]),
        ("Hand-overs:", _handed_over(view)),
        ("Cancelled:", cancelled),
        ("Kept:", _kept(view)),
        ("Skipped:", _left_out(view.skipped)),
        ("Unknown:", _left_out(view.unknown)),
        ("Noticed:", view.noticed),
        ("Warnings:", list(view.warnings)),
    ]


def _durations(view: RunView, attempts: Sequence[AttemptView]) -> str:
    worked = sum(attempt.seconds or 0.0 for attempt in attempts)
    if not attempts:
        return duration(view.seconds)
    return f"{duration(view.seconds)}; agents worked {duration(worked)} in {count(len(attempts), 'attempt')}"


def _costs(view: RunView) -> list[str]:
    """What each project has cost, where there are several; and the dearest tasks."""
    projects = {name: cost for name, cost in costs_by_project(view).items() if cost.usd or cost.tokens or cost.unpriced}
    told = len(projects) > 1 and any(cost.usd or cost.tokens for cost in projects.values())
    lines = [f"project {project}: {short_cost(cost)}" for project, cost in projects.items()] if told else []
    tasks = {task.id: cost_of(task.attempts) for task in view.tasks.values() if task.attempts}
    dear = sorted((name for name, cost in tasks.items() if cost.usd), key=lambda name: -(tasks[name].usd or 0))
    if len(tasks) > 1:
        lines += [f"task {name}: {short_cost(tasks[name])}" for name in dear[:_DEAREST]]
    return lines


def _sandbox(view: RunView, attempts: Sequence[AttemptView]) -> str:
    if view.unsandboxed:
        return "OFF: agents or gates of this run could reach everything that its user can (OPS_UNSANDBOXED_OK)"
    silent = sum(1 for attempt in attempts if attempt.unsandboxed is None)
    if silent:
        return f"on, as far as is recorded ({count(silent, 'attempt')} did not say)"
    return "on for every agent and gate" if attempts else "nothing was run"


def _reviews(view: RunView) -> list[str]:
    """What security reviewers said of the newest commit of each task."""
    return [_review(task.id, task.reviews[-1]) for task in view.tasks.values() if task.reviews]


def _review(task: str, review: ReviewView) -> str:
    who = " ".join(filter(None, (review.agent, review.model and f"({review.model})")))
    said = "no review" if review.verdict == "none" else review.verdict
    found = f", {count(review.findings, 'finding')}" if review.findings else ""
    words = review.why or review.summary
    return f"{task}: {said} by {who or 'a reviewer'} of {short(review.head)}{found}" + (f" — {words}" if words else "")


def _kept(view: RunView) -> list[str]:
    """Work that was not delivered, and where it is."""
    return [
        f"{task.id}, attempt {attempt.number}: {attempt.salvage}"
        for task in view.tasks.values()
        for attempt in task.attempts
        if attempt.salvage
    ]


def _handed_over(view: RunView) -> list[str]:
    """What tasks were told about the work that they build on."""
    return [
        f"{given.source} → {task.id}: {given.text}" if given.text else f"{given.source} → {task.id}"
        for task in view.tasks.values()
        for given in task.hand_overs
    ]


def _left_out(entries: Iterable[Skipped]) -> list[str]:
    return [f"{entry.name} — {entry.reason}" if entry.reason else entry.name for entry in entries]


def _capped(entries: list[str], run: str) -> list[str]:
    return _capped_groups([[entry] for entry in entries], run)


def _capped_groups(groups: list[list[str]], run: str) -> list[str]:
    shown = [line for group in groups[:_LIST_LIMIT] for line in group]
    hidden = len(groups) - _LIST_LIMIT
    if hidden > 0:
        shown += [f"… and {hidden:,} more:", f"$ {command('report', run, '--json')}"]
    return shown
