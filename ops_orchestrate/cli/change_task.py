"""What `answer`, `retry` and `cancel` share: change one task, say what that means, follow the run where it goes on."""

from __future__ import annotations

from collections.abc import Callable

import click

from ops_orchestrate.cli.connect import connected, run_named
from ops_orchestrate.cli.follow import Follower
from ops_orchestrate.cli.owner import owners_clock
from ops_orchestrate.cli.ready import check_pools, check_server, check_services
from ops_orchestrate.cli.screen import Screen, at_terminal
from ops_orchestrate.config import load_settings
from ops_orchestrate.engine.answer import Answered
from ops_orchestrate.engine.toolbox import Toolbox

Change = Callable[[str, Toolbox], Answered]


def carry_out(run: str, change: Change, *, wait: bool) -> int:
    """Do `change`, print what came of it, and stay until the run is over again (unless `wait` is off)."""
    settings = load_settings()
    if wait:
        check_services(settings)
        check_server(settings)
    with connected(settings, workers=wait) as connection:
        name = run_named(connection.ledger, run)
        if wait:
            check_pools(connection)
        screen = Screen(as_json=False, clock=owners_clock(settings))
        follower = Follower(connection, name, screen, ask=at_terminal())
        follower.catch_up()
        done = change(name, connection.tools)
        click.echo(done.text)
        if not done.goes_on:
            return 0
        if not wait:
            click.echo(f"`ops-orchestrate resume {name}` goes on with the run, unless it is under way.")
            return 0
        return follower.follow()
