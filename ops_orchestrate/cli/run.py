"""`run`: the whole pipeline, from the registry to the report."""

from __future__ import annotations

import click

from ops_orchestrate.cli.connect import connected
from ops_orchestrate.cli.follow import Follower
from ops_orchestrate.cli.owner import may_assume, owners_clock
from ops_orchestrate.cli.ready import check_pools, check_server, check_services, check_this_host, say_quiet
from ops_orchestrate.cli.request import Asked, ask_mode, gather, make_request, new_run_id, options
from ops_orchestrate.cli.screen import Screen, at_terminal, warn
from ops_orchestrate.config import Settings, load_settings, mistyped_settings
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.engine.begin import submit


@click.command("run")
@options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object an event, and the report as JSON.")
def command(as_json: bool, **flags: object) -> int:
    """Audit, plan, work, verify, ship and report, until the board is empty or waits for you."""
    asked = Asked.of(flags)
    settings = load_settings()
    for sentence in mistyped_settings():
        warn(sentence)
    material = gather(settings, asked)
    if not asked.dry_run:
        check_services(settings)
        check_server(settings)
        check_this_host(settings, settings.agent)
    terminal = at_terminal() and not as_json
    if terminal and not may_assume(settings):
        asked = ask_mode(asked)
    if asked.dry_run:
        from ops_orchestrate.cli.plan import show_plan  # the dry run's own room; loaded only when wanted

        return show_plan(settings, asked, material, as_json=as_json)
    return start_and_follow(settings, make_request(settings, asked, material, terminal=terminal), as_json=as_json)


def start_and_follow(settings: Settings, request: RunRequest, *, as_json: bool) -> int:
    """Submit the run and stay with it."""
    screen = Screen(as_json=as_json, clock=owners_clock(settings))
    if request.mode_note:
        screen.line(request.mode_note)
    with connected(settings, workers=True, new=True) as connection:
        check_pools(connection)
        run = new_run_id()
        screen.line(f"Run {run}, on {connection.where()}")
        say_quiet(connection, screen)
        submit(run, request, connection.tools)
        return Follower(connection, run, screen, ask=at_terminal() and not as_json).follow()
