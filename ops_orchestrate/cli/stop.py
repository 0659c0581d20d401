"""`stop RUN`: stop a run from anywhere. Agents are interrupted and their work kept; `resume` goes on."""

from __future__ import annotations

import getpass

import click

from ops_orchestrate.cli.connect import connected, run_named
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.states import RUN_OPEN
from ops_orchestrate.engine.answer import stop
from ops_orchestrate.engine.finish import finish


@click.command("stop")
@click.argument("run", default="last")
@click.option("--now", is_flag=True, help="Kill agents at once; their trees are salvaged later.")
def command(run: str, now: bool) -> int:
    """Stop RUN (default: the newest), which another command or machine works on."""
    with connected(load_settings(), workers=False) as connection:
        name = run_named(connection.ledger, run)
        click.echo(stop(name, "now" if now else "salvage", by=getpass.getuser(), ledger=connection.ledger))
        if "planner" in connection.missing_pools():
            # Nobody would ask whether it has ended; where nothing is in flight, it has.
            finish(name, connection.tools)
            if connection.ledger.runs.get(name).state in RUN_OPEN:
                click.echo("No worker is there to see to it: what was in flight ends when its lease has.")
    return 0
