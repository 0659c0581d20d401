"""What the running command prints: one line an event, the seed's board when a wave's last task has settled, the report.

The only place of the command that reads the terminal: its width, its encoding, a person's answer.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys

import click

from ops_orchestrate.core.event import Event
from ops_orchestrate.report.board import board, wave_boards
from ops_orchestrate.report.cells import for_encoding, wrap
from ops_orchestrate.report.final import final_report
from ops_orchestrate.report.json import report_json
from ops_orchestrate.report.live import event_line
from ops_orchestrate.report.times import Clock
from ops_orchestrate.report.view import RunView

#: Columns where there is no terminal (a file, a pipe).
PLAIN_WIDTH = 100


def width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns


def at_terminal() -> bool:
    """Whether a person can be asked: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def warn(text: str) -> None:
    """One line beside the output."""
    click.echo(f"warning: {text}", err=True)


def say(text: str, *, indent: str = "", whole: bool = False) -> None:
    """A line for people: on a screen in as many as it needs, the later ones indented; elsewhere `whole`, for `grep`."""
    lines = [text]
    if not whole and sys.stdout.isatty():
        begin = text[: len(text) - len(text.lstrip())]
        lines = [begin + line for line in wrap(text, width() - len(begin), indent=len(indent) - len(begin))]
    click.echo(for_encoding("\n".join(lines), sys.stdout.encoding))


def read_answer(prompt: str) -> str | None:
    """One line from the person; None at the end of input. Ctrl-C raises KeyboardInterrupt, whatever handles it else."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in before:
            signal.signal(number, signal.default_int_handler)
        click.echo(prompt, nl=False)
        line = sys.stdin.readline()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return line.strip() if line else None


def agreed(question: str) -> bool:
    """Ask until it is answered with yes or no; Enter says yes. Raises click.Abort where nobody answers any more."""
    while True:
        reply = read_answer(f"{question} [Y/n]: ")
        if reply is None:
            raise click.Abort
        if reply.lower() in ("", "y", "yes", "n", "no"):
            return reply.lower() not in ("n", "no")
        click.echo(f"  “{reply}” is neither yes nor no.")


class Screen:
    """Standard output of one command: text for people, or one JSON object an event for scripts."""

    def __init__(self, *, as_json: bool, clock: Clock | None = None) -> None:
        self.as_json = as_json
        self._clock = clock
        self._encoding = sys.stdout.encoding

    def line(self, text: str) -> None:
        """One line for people; with --json it goes to standard error."""
        click.echo(text, err=self.as_json)

    def event(self, event: Event, before: RunView, after: RunView) -> None:
        """One event, and the board where it ended a wave."""
        if self.as_json:
            click.echo(event.model_dump_json())
            return
        line = event_line(event, after, self._encoding)
        if line:
            click.echo(line)
        for wave in wave_boards(before, after):
            click.echo("\n" + board(after, wave=wave, width=width(), encoding=self._encoding) + "\n")

    def board(self, view: RunView) -> None:
        """The board as it is; nothing with --json."""
        if not self.as_json:
            click.echo(board(view, width=width(), encoding=self._encoding))

    def final(self, view: RunView) -> None:
        """The report at the end."""
        if self.as_json:
            click.echo(json.dumps(report_json(view), ensure_ascii=False))
            return
        click.echo("\n" + final_report(view, width=width(), encoding=self._encoding, clock=self._clock))

    def confirm(self, question: str) -> str | None:
        """Ask one question: `yes`, `no`, or `` to leave it open; None where nobody answers any more."""
        while True:
            reply = read_answer(f"\n  {question}\n  [y]es, [n]o, [l]ater: ")
            if reply is None or reply.lower() in _REPLIES:
                return None if reply is None else _REPLIES[reply.lower()]
            click.echo(f"  “{reply}” is none of them.")


_REPLIES = {"y": "yes", "yes": "yes", "n": "no", "no": "no", "l": "", "later": "", "": ""}
