"""`plan`: what would be done. Writes nothing outside a throw-away server and folder."""

from __future__ import annotations

import json
import shutil
import sys

import click

from ops_orchestrate.cli.request import Asked, make_request, options
from ops_orchestrate.config import Settings, load_settings
from ops_orchestrate.core.states import RunState
from ops_orchestrate.errors import PlanError
from ops_orchestrate.report.json import plan_json
from ops_orchestrate.report.plan import plan_text
from ops_orchestrate.report.view import RunView
from ops_orchestrate.wiring import preview_plan


@click.command("plan")
@options
@click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/schemas.md).")
def command(as_json: bool, **flags: object) -> int:
    """Audit and plan; print tasks, graph, waves, modes, what it would cost and what would be merged."""
    return show_plan(load_settings(), Asked.of({**flags, "dry_run": True, "force": False}), as_json=as_json)


def show_plan(settings: Settings, asked: Asked, *, as_json: bool) -> int:
    """Make the plan and print it. Raises PlanError where the tasks are no graph."""
    request = make_request(settings, asked, terminal=sys.stdin.isatty())
    view, forecast = preview_plan(settings, request.model_copy(update={"dry_run": True}))
    _check(view)
    if as_json:
        click.echo(json.dumps(plan_json(view, forecast), ensure_ascii=False))
    else:
        click.echo(plan_text(view, width=shutil.get_terminal_size((100, 24)).columns, forecast=forecast))
    return 0


def _check(view: RunView) -> None:
    if view.state == RunState.FAILED:
        raise PlanError(view.reason)
