"""A running agent that is spoken to: one line of its protocol after another, either way.

What it says becomes events as it comes, what is no line of its protocol is kept as noise, and all of it goes into the
attempt's transcript. Which protocol it is, and how it ended by it, is for the session of that kind.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence

from ops_orchestrate.adapters.agents.lines import Lines
from ops_orchestrate.adapters.agents.report import read_answer
from ops_orchestrate.adapters.agents.session import Launched, ProcessSession, left_behind
from ops_orchestrate.adapters.agents.transcript import Transcript
from ops_orchestrate.adapters.process import plain
from ops_orchestrate.adapters.supervised import Exit
from ops_orchestrate.core.agent import AgentEnd, AgentEvent, AgentEventKind, AgentJob, AgentReport, AgentResult

LINE_LIMIT = 1 << 20
"""Bytes of one line; a longer one is ignored."""
_LOOK_EVERY = 0.05
_TAIL = 8_000


class SpokenSession(ProcessSession, ABC):
    """An agent's session over a protocol of lines."""

    def __init__(self, launched: Launched, job: AgentJob, transcript: Transcript, log_limit: int) -> None:
        super().__init__(launched, job)
        self._lines = Lines(self._supervised.log, LINE_LIMIT)
        self._transcript = transcript
        self._log_limit = log_limit
        self._pending: deque[AgentEvent] = deque(maxlen=1_000)
        self._tail = ""
        self._input_open = True

    def events(self, timeout: float) -> Sequence[AgentEvent]:
        """What it said since the last call, waiting up to `timeout` seconds for something."""
        deadline = time.monotonic() + timeout
        while True:
            ended = self._supervised.poll() is not None
            self._hear()
            if self._pending or ended or time.monotonic() >= deadline:
                found = tuple(self._pending)
                self._pending.clear()
                return found
            self._supervised.doze(_LOOK_EVERY)

    @abstractmethod
    def _take(self, line: bytes) -> bool:
        """Take in a line; False where it is none of the protocol's."""

    @abstractmethod
    def _noise(self, text: str) -> None:
        """It printed something beside its protocol."""

    @abstractmethod
    def _overflowed(self) -> None:
        """Its log is full: what it says from here on is heard at its end, if at all."""

    @abstractmethod
    def _result_of(self, ended: Exit, report: AgentReport | None, problem: str) -> AgentResult:
        """How it ended. `problem`: what is wrong with its report."""

    def _hear(self, *, last: bool = False) -> bool:
        """Take in what is there; whether there was anything."""
        before = self._lines.read
        lines = self._lines.more(last=last)
        for line in lines:
            if self._take(line):
                self._transcript.heard(line)
            else:
                self._printed(plain(line))
        if self._lines.read >= self._log_limit:
            self._overflowed()
        return bool(lines) or self._lines.read > before

    def _happened(self, events: Iterable[AgentEvent]) -> None:
        for event in events:
            self._pending.append(event)
            self._remember(event)

    def _printed(self, text: str) -> None:
        self._noise(text + "\n")
        self._transcript.noise(text)
        self._happened([AgentEvent(kind=AgentEventKind.OUTPUT, text=text[:2_000] + "\n")])

    def _remember(self, event: AgentEvent) -> None:
        words = " ".join(filter(None, (event.state and str(event.state), event.tool, event.text))).strip()
        if words:
            self._tail = f"{self._tail}{words}\n"[-_TAIL:]

    def _end_input(self) -> None:
        """Its work is done: it ends when it has dealt with what it was told already."""
        if self._input_open:
            self._input_open = False
            self._supervised.end_input()

    def _read(self, ended: Exit) -> AgentResult:
        usage = self._ways.close()
        while self._hear(last=True):
            pass
        self._transcript.close()
        result = self._result_of(ended, *self._report())
        return result.model_copy(
            update={
                "exit_code": ended.exit_code,
                "detail": result.detail + left_behind(ended),
                "log_tail": self._tail,
                "unsandboxed": self._confined.unsandboxed,
                "usage": usage,
                "answer": (result.answer or read_answer(self._outbox)) if self._asked else "",
            }
        )


def with_report(end: AgentEnd, detail: str, report: AgentReport | None, problem: str) -> tuple[AgentEnd, str]:
    """The end by the protocol, corrected by the report that it left: claims of success need a readable one, or none."""
    if end is not AgentEnd.DONE:
        return end, detail
    if problem:
        return AgentEnd.CRASHED, f"It ended well, but {problem}."
    if report is not None and report.status == "failed":
        return AgentEnd.FAILED, "It reports failure."
    return end, detail
