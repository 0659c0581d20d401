"""`watch RUN`: look on while a run goes. Looking stops nothing, and starts nothing either."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ops_orchestrate.cli.connect import Connection, connected, run_named
from ops_orchestrate.cli.exits import EXIT_OF_RUN, Exit
from ops_orchestrate.cli.screen import Screen, width
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.states import RUN_OPEN, RunState
from ops_orchestrate.report.cells import for_encoding
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.view import RunView
from ops_orchestrate.report.watch import watch_screen

if TYPE_CHECKING:
    from ops_orchestrate.core.event import Event

#: Without an event the screen is drawn anew after this long: the durations on it go on.
_TICK = 1.0
#: Between two looks at who works, in seconds.
_HOSTS_EVERY = 5.0


@click.command("watch")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object an event (docs/schemas.md).")
def command(run: str, as_json: bool) -> int:
    """Look on while RUN (default: the newest) goes, until it ends; Ctrl-C ends the looking, never the run."""
    settings = load_settings()
    with connected(settings, workers=False) as connection:
        name = run_named(connection.ledger, run)
        # A flag, not an exception: one that comes while the screen is being drawn may be swallowed there.
        enough = threading.Event()
        before = signal.signal(signal.SIGINT, lambda *_: enough.set())
        try:
            if sys.stdout.isatty() and not as_json:
                _on_a_terminal(connection, name, enough)
            else:
                _along_a_pipe(connection, name, Screen(as_json=as_json), enough)
        finally:
            signal.signal(signal.SIGINT, before)
        if enough.is_set():
            click.echo(f"\nThe run goes on: `ops-orchestrate watch {name}` looks again.", err=True)
            return 0
        state = RunState(connection.ledger.runs.get(name).state)
    return EXIT_OF_RUN.get(state, Exit.ERROR)


def _on_a_terminal(connection: Connection, run: str, enough: threading.Event) -> None:
    from rich.console import Console  # late: 0.1 s to import, for this verb at a terminal only
    from rich.live import Live
    from rich.text import Text

    nobody = _Nobody(connection)
    encoding = sys.stdout.encoding  # read now: while a Live is on, sys.stdout is a proxy of its own that has none

    def drawn(view: RunView) -> Text:
        lines = shutil.get_terminal_size().lines
        screen = watch_screen(
            view,
            now=connection.ledger.now(),
            cap=connection.settings.max_agents,
            width=width(),
            height=lines - 1,
            encoding=encoding,
            nobody=nobody.now(),
        )
        return Text(screen, no_wrap=True, overflow="crop", end="")

    with Live(console=Console(highlight=False), screen=True, auto_refresh=False) as live:
        view = _follow(connection, run, enough, lambda _new, _before, after: live.update(drawn(after), refresh=True))
    if enough.is_set():
        return
    # What stays on the terminal is whole: it may be scrolled.
    ended = watch_screen(view, now=connection.ledger.now(), cap=0, width=width(), height=10_000)
    click.echo(for_encoding(ended, encoding))


def _along_a_pipe(connection: Connection, run: str, screen: Screen, enough: threading.Event) -> None:
    def say(new: list[Event], before: RunView, _after: RunView) -> None:
        for event in new:
            after = fold([event], before)
            screen.event(event, before, after)
            before = after

    view = _follow(connection, run, enough, say)
    if not enough.is_set():
        screen.board(view)


def _follow(
    connection: Connection,
    run: str,
    enough: threading.Event,
    show: Callable[[list[Event], RunView, RunView], None],
) -> RunView:
    """Until the run has ended, or somebody has seen enough; `show` is told what is new, also when that is nothing."""
    view = fold([])
    while True:
        over = connection.ledger.runs.get(run).state not in RUN_OPEN
        new = connection.ledger.events.follow(run, view.last_seq or 0, 0.0 if over else _TICK)
        before, view = view, fold(new, view)
        show(new, before, view)
        if enough.is_set() or (over and not new):
            return view


class _Nobody:
    """Whether no worker of the agent pool is there, as it was a few seconds ago."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._looked = 0.0
        self._answer = False

    def now(self) -> bool:
        if time.monotonic() - self._looked > _HOSTS_EVERY:
            self._looked = time.monotonic()
            self._answer = "agent" in self._connection.missing_pools()
        return self._answer
