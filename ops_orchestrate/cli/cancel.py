"""`cancel RUN TASK`: withdraw a task. A running agent is interrupted and its work kept."""

from __future__ import annotations

import getpass

import click

from ops_orchestrate.cli.change_task import carry_out
from ops_orchestrate.cli.connect import task_named
from ops_orchestrate.engine.answer import Answered, cancel
from ops_orchestrate.engine.toolbox import Toolbox


@click.command("cancel")
@click.argument("run")
@click.argument("task")
@click.option("--reason", default="cancelled on request", help="Shown in every report.")
def command(run: str, task: str, reason: str) -> int:
    """Withdraw TASK of RUN (a beginning of its id will do). A running agent is interrupted and its work kept;
    tasks that wait for it stay held up by it."""

    def change(name: str, tools: Toolbox) -> Answered:
        known = task_named(tools.ledger, name, task)
        return cancel(name, known, by=getpass.getuser(), reason=reason, tools=tools)

    return carry_out(run, change, wait=False)
