"""What the running command prints: one line an event, the seed's board when a wave's last task has settled, the report."""

from __future__ import annotations

import json
import shutil
import sys

import click

from ops_orchestrate.core.event import Event
from ops_orchestrate.report.board import board, wave_boards
from ops_orchestrate.report.final import final_report
from ops_orchestrate.report.json import report_json
from ops_orchestrate.report.live import event_line
from ops_orchestrate.report.view import RunView, TaskView


class Screen:
    """Standard output of one command: text for people, or one JSON object an event for scripts."""

    def __init__(self, *, as_json: bool) -> None:
        self._json = as_json
        self._encoding = sys.stdout.encoding

    @property
    def width(self) -> int:
        """Columns of the terminal; 100 where there is none."""
        return shutil.get_terminal_size((100, 24)).columns

    def line(self, text: str) -> None:
        """One line for people; with --json it goes to standard error."""
        click.echo(text, err=self._json)

    def event(self, event: Event, before: RunView, after: RunView) -> None:
        """One event, and the board where it ended a wave."""
        if self._json:
            click.echo(event.model_dump_json())
            return
        line = event_line(event, after, self._encoding)
        if line:
            click.echo(line)
        for wave in wave_boards(before, after):
            click.echo("\n" + board(after, wave=wave, width=self.width, encoding=self._encoding) + "\n")

    def final(self, view: RunView) -> None:
        """The report at the end."""
        if self._json:
            click.echo(json.dumps(report_json(view), ensure_ascii=False))
            return
        click.echo("\n" + final_report(view, width=self.width, encoding=self._encoding))

    def confirm(self, task: TaskView) -> bool | None:
        """Ask for one merge at the terminal; None where the question was left open."""
        click.echo(f"\n  {task.id}: {task.reason}")
        try:
            reply = click.prompt("  merge it? [y]es, [n]o, [l]ater", default="l", show_default=False)
        except click.Abort:
            return None
        return {"y": True, "n": False}.get(reply.strip().lower()[:1])
