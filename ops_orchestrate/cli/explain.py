"""`explain RUN TASK`: why is it not running, or not shipped?"""

from __future__ import annotations

import json

import click

from ops_orchestrate.cli.connect import connected, run_named
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.explain import explain
from ops_orchestrate.ledger import Ledger


@click.command("explain")
@click.argument("run")
@click.argument("task")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(run: str, task: str, as_json: bool) -> int:
    """Say why TASK of RUN is where it is, and what moves it on."""
    with connected(load_settings(), workers=False) as connection:
        lines = explained(connection.ledger, run_named(connection.ledger, run), task, connection.settings.max_agents)
    if as_json:
        click.echo(json.dumps({"version": 1, "task": task, "lines": list(lines)}, ensure_ascii=False))
    else:
        click.echo("\n".join(lines))
    return 0


def explained(ledger: Ledger, run: str, task: str, cap: int) -> tuple[str, ...]:
    """The facts about one task, a line each. Raises UnknownTask."""
    record = ledger.tasks.get(run, task)
    return explain(
        record,
        run=ledger.runs.get(run),
        blockers=ledger.tasks.many(run, list(record.spec.blocked_by)),
        dependants=ledger.tasks.dependants(run, task),
        board=ledger.board.look(cap),
        attempts=ledger.tasks.attempts(run, task),
        now=ledger.now(),
        hosts=ledger.hosts.live(),
    )
