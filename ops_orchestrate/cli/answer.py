"""`answer RUN TASK ANSWER`: approvals and blockers, bound to what was asked."""

from __future__ import annotations

import getpass

import click

from ops_orchestrate.cli.change_task import carry_out
from ops_orchestrate.cli.connect import task_named
from ops_orchestrate.core.own_change import own_change
from ops_orchestrate.engine.answer import Answered, answer
from ops_orchestrate.engine.toolbox import Toolbox


@click.command("answer")
@click.argument("run")
@click.argument("task")
@click.argument("reply", metavar="ANSWER")
@click.option("--note", default="", help="For the next brief: what the agent should know.")
@click.option("--no-wait", is_flag=True, help="Record the answer and return; `resume RUN` goes on.")
def command(run: str, task: str, reply: str, note: str, no_wait: bool) -> int:
    """Answer what TASK of RUN waits for: yes, no, retry or done; `explain RUN TASK` says which.

    TASK may be the beginning of an id, or promote:REPO, back:REPO or revert:REPO for a promotion, a back-merge or a
    revert that waits for a yes or no. A yes to a merge approves the commit it was asked for, and no other.
    """

    def change(name: str, tools: Toolbox) -> Answered:
        known = task if own_change(task) else task_named(tools.ledger, name, task)
        return answer(name, known, reply, by=getpass.getuser(), note=note, tools=tools)

    return carry_out(run, change, wait=not no_wait)
