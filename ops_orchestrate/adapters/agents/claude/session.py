"""One running Claude Code: what it says becomes events, what we say goes to its input, its end is judged by a rule."""

from __future__ import annotations

from collections.abc import Callable

from ops_orchestrate.adapters.agents.claude.events import events_of
from ops_orchestrate.adapters.agents.claude.tally import Tally
from ops_orchestrate.adapters.agents.claude.wire import Result, read_line, said
from ops_orchestrate.adapters.agents.session import Launched, not_by_itself
from ops_orchestrate.adapters.agents.spoken import SpokenSession, with_report
from ops_orchestrate.adapters.agents.transcript import Transcript
from ops_orchestrate.adapters.supervised import MESSAGE_LIMIT, Exit
from ops_orchestrate.core.agent import AgentEnd, AgentJob, AgentReport, AgentResult
from ops_orchestrate.core.claude_outcome import claude_end

Keep = Callable[[], None] | None


class ClaudeSession(SpokenSession):
    """An agent's session over Claude Code's protocol."""

    def __init__(
        self, launched: Launched, job: AgentJob, transcript: Transcript, log_limit: int, keep: Keep = None
    ) -> None:
        """`keep`: called when it has ended, to keep its session for another attempt."""
        super().__init__(launched, job, transcript, log_limit)
        self._tally = Tally()
        self._waits = job.waits
        self._idle = False
        self._keep = keep

    def message(self, text: str) -> bool:
        """Steer it: the text reaches it with the next result of a tool. False once its last turn is over."""
        told = text[:MESSAGE_LIMIT]
        if not self._input_open or not self._supervised.say(said(told)):
            return False
        self._transcript.told(told)
        return True

    def release(self) -> None:
        """Its last turn may be the last: what it was told before is still dealt with."""
        self._waits = False
        if self._idle:
            self._end_input()

    def _take(self, line: bytes) -> bool:
        ours, frame = read_line(line)
        if not ours:
            return False
        self._tally.spoke()
        if frame is not None:
            self._tally.take(frame)
            self._happened(events_of(frame))
        if isinstance(frame, Result) and not frame.queued_turn_count:
            self._idle = True
            if not self._waits:
                self._end_input()
        return True

    def _noise(self, text: str) -> None:
        self._tally.noise(text)

    def _overflowed(self) -> None:
        self._end_input()

    def _result_of(self, ended: Exit, report: AgentReport | None, problem: str) -> AgentResult:
        if self._keep:
            self._keep()
        end, detail = not_by_itself(ended) or with_report(
            *claude_end(self._tally.run(ended.exit_code)), report, problem
        )
        return AgentResult(
            end=end,
            detail=detail,
            report=self._counted(report, end),
            answer=self._tally.answer,
            version=self._tally.version,
            resets_at=self._tally.resets_at if end is AgentEnd.QUOTA else 0.0,
        )

    def _counted(self, report: AgentReport | None, end: AgentEnd) -> AgentReport:
        """Its report, or its last words where it wrote none; the numbers are those that were counted here."""
        words = report or AgentReport(summary=self._tally.summary if end is AgentEnd.DONE else "")
        tokens = self._tally.tokens if self._tally.spent else None
        return words.model_copy(update={"cost_usd": self._tally.cost_usd, "tokens": tokens})
