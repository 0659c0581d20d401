"""`retry RUN TASK`: try again what was discarded, cancelled or is blocked."""

from __future__ import annotations

import getpass

import click

from ops_orchestrate.cli.change_task import carry_out
from ops_orchestrate.engine.answer import answer


@click.command("retry")
@click.argument("run")
@click.argument("task")
@click.option("--note", default="", help="For the next brief: what the agent should know.")
@click.option("--no-wait", is_flag=True, help="Record it and return; `resume RUN` goes on.")
def command(run: str, task: str, note: str, no_wait: bool) -> int:
    """Give TASK of RUN a fresh set of attempts."""
    by = getpass.getuser()
    return carry_out(
        run, lambda name, tools: answer(name, task, "retry", by=by, note=note, tools=tools), wait=not no_wait
    )
