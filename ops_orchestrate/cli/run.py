"""`run`: the whole pipeline, from the registry to the report."""

from __future__ import annotations

import sys

import click

from ops_orchestrate.cli.connect import connected, need_pools
from ops_orchestrate.cli.follow import follow_run
from ops_orchestrate.cli.request import Asked, ask_mode, make_request, new_run_id, options
from ops_orchestrate.cli.screen import Screen
from ops_orchestrate.config import Settings, load_settings
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.engine.begin import submit
from ops_orchestrate.errors import AgentUnavailable, SandboxUnavailable
from ops_orchestrate.wiring import agent_of, sandbox_problem


@click.command("run")
@options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object an event, and the report as JSON.")
def command(as_json: bool, **flags: object) -> int:
    """Audit, plan, work, verify, ship and report, until the board is empty or waits for you."""
    asked = Asked.of(flags)
    settings = load_settings()
    terminal = sys.stdin.isatty() and not as_json
    if terminal:
        asked = ask_mode(asked)
    if asked.dry_run:
        from ops_orchestrate.cli.plan import show_plan  # the dry run's own room; loaded only when wanted

        return show_plan(settings, asked, as_json=as_json)
    request = make_request(settings, asked, terminal=terminal)
    return start_and_follow(settings, request, as_json=as_json)


def start_and_follow(settings: Settings, request: RunRequest, *, as_json: bool) -> int:
    """Submit the run and stay with it. Raises AgentUnavailable or SandboxUnavailable before anything is written."""
    screen = Screen(as_json=as_json)
    if settings.urls is None:
        check_this_host(settings, request)
    with connected(settings, workers=True) as connection:
        need_pools(connection)
        run = new_run_id()
        screen.line(f"Run {run}, on {connection.where()}")
        submit(run, request, connection.tools)
        return follow_run(connection, run, screen, ask=sys.stdin.isatty() and not as_json)


def check_this_host(settings: Settings, request: RunRequest) -> None:
    """Where the agents will run here: is there a sandbox, and is the agent there? Before anything is started."""
    problem = sandbox_problem(settings)
    if problem:
        raise SandboxUnavailable(problem)
    probe = agent_of(settings)(request.agent).probe()
    if not probe.ok:
        raise AgentUnavailable(probe.detail)
