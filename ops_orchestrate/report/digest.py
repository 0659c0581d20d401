"""The digest of a night: what an owner wants to know before getting up, in plain text for any messenger."""

from __future__ import annotations

from typing import NamedTuple

from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.amounts import count, duration
from ops_orchestrate.report.board import found_nothing
from ops_orchestrate.report.commands import command, next_command
from ops_orchestrate.report.final import totals
from ops_orchestrate.report.money import cost_words
from ops_orchestrate.report.view import RunView

#: Entries of one list; the report has all of them.
_MOST = 12


class Digest(NamedTuple):
    """One message."""

    title: str
    body: str


def digest(view: RunView) -> Digest:
    """What was done, what waits for you, what it cost, and what could not be looked at."""
    waiting, done = view.of_state(TaskState.BLOCKED), totals(view)
    asked = [refusal for refusal in view.refusals if refusal.ask]
    found = f"{count(done['completed'], 'task')} done" if view.tasks else "nothing to do"
    given_up = view.of_state(TaskState.DISCARDED)
    title = f"ops-orchestrate: {found}, {len(waiting) + len(asked)} waiting for you"
    title += f", {len(given_up)} given up" if given_up else ""
    parts = [
        _done(view),
        _listed(
            "Waiting for you",
            [
                *(
                    f"{t.id}: {t.reason or t.human or 'waits for you'}\n  $ {next_command(view.run, t)}"
                    for t in waiting
                ),
                *(f"{one.by}: {one.reason}\n  $ {one.command}" for one in asked),
            ],
        ),
        _listed("Given up", [f"{t.id}: {t.reason}\n  $ {next_command(view.run, t)}" for t in given_up]),
        _listed("Could not be looked at", [f"{one.name}: {one.reason}" for one in view.unknown]),
        f"Cost: {cost_words([attempt for task in view.tasks.values() for attempt in task.attempts])}",
        f"{view.state}: {view.reason}\n  $ {command('report', view.run)}",
    ]
    return Digest(title, "\n\n".join(part for part in parts if part))


def _done(view: RunView) -> str:
    done = totals(view)
    if not view.tasks:
        return f"{found_nothing(view).capitalize()}."
    completed = [f"{task.id}: {task.title}" for task in view.of_state(TaskState.COMPLETED)]
    words = f"{done['shipped']} shipped, {done['promoted']} promoted to main, in {duration(view.seconds)}"
    return _listed(f"Done ({words})", completed) or f"Nothing was finished in {duration(view.seconds)}."


def _listed(label: str, entries: list[str]) -> str:
    if not entries:
        return ""
    more = [f"… and {len(entries) - _MOST} more"] if len(entries) > _MOST else []
    return "\n".join([f"{label}:", *(f"- {entry}" for entry in entries[:_MOST]), *more])
