"""`send NAME MESSAGE`: say something to an agent while it works."""

from __future__ import annotations

import getpass
import time

import click

from ops_orchestrate.cli.connect import Connection, connected, member_named, open_run, run_named
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.engine.send import Sent, send

#: How long the command stays to see the message arrive, in seconds.
_PATIENCE = 5.0


@click.command("send")
@click.argument("name")
@click.argument("message")
@click.option("--run", "run", default="", help="The run; left out, the newest one that is not over.")
def command(name: str, message: str, run: str) -> int:
    """Send MESSAGE to the agent NAME: `api-worker`, as the board calls it, or its task's id.

    A running agent is told at once; one that cannot be told anything is interrupted, its work is kept, and it goes on
    with the message. What no agent works on now keeps it for its next brief.
    """
    settings = load_settings()
    with connected(settings, workers=False) as connection:
        ledger = connection.ledger
        known = run_named(ledger, run) if run else open_run(ledger)
        task = member_named(ledger, known, name)
        before = _last(connection, known)
        sent = send(known, task, message, by=getpass.getuser(), tools=connection.tools)
        click.echo(f"{sent.text} {_arrival(connection, known, task, sent, before)}".strip())
    return 0


def _last(connection: Connection, run: str) -> int:
    """The number of the run's newest event."""
    return max((event.seq for event in connection.ledger.events.all(run)), default=0)


def _arrival(connection: Connection, run: str, task: str, sent: Sent, after: int) -> str:
    """What was seen of the message's way within a few seconds."""
    if not sent.running:
        return ""
    deadline = time.monotonic() + _PATIENCE
    while (left := deadline - time.monotonic()) > 0:
        for event in connection.ledger.events.follow(run, after, left):
            after = event.seq
            if event.task == task and (words := _words(event, sent.number)):
                return words
    return f"Message {sent.number} is in its mailbox; it is told as soon as it can be, at the latest in its next brief."


def _words(event: Event, number: int) -> str:
    """What an event says of the message; nothing for most."""
    data = event.data
    if event.kind is EventKind.MESSAGE_DELIVERED and data.get("number") == number:
        return f"Message {number} was told in its {'running session' if data.get('how') == 'session' else 'brief'}."
    if event.kind is EventKind.ATTEMPT_ENDED and data.get("outcome") == "redirected":
        return f"It cannot be told anything while it works: it was interrupted, and goes on with message {number}."
    if event.kind is EventKind.ATTEMPT_ENDED:
        return f"It has just finished; message {number} is kept for its next brief, if there is one."
    return ""
