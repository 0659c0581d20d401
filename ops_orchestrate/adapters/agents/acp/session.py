"""One running agent over the Agent Client Protocol: carries the conversation, and judges its end by a rule."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from ops_orchestrate.adapters.agents.acp.conversation import Conversation, Terms
from ops_orchestrate.adapters.agents.acp.wire import read_line
from ops_orchestrate.adapters.agents.session import Launched, not_by_itself
from ops_orchestrate.adapters.agents.spoken import SpokenSession, with_report
from ops_orchestrate.adapters.agents.transcript import Transcript
from ops_orchestrate.adapters.supervised import MESSAGE_LIMIT, Exit
from ops_orchestrate.core.acp_outcome import acp_end
from ops_orchestrate.core.agent import AgentEnd, AgentEvent, AgentEventKind, AgentJob, AgentReport, AgentResult
from ops_orchestrate.core.modelusage import ModelTrouble
from ops_orchestrate.core.names import clean_text

_LINGER = 3.0
"""Seconds for an agent to end by itself, once its input has ended."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How this agent is dealt with."""

    sign_in: str
    joins: bool
    """Whether a second prompt joins its turn."""
    retries: int
    """How often its model may say no in a row before the attempt ends."""
    log_limit: int
    """Bytes."""
    lingers: bool = False
    """Whether it stays when its input has ended."""


class AcpSession(SpokenSession):
    """An agent's session over ACP."""

    def __init__(self, launched: Launched, job: AgentJob, transcript: Transcript, manners: Manners) -> None:
        super().__init__(launched, job, transcript, manners.log_limit)
        self._manners = manners
        self._patience = 0.0 if manners.lingers else min(job.grace_seconds, _LINGER)
        self._talk = Conversation(
            Terms(
                brief=job.brief,
                tree=job.tree,
                sandboxed=not launched.confined.unsandboxed,
                sign_in=manners.sign_in,
                joins=manners.joins,
                waits=job.waits,
            )
        )
        self._farewell = ""
        self._troubles = 0
        self._trouble: ModelTrouble | None = None
        self._settled = False
        self._over_at = 0.0
        self._stopped = False

    def message(self, text: str) -> bool:
        """Tell it something; False where it is not there yet, or not any more."""
        told = text[:MESSAGE_LIMIT]
        if not self._input_open or not self._talk.steer(told):
            return False
        self._transcript.told(told)
        self._send()
        return True

    def release(self) -> None:
        """Its last turn may be the last: what it was told before is still dealt with."""
        self._talk.release()

    def stop(self, how: Literal["interrupt", "kill"]) -> None:
        """Ask it to end by its protocol's own word, then the ladder; or kill all of it at once."""
        self._stopped = self._stopped or not self._talk.over
        super().stop(how)

    def _hear(self, *, last: bool = False) -> bool:
        heard = super()._hear(last=last)
        self._look_at_the_model()
        if not last:
            self._send()
            self._close_when_over()
        return heard

    def _take(self, line: bytes) -> bool:
        message = read_line(line)
        if message is None:
            return False
        self._happened(self._talk.take(message))
        return True

    def _noise(self, text: str) -> None:
        self._talk.noise(text)

    def _overflowed(self) -> None:
        if not self._talk.over:
            self._talk.run = self._talk.run.model_copy(update={"flooded": True})
            self._talk.end()

    def _send(self) -> None:
        """Say what is to be said. What does not fit into the pipe now waits for the next look."""
        self._supervised.flush()
        if self._talk.farewell != self._farewell and self._supervised.farewell(self._talk.farewell):
            self._farewell = self._talk.farewell
        outbox = self._talk.outbox
        while outbox and self._supervised.say(outbox[0]):
            outbox.popleft()

    def _close_when_over(self) -> None:
        """Its work is done: the end of its input ends it, or after a while a signal does."""
        if not self._talk.over:
            return
        self._over_at = self._over_at or time.monotonic()
        self._end_input()
        if time.monotonic() - self._over_at > self._patience:
            super().stop("interrupt")

    def _look_at_the_model(self) -> None:
        """Agents retry by themselves, some for minutes, and tell nobody: our proxy sees it, and ends it.

        What comes after the end, such as calls that are cut off by it, is nothing to its end.
        """
        if self._settled:
            return
        self._settled = self._talk.over
        trouble = self._trouble = self._ways.trouble()
        times = trouble.times if trouble and trouble.last else 0
        if trouble and times > self._troubles:
            text = f"The model said no {times} times in a row ({trouble.status}): {trouble.words}".rstrip(": ")
            self._happened([AgentEvent(kind=AgentEventKind.RETRY, text=text)])
        self._troubles = times
        if trouble and (times > self._manners.retries or trouble.ours) and not self._talk.over:
            self._talk.given_up()
            self._settled = True

    def _read(self, ended: Exit) -> AgentResult:
        self._look_at_the_model()
        self._settled = True
        return super()._read(ended)

    def _result_of(self, ended: Exit, report: AgentReport | None, problem: str) -> AgentResult:
        run = self._talk.run.model_copy(update={"exit_code": ended.exit_code, "trouble": self._trouble})
        by_itself = self._talk.over and not self._stopped
        stopped = None if by_itself else not_by_itself(ended)
        end, detail = stopped or with_report(*acp_end(run), report, problem)
        words = report or AgentReport(
            summary=clean_text(self._talk.updates.last_words, 4_000) if end is AgentEnd.DONE else ""
        )
        counted = {"cost_usd": self._talk.updates.cost_usd, "tokens": self._talk.tokens}
        return AgentResult(
            end=end,
            detail=detail,
            report=words.model_copy(update=counted),
            version=self._talk.version,
            resets_at=run.trouble.again_at if run.trouble and end is AgentEnd.QUOTA else 0.0,
        )
