"""`status`: what is going on now: runs, slots, who owns which worktree, hosts."""

from __future__ import annotations

import json

import click

from ops_orchestrate.cli.connect import connected
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.errors import UnknownRun
from ops_orchestrate.report.json import status_json
from ops_orchestrate.report.status import Status, status_text


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> int:
    """Runs, slots, ownership and hosts."""
    settings = load_settings()
    try:
        status = _look()
    except UnknownRun as nothing:
        if as_json:
            click.echo(json.dumps(status_json(Status())))
        else:
            click.echo(str(nothing))
        return 0
    click.echo(json.dumps(status_json(status), ensure_ascii=False) if as_json else status_text(status))
    del settings
    return 0


def _look() -> Status:
    with connected(load_settings(), workers=False) as connection:
        ledger = connection.ledger
        runs = ledger.runs.list()[:10]
        counts = {run.id: {str(s): n for s, n in ledger.runs.counts(run.id).items() if n} for run in runs}
        return Status(
            now=ledger.now(),
            server=connection.where(),
            runs=tuple(runs),
            counts=counts,
            slots=tuple(ledger.board.slots()),
            owners=tuple(ledger.board.owners()),
            hosts=tuple(ledger.hosts.live()),
            waiting=sum(count.get(str(TaskState.QUEUED), 0) for count in counts.values()),
        )
