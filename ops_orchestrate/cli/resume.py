"""`resume RUN`: go on with a run that was stopped, or whose command died."""

from __future__ import annotations

import sys

import click

from ops_orchestrate.cli.connect import connected, need_pools, run_named
from ops_orchestrate.cli.follow import follow_run
from ops_orchestrate.cli.run import check_this_host
from ops_orchestrate.cli.screen import Screen
from ops_orchestrate.config import load_settings
from ops_orchestrate.engine.answer import resume


@click.command("resume")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object an event, and the report as JSON.")
def command(run: str, as_json: bool) -> int:
    """Go on with RUN (default: the newest) and follow it."""
    settings = load_settings()
    screen = Screen(as_json=as_json)
    with connected(settings, workers=True) as connection:
        name = run_named(connection.ledger, run)
        if settings.urls is None:
            check_this_host(settings, connection.ledger.runs.get(name).request)
        need_pools(connection)
        screen.line(resume(name, connection.tools))
        return follow_run(connection, name, screen, ask=sys.stdin.isatty() and not as_json)
