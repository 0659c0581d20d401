"""`answer RUN TASK ANSWER`: approvals and blockers, bound to what was asked."""

from __future__ import annotations

import getpass

import click

from ops_orchestrate.cli.change_task import carry_out
from ops_orchestrate.engine.answer import answer


@click.command("answer")
@click.argument("run")
@click.argument("task")
@click.argument("reply")
@click.option("--note", default="", help="For the next brief: what the agent should know.")
@click.option("--no-wait", is_flag=True, help="Record the answer and return; `resume RUN` goes on.")
def command(run: str, task: str, reply: str, note: str, no_wait: bool) -> int:
    """Answer what TASK of RUN waits for: yes, no, retry, done. `explain RUN TASK` says which."""
    by = getpass.getuser()
    return carry_out(
        run, lambda name, tools: answer(name, task, reply, by=by, note=note, tools=tools), wait=not no_wait
    )
