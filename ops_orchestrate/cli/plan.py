"""`plan`: what would be done. Writes nothing outside a throw-away server and folder."""

from __future__ import annotations

import json
import sys

import click

from ops_orchestrate.cli.request import Asked, Material, gather, make_request, options
from ops_orchestrate.cli.screen import at_terminal, width
from ops_orchestrate.config import Settings, load_settings
from ops_orchestrate.core.states import RunState
from ops_orchestrate.errors import PlanError
from ops_orchestrate.report.amounts import count
from ops_orchestrate.report.json import plan_json
from ops_orchestrate.report.plan import plan_text
from ops_orchestrate.report.view import RunView
from ops_orchestrate.wiring import preview_plan


@click.command("plan")
@options
@click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/schemas.md).")
def command(as_json: bool, **flags: object) -> int:
    """Audit and plan; print tasks, graph, waves, modes, what it would cost and what would be merged.

    The gates of the projects are run to see which base is red. --force only changes what the plan says of merges.
    """
    settings = load_settings()
    asked = Asked.of({**flags, "dry_run": False})
    return show_plan(settings, asked, gather(settings, asked), as_json=as_json)


def show_plan(settings: Settings, asked: Asked, material: Material, *, as_json: bool) -> int:
    """Make the plan and print it. Raises PlanError where the tasks are no graph."""
    request = make_request(settings, asked, material, terminal=at_terminal())
    if sys.stderr.isatty():
        projects = count(len(material.portfolio.projects), "project")
        click.echo(f"Auditing {projects} and running their gates, in a throw-away folder …", err=True)
    made = preview_plan(settings, request.model_copy(update={"dry_run": True}))
    _check(made.view)
    if as_json:
        click.echo(json.dumps(plan_json(made.view, made.forecast, made.outlets), ensure_ascii=False))
    else:
        click.echo(
            plan_text(
                made.view,
                width=width(),
                forecast=made.forecast,
                outlets=made.outlets,
                encoding=sys.stdout.encoding,
            )
        )
    return 0


def _check(view: RunView) -> None:
    if view.state == RunState.FAILED:
        raise PlanError(view.reason)
