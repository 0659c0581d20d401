"""`resume RUN`: go on with a run that was stopped, or whose command died."""

from __future__ import annotations

import click

from ops_orchestrate.cli.connect import connected, run_named
from ops_orchestrate.cli.follow import Follower
from ops_orchestrate.cli.owner import owners_clock
from ops_orchestrate.cli.ready import check_pools, check_server, check_services, check_this_host, say_quiet
from ops_orchestrate.cli.screen import Screen, at_terminal
from ops_orchestrate.config import load_settings
from ops_orchestrate.engine.answer import resume


@click.command("resume")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object an event, and the report as JSON.")
def command(run: str, as_json: bool) -> int:
    """Go on with RUN (default: the newest) and follow it. Safe at any time."""
    settings = load_settings()
    check_services(settings)
    check_server(settings)
    screen = Screen(as_json=as_json, clock=owners_clock(settings))
    with connected(settings, workers=True) as connection:
        name = run_named(connection.ledger, run)
        check_this_host(settings, connection.ledger.runs.get(name).request.agent)
        check_pools(connection)
        follower = Follower(connection, name, screen, ask=at_terminal() and not as_json)
        follower.catch_up()
        screen.line(resume(name, connection.tools))
        say_quiet(connection, screen)
        return follower.follow()
