"""`explain RUN TASK`: why is it not running, or not shipped?"""

from __future__ import annotations

import json
from typing import Any

import click

from ops_orchestrate.cli.connect import Connection, connected, run_named, task_named
from ops_orchestrate.cli.look import diff_command
from ops_orchestrate.cli.screen import say
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.ask import command_for
from ops_orchestrate.core.budget import candidate_of
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.explain import explain, reason_of
from ops_orchestrate.core.own_change import NOUNS, OwnChange, OwnKind
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.budget import budget_of
from ops_orchestrate.engine.placing import why_nobody_does

#: Lines that end with a command: they are never broken, so that it can be pasted.
_COMMANDS = ("To go on: ", "Look at it: ")


@click.command("explain")
@click.argument("run")
@click.argument("task")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/schemas.md).")
def command(run: str, task: str, as_json: bool) -> int:
    """Say why TASK of RUN is where it is, and what moves it on. A beginning of the task's id will do."""
    with connected(load_settings(), workers=False) as connection:
        name = run_named(connection.ledger, run)
        document = explained(connection, name, task_named(connection.ledger, name, task))
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
        return 0
    for line in document["lines"]:
        say(line, indent="  ", whole=line.startswith(_COMMANDS))
    return 0


def explained(connection: Connection, run: str, task: str) -> dict[str, Any]:
    """The document about one task; its `lines` are what is printed. Raises UnknownTask."""
    ledger = connection.ledger
    record = ledger.tasks.get(run, task)
    board = ledger.board.look(connection.settings.max_agents)
    lines = explain(
        record,
        run=ledger.runs.get(run),
        blockers=ledger.tasks.many(run, list(record.spec.blocked_by)),
        dependants=ledger.tasks.dependants(run, task),
        board=board,
        attempts=ledger.tasks.attempts(run, task),
        now=ledger.now(),
        hosts=ledger.hosts.live(),
        budget=budget_of(board, connection.tools, [candidate_of(record)]),
        warnings=[str(event.data.get("text", "")) for event in ledger.events.read(run) if _warns(event, task)],
        missing=why_nobody_does(record, board, connection.tools),
    )
    look = _look(connection, record)
    *facts, last = [*lines, *_promotion(connection, run, record)]
    way_on = command_for(run, record) if last.startswith("To go on: ") else ""
    return {
        "version": 1,
        "run": run,
        "task": task,
        "state": str(record.state),
        "reason": reason_of(record),
        "ask": record.ask if record.state is TaskState.BLOCKED else None,
        "command": way_on or None,
        "look": look or None,
        "lines": [*facts, *([f"Look at it: {look}"] if look else []), last],
    }


def _warns(event: Event, task: str) -> bool:
    return event.kind is EventKind.WARNING and event.task == task


def _look(connection: Connection, record: TaskRecord) -> str:
    """The command that shows what it delivered, where that is not merged yet."""
    if not record.head or record.merge:
        return ""
    run, task = record.run, record.spec.id
    verified = connection.ledger.attempts.outcome_of(run, task, record.attempt, Stage.VERIFY)
    # What landing says names no base: a change that waits for a yes was judged against the one that verify names.
    outcomes = [one.outcome for one in connection.ledger.tasks.attempts(run, task)] + [verified]
    bases = [one.base for one in outcomes if one and one.base]
    return diff_command(connection.settings, record.spec.repo, bases[-1] if bases else record.spec.base, record.head)


def _promotion(connection: Connection, run: str, record: TaskRecord) -> list[str]:
    """How far the repository's promotion is, once the task is merged, and what came after that."""
    if not record.merge:
        return []
    stored = connection.ledger.runs.promotions(run)
    found = [(kind, stored.get(OwnChange(kind=kind, repo=record.spec.repo).key)) for kind in OwnKind]
    return [_own(kind, record.spec.project, known) for kind, known in found if known]


def _own(kind: OwnKind, project: str, known: dict[str, Any]) -> str:
    reason = f": {known['reason']}" if known.get("reason") else ""
    words = {"done": "done", "waiting": "waits for you", "refused": "refused", "skipped": "left out"}
    return f"{NOUNS[kind].capitalize()} of {project}: {words.get(known.get('state', ''), 'under way')}{reason}."
