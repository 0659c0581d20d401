"""Follow a run to its end: print what happens, ask what only the person at the terminal can answer, stop on Ctrl-C."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType

from ops_orchestrate import canvas
from ops_orchestrate.cli.connect import Connection
from ops_orchestrate.cli.exits import EXIT_OF_RUN, Exit
from ops_orchestrate.cli.screen import Screen
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import RUN_OPEN, RunState
from ops_orchestrate.engine.answer import Answered, answer
from ops_orchestrate.errors import LedgerUnavailable
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.view import RunView

#: Between two looks at whether the embedded stack is still there, in seconds.
_ENSURE_EVERY = 2.0

#: How long the server may be away before the command gives up, in seconds.
_PATIENCE = 60.0


class Follower:
    """One command following one run."""

    def __init__(self, connection: Connection, run: str, screen: Screen, *, ask: bool) -> None:
        self._connection = connection
        self._run = run
        self._screen = screen
        self._ask = ask
        self._asked: set[tuple[str, str]] = set()
        self._interrupts = 0
        self._after = 0
        self.view: RunView = fold([])

    def follow(self) -> int:
        """Until the run is over; returns the exit code. Ctrl-C stops the run, a second one skips salvage."""
        before = signal.signal(signal.SIGINT, self._interrupted)
        terminated = signal.signal(signal.SIGTERM, self._interrupted)
        try:
            return self._follow()
        finally:
            signal.signal(signal.SIGINT, before)
            signal.signal(signal.SIGTERM, terminated)

    def _follow(self) -> int:
        stopping = 0
        looked = gone_since = 0.0
        while True:
            if self._interrupts > stopping:
                stopping = self._interrupts
                self._stop("salvage" if stopping == 1 else "now")
            if time.monotonic() - looked > _ENSURE_EVERY:
                looked = time.monotonic()
                self._connection.ensure()
            try:
                if self._read():
                    break
                gone_since = 0.0
            except LedgerUnavailable:
                gone_since = gone_since or time.monotonic()
                if time.monotonic() - gone_since > _PATIENCE:
                    raise
                time.sleep(0.2)
            if self._ask and not stopping:
                self._ask_what_waits()
        state = RunState(self._connection.ledger.runs.get(self._run).state)
        self._screen.final(self.view)
        return EXIT_OF_RUN.get(state, Exit.ERROR)

    def _read(self) -> bool:
        """Print what is new; True once the run is over."""
        events = self._connection.ledger.events.follow(self._run, self._after, 0.5)
        for event in events:
            before, self.view = self.view, fold([event], self.view)
            self._after = event.seq
            self._screen.event(event, before, self.view)
        return self._is_over(events)

    def _is_over(self, events: list[Event]) -> bool:
        if events:
            return events[-1].kind is EventKind.RUN_FINISHED
        return self._connection.ledger.runs.get(self._run).state not in RUN_OPEN

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupts += 1

    def _stop(self, how: str) -> None:
        words = {
            "salvage": "Stopping: agents are interrupted and their work is kept. Ctrl-C again skips that.",
            "now": "Stopping at once: agents are killed; their trees stay and are salvaged by the next run.",
        }
        sys.stderr.write(f"\n{words[how]}\n")
        self._connection.ledger.runs.request_stop(self._run, how, by="Ctrl-C")
        canvas.publish(canvas.finish(self._run, again=f"stop-{how}-{time.time():.3f}"))

    def _ask_what_waits(self) -> None:
        """Ask about each merge that waits for a yes, once; no answer leaves it waiting."""
        for task in self.view.tasks.values():
            question = (task.id, task.head or "")
            if task.ask != "approve" or question in self._asked:
                continue
            self._asked.add(question)
            reply = self._screen.confirm(task)
            if reply is not None:
                done = answer(self._run, task.id, "yes" if reply else "no", by="terminal", tools=self._connection.tools)
                self._screen.line(_told(done))


def _told(done: Answered) -> str:
    return f"  {done.text}"


def follow_run(connection: Connection, run: str, screen: Screen, *, ask: bool) -> int:
    """Follow `run` to its end and print its report; returns the exit code."""
    return Follower(connection, run, screen, ask=ask).follow()
