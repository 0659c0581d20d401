"""`report RUN`: the final report again, from the run's events."""

from __future__ import annotations

import json

import click

from ops_orchestrate.cli.connect import connected, run_named
from ops_orchestrate.cli.events import all_events
from ops_orchestrate.cli.screen import Screen
from ops_orchestrate.config import load_settings
from ops_orchestrate.report.board import board
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.json import report_json


@click.command("report")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/schemas.md).")
def command(run: str, as_json: bool) -> int:
    """Print the report of RUN (default: the newest)."""
    with connected(load_settings(), workers=False) as connection:
        view = fold(all_events(connection.ledger, run_named(connection.ledger, run)))
    if as_json:
        click.echo(json.dumps(report_json(view), ensure_ascii=False))
        return 0
    screen = Screen(as_json=False)
    click.echo(board(view, wave=None, width=screen.width))
    screen.final(view)
    return 0
