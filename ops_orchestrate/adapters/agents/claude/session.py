"""One running Claude Code: what it says becomes events, what we say goes to its input, its end is judged by a rule."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

from ops_orchestrate.adapters.agents.claude.events import events_of
from ops_orchestrate.adapters.agents.claude.lines import Lines
from ops_orchestrate.adapters.agents.claude.tally import Tally
from ops_orchestrate.adapters.agents.claude.transcript import Transcript
from ops_orchestrate.adapters.agents.claude.wire import LINE_LIMIT, Result, read_line, said
from ops_orchestrate.adapters.agents.session import Launched, ProcessSession, left_behind, not_by_itself
from ops_orchestrate.adapters.process import plain
from ops_orchestrate.adapters.supervised import MESSAGE_LIMIT, Exit
from ops_orchestrate.core.agent import AgentEnd, AgentEvent, AgentEventKind, AgentJob, AgentReport, AgentResult
from ops_orchestrate.core.claude_outcome import claude_end

_LOOK_EVERY = 0.05
_TAIL = 8_000


class ClaudeSession(ProcessSession):
    """An agent's session over Claude Code's protocol."""

    def __init__(self, launched: Launched, job: AgentJob, transcript: Transcript, log_limit: int) -> None:
        super().__init__(launched, job)
        self._lines = Lines(self._supervised.log, LINE_LIMIT)
        self._transcript = transcript
        self._log_limit = log_limit
        self._tally = Tally()
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
            time.sleep(_LOOK_EVERY)

    def message(self, text: str) -> bool:
        """Steer it: the text reaches it with the next result of a tool. False once its last turn is over."""
        told = text[:MESSAGE_LIMIT]
        if not self._input_open or not self._supervised.say(said(told)):
            return False
        self._transcript.told(told)
        return True

    def _hear(self, *, last: bool = False) -> bool:
        """Take in what is there; whether there was anything."""
        before = self._lines.read
        lines = self._lines.more(last=last)
        for line in lines:
            ours, frame = read_line(line)
            if not ours:
                self._printed(plain(line))
                continue
            self._tally.spoke()
            self._transcript.heard(line)
            if frame is None:
                continue
            self._tally.take(frame)
            for event in events_of(frame):
                self._pending.append(event)
                self._remember(event)
            if isinstance(frame, Result) and not frame.queued_turn_count:
                self._end_input()
        if self._lines.read >= self._log_limit:  # what it says from here on is heard at its end, if at all
            self._end_input()
        return bool(lines) or self._lines.read > before

    def _printed(self, text: str) -> None:
        self._tally.noise(text + "\n")
        self._transcript.noise(text)
        event = AgentEvent(kind=AgentEventKind.OUTPUT, text=text[:2_000] + "\n")
        self._pending.append(event)
        self._remember(event)

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
        report, problem = self._report()
        end, detail = self._judge(ended, report, problem)
        return AgentResult(
            end=end,
            exit_code=ended.exit_code,
            detail=detail + left_behind(ended),
            report=self._counted(report, end),
            log_tail=self._tail,
            unsandboxed=self._confined.unsandboxed,
            usage=usage,
            version=self._tally.version,
            resets_at=self._tally.resets_at if end is AgentEnd.QUOTA else 0.0,
        )

    def _judge(self, ended: Exit, report: AgentReport | None, problem: str) -> tuple[AgentEnd, str]:
        if (stopped := not_by_itself(ended)) is not None:
            return stopped
        end, detail = claude_end(self._tally.run(ended.exit_code))
        if end is not AgentEnd.DONE:
            return end, detail
        if problem:
            return AgentEnd.CRASHED, f"It ended well, but {problem}."
        if report is not None and report.status == "failed":
            return AgentEnd.FAILED, "It reports failure."
        return end, detail

    def _counted(self, report: AgentReport | None, end: AgentEnd) -> AgentReport:
        """Its report, or its last words where it wrote none; the numbers are those that were counted here."""
        words = report or AgentReport(summary=self._tally.summary if end is AgentEnd.DONE else "")
        tokens = self._tally.tokens if self._tally.spent else None
        return words.model_copy(update={"cost_usd": self._tally.cost_usd, "tokens": tokens})
