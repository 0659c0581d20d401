"""The page itself: a template filled with what the events add up to.

Jinja2 escapes whatever goes in, and the page's own policy lets a browser load nothing and run only the one script
that it brings, named by its digest: text from outside stays text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from ops_orchestrate.core.event import Event
from ops_orchestrate.core.names import short
from ops_orchestrate.core.project import Skipped
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.amounts import duration, money
from ops_orchestrate.report.board import found_nothing
from ops_orchestrate.report.commands import next_command, resume_command
from ops_orchestrate.report.final import totals
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.money import cost_of, cost_words
from ops_orchestrate.report.page.costs import costs
from ops_orchestrate.report.page.graph import graph
from ops_orchestrate.report.page.slots import timeline
from ops_orchestrate.report.page.story import Story, stories
from ops_orchestrate.report.page.words import Look, outcome_tone, task_look
from ops_orchestrate.report.times import Clock
from ops_orchestrate.report.view import RunView, TaskView

if TYPE_CHECKING:
    from jinja2 import Template

#: What needs somebody first, then what moves, then the rest.
_ORDER = (
    TaskState.BLOCKED,
    TaskState.DISCARDED,
    TaskState.RUNNING,
    TaskState.VERIFYING,
    TaskState.SHIPPING,
    TaskState.RETRYABLE,
    TaskState.QUEUED,
    TaskState.COMPLETED,
    TaskState.CANCELLED,
)


class Card(NamedTuple):
    """A task as the page tells it."""

    task: TaskView
    look: Look
    story: Story
    command: str


def page(events: Sequence[Event], clock: Clock) -> str:
    """A run as one HTML document, from its events; it needs no other file and no network."""
    view = fold(events)
    told = stories(events)
    cards = [
        Card(task, task_look(task), told.get(task.id, Story(())), next_command(view.run, task))
        for task in sorted(view.tasks.values(), key=lambda task: _ORDER.index(task.state))
    ]
    return _template().render(
        view=view,
        cards=cards,
        waiting=[card for card in cards if card.task.state in (TaskState.BLOCKED, TaskState.DISCARDED)],
        tiles=_tiles(view),
        nothing=found_nothing(view).capitalize(),
        graph=graph(view.tasks),
        slots=timeline(view),
        costs=costs(view),
        resume=resume_command(view),
        clock=clock,
        style=_file("page.css"),
        script=_file("page.js"),
        script_digest=_digest(_file("page.js")),
    )


def _tiles(view: RunView) -> list[tuple[str, str, str]]:
    """The figures at the top: a number, what it counts, its colour."""
    done = totals(view)
    waiting, given_up = len(view.of_state(TaskState.BLOCKED)), len(view.of_state(TaskState.DISCARDED))
    attempts = [attempt for task in view.tasks.values() for attempt in task.attempts]
    cost = cost_of(attempts).usd
    return [
        (f"{done['completed']}/{len(view.tasks)}", "tasks completed", "good" if done["completed"] else "calm"),
        (str(done["shipped"]), "changes shipped", "calm"),
        (str(done["promoted"]), "promoted to main", "calm"),
        (str(waiting), "wait for you", "wait" if waiting else "calm"),
        (str(given_up), "given up", "bad" if given_up else "calm"),
        ("—", "cost: not reported", "calm") if cost is None else (money(cost), "cost", "calm"),
    ]


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined  # late: no other command should wait for it

    around = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    around.filters.update(short=short, duration=duration, reasoned=_reasoned)
    around.globals.update(tone=outcome_tone, cost_words=cost_words)
    return around.from_string(_file("page.html.j2"))


def _reasoned(entry: Skipped) -> str:
    return f"{entry.name} — {entry.reason}" if entry.reason else entry.name


def _file(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """How a policy names an inline script that may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
