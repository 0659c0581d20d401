"""What `answer`, `retry` and `cancel` share: change one task, say what that means, and follow the run where it goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from ops_orchestrate.cli.connect import connected, need_pools, run_named
from ops_orchestrate.cli.follow import follow_run
from ops_orchestrate.cli.screen import Screen
from ops_orchestrate.config import load_settings
from ops_orchestrate.engine.answer import Answered
from ops_orchestrate.engine.toolbox import Toolbox

Change = Callable[[str, Toolbox], Answered]


def carry_out(run: str, change: Change, *, wait: bool) -> int:
    """Do `change`, print what came of it, and stay until the run is over again (unless `wait` is off)."""
    settings = load_settings()
    with connected(settings, workers=True) as connection:
        name = run_named(connection.ledger, run)
        done = change(name, connection.tools)
        click.echo(done.text)
        if not (done.goes_on and wait):
            return 0
        need_pools(connection)
        return follow_run(connection, name, Screen(as_json=False), ask=sys.stdin.isatty())
