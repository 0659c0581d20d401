"""`status`: what is going on now: runs, slots, who owns which worktree, hosts."""

from __future__ import annotations

import json
import sys

import click

from ops_orchestrate.cli.connect import Connection, connected
from ops_orchestrate.cli.screen import width
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.states import RUN_OPEN, TaskState
from ops_orchestrate.engine.budget import money_now
from ops_orchestrate.engine.placing import why_nobody_does
from ops_orchestrate.errors import UnknownRun
from ops_orchestrate.report.json import status_json
from ops_orchestrate.report.status import Status, status_text

#: Older runs are in `report RUN`.
_RUNS = 10


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/schemas.md).")
def command(as_json: bool) -> int:
    """Runs, slots, ownership and hosts."""
    settings = load_settings()
    try:
        with connected(settings, workers=False) as connection:
            status = look(connection)
    except UnknownRun as nothing:
        click.echo(json.dumps(status_json(Status(cap=settings.max_agents))) if as_json else str(nothing))
        return 0
    if as_json:
        click.echo(json.dumps(status_json(status), ensure_ascii=False))
    else:
        click.echo(status_text(status, width(), sys.stdout.encoding))
    return 0


def look(connection: Connection) -> Status:
    """One picture of the ledger."""
    ledger = connection.ledger
    runs = ledger.runs.list()[:_RUNS]
    counts = {run.id: ledger.runs.counts(run.id) for run in runs}
    board = ledger.board.look(connection.settings.max_agents)
    return Status(
        now=board.now,
        server=connection.where(),
        embedded=connection.stack is not None,
        cap=board.cap,
        runs=tuple(runs),
        counts={run: {str(state): number for state, number in found.items()} for run, found in counts.items()},
        slots=board.slots,
        owners=board.owners,
        hosts=tuple(ledger.hosts.live()),
        candidates=board.candidates,
        waiting=sum(counts[run.id].get(TaskState.QUEUED, 0) for run in runs if run.state in RUN_OPEN),
        quiet_until=board.quiet_until,
        missing=tuple(
            f"{one.run}/{one.task}: {why}"
            for one in board.candidates
            if (why := why_nobody_does(ledger.tasks.get(one.run, one.task), board, connection.tools))
        ),
        treasury=money_now(connection.tools),
    )
