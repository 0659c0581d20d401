"""`retry RUN TASK`: try again what was discarded, cancelled or is blocked."""

from __future__ import annotations

import getpass

import click

from ops_orchestrate.cli.change_task import carry_out
from ops_orchestrate.cli.connect import task_named
from ops_orchestrate.engine.answer import Answered, answer
from ops_orchestrate.engine.toolbox import Toolbox


@click.command("retry")
@click.argument("run")
@click.argument("task")
@click.option("--note", default="", help="For the next brief: what the agent should know.")
@click.option("--no-wait", is_flag=True, help="Record it and return; `resume RUN` goes on.")
def command(run: str, task: str, note: str, no_wait: bool) -> int:
    """Give TASK of RUN (discarded, cancelled or blocked) a fresh set of attempts. A beginning of its id will do."""

    def change(name: str, tools: Toolbox) -> Answered:
        known = task_named(tools.ledger, name, task)
        return answer(name, known, "retry", by=getpass.getuser(), note=note, tools=tools)

    return carry_out(run, change, wait=not no_wait)
