"""Follow a run to its end: print what happens, ask what only the person at the terminal can answer, stop on Ctrl-C."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType

from ops_orchestrate.cli.connect import Connection
from ops_orchestrate.cli.exits import EXIT_OF_RUN, Exit
from ops_orchestrate.cli.look import diff_command
from ops_orchestrate.cli.screen import Screen
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.own_change import own_change
from ops_orchestrate.core.states import RUN_OPEN, RunState
from ops_orchestrate.engine.answer import answer, stop
from ops_orchestrate.errors import LedgerUnavailable, OpsError
from ops_orchestrate.report.commands import Question, questions
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
        self._asked: set[Question] = set()
        self._interrupts = 0
        self._stopping = 0
        self._after = 0
        self.view: RunView = fold([])

    def catch_up(self) -> None:
        """Take in what has happened so far without printing it: an answer is followed by what comes of it."""
        self.view = fold(self._connection.ledger.events.all(self._run))
        self._after = self.view.last_seq or 0

    def follow(self) -> int:
        """Until the run is over; returns the exit code. Ctrl-C stops the run, a second one skips salvage."""
        before = signal.signal(signal.SIGINT, self._interrupted)
        terminated = signal.signal(signal.SIGTERM, self._interrupted)
        try:
            self._follow()
        finally:
            signal.signal(signal.SIGINT, before)
            signal.signal(signal.SIGTERM, terminated)
        state = RunState(self._connection.ledger.runs.get(self._run).state)
        self._screen.final(self.view)
        return EXIT_OF_RUN.get(state, Exit.ERROR)

    def _follow(self) -> None:
        looked = gone_since = 0.0
        while True:
            try:
                if time.monotonic() - looked > _ENSURE_EVERY:
                    self._connection.ensure()
                    looked = time.monotonic()
                self._stop_if_asked()
                over = self._read()
                gone_since = 0.0
            except LedgerUnavailable:
                looked = 0.0
                gone_since = gone_since or time.monotonic()
                if time.monotonic() - gone_since > _PATIENCE:
                    raise
                time.sleep(0.2)
                continue
            # A run ends as soon as only a person can go on, so the last question comes after its end.
            if not self._ask_what_waits(over=over) and over:
                return

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

    def _stop_if_asked(self) -> None:
        if self._interrupts > self._stopping:
            asked = self._interrupts
            self._stop("salvage" if asked == 1 else "now")
            self._stopping = asked  # only now: a stop that did not reach the ledger is asked for again

    def _stop(self, how: str) -> None:
        words = {
            "salvage": "Stopping: agents are interrupted and their work is kept. Ctrl-C again skips that.",
            "now": "Stopping at once: agents are killed; their trees stay and are salvaged by the next run.",
        }
        stop(self._run, how, by="Ctrl-C", ledger=self._connection.ledger)
        sys.stderr.write(f"\n{words[how]}\n")

    def _ask_what_waits(self, *, over: bool) -> bool:
        """Ask once about each merge that waits for a yes, and at the end about promotions, back-merges and reverts.

        Whether an answer moved something on.
        """
        moved = False
        for question in questions(self.view):
            too_early = own_change(question.name) is not None and not over
            if not self._ask or self._stopping or too_early or question in self._asked:
                continue
            self._asked.add(question)
            try:
                reply = self._screen.confirm(self._worded(question))
            except KeyboardInterrupt:
                self._interrupts += 1
                return moved
            # Nobody is there any more: what waits is left waiting, and the report says how to answer it.
            self._ask = reply is not None
            moved = self._answer(question, reply) or moved if reply else moved
        return moved

    def _worded(self, question: Question) -> str:
        task = self.view.tasks.get(question.name)
        verdict = task.verdicts[-1] if task and task.verdicts else None
        look = (
            diff_command(self._connection.settings, task.repo, verdict.base, verdict.head) if task and verdict else ""
        )
        return question.text + (f"\n  $ {look}" if look else "")

    def _answer(self, question: Question, reply: str) -> bool:
        try:
            done = answer(self._run, question.name, reply, by="terminal", tools=self._connection.tools)
        except OpsError as error:
            self._screen.line(f"  {error}")  # somebody else answered it meanwhile
            return False
        self._screen.line(f"  {done.text}")
        return done.goes_on
