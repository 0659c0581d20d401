"""`cancel RUN TASK`: withdraw a task. A running agent is interrupted and its work kept."""

from __future__ import annotations

import getpass

import click

from ops_orchestrate.cli.change_task import carry_out
from ops_orchestrate.engine.answer import cancel


@click.command("cancel")
@click.argument("run")
@click.argument("task")
@click.option("--reason", default="cancelled on request", help="Shown in every report.")
def command(run: str, task: str, reason: str) -> int:
    """Withdraw TASK of RUN; tasks that wait for it stay blocked by it."""
    by = getpass.getuser()
    return carry_out(run, lambda name, tools: cancel(name, task, by=by, reason=reason, tools=tools), wait=False)
