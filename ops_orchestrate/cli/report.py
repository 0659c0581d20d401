"""`report RUN`: the final report again, from the run's events."""

from __future__ import annotations

import click

from ops_orchestrate.cli.connect import connected, run_named
from ops_orchestrate.cli.owner import owners_clock
from ops_orchestrate.cli.screen import Screen
from ops_orchestrate.config import load_settings
from ops_orchestrate.report.fold import fold


@click.command("report")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/schemas.md).")
def command(run: str, as_json: bool) -> int:
    """Print the board and the report of RUN (default: the newest), also of one that is under way."""
    settings = load_settings()
    with connected(settings, workers=False) as connection:
        view = fold(connection.ledger.events.all(run_named(connection.ledger, run)))
    screen = Screen(as_json=as_json, clock=owners_clock(settings))
    screen.board(view)
    screen.final(view)
    return 0
