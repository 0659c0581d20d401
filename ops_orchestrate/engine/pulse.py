"""Signs of life of one running agent, gathered for the rule in `core.liveness`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ops_orchestrate.config import Settings
from ops_orchestrate.core.agent import AgentEvent, AgentEventKind, AgentVitals
from ops_orchestrate.core.liveness import BUSY, Limits, Signals, next_step
from ops_orchestrate.ports import AgentSession

#: Asks an agent whether it is stuck; False where it cannot be told anything.
Ask = Callable[[AgentSession], bool]


class Pulse:
    """Remembers when something last moved; asks the rule what to do about it."""

    def __init__(self, settings: Settings, clock: Callable[[], float], ask: Ask | None = None) -> None:
        """`ask`: asks a silent agent, before it is stopped, whether it is stuck; None: it is not asked."""
        self._clock = clock
        self._limits = Limits(start=settings.start_limit, stall=settings.stall_after, nudge_wait=settings.nudge_wait)
        # Looking costs a walk over processes and files: twenty looks a stall are enough, five a second the most.
        self._every = min(30.0, max(0.2, settings.stall_after / 20))
        self._vitals = AgentVitals()
        self._started = self._looked = clock()
        self._last_event = self._last_file = self._last_busy = 0.0
        self._waiting_since = self._nudged_at = 0.0
        self._ask = ask
        self._can_message = ask is not None
        self.why = ""

    def saw(self, events: Sequence[AgentEvent]) -> None:
        """Events arrived."""
        if not events:
            return
        self._last_event = self._clock()
        asks = events[-1].kind is AgentEventKind.PERMISSION
        self._waiting_since = self._last_event if asks else 0.0

    def advice(self, session: AgentSession) -> str:
        """Empty, or why the agent is to be stopped. Nudges it on the way where it can be told something."""
        now = self._clock()
        if now - self._looked < self._every:
            return ""
        elapsed, self._looked = now - self._looked, now
        step = next_step(self._signals(now, elapsed, session.vitals()), self._limits)
        if step.action == "nudge":
            self._nudged_at = now
            self._can_message = self._ask is not None and self._ask(session)
        self.why = step.reason if step.action == "stop" else ""
        return step.state if step.action == "stop" else ""

    def _signals(self, now: float, elapsed: float, seen: AgentVitals) -> Signals:
        before, self._vitals = self._vitals, seen
        burnt = max(0.0, seen.cpu_seconds - before.cpu_seconds)
        if before.files and seen.files != before.files:
            self._last_file = now
        share = burnt / elapsed if elapsed else 0.0
        if share >= BUSY:
            self._last_busy = now
        return Signals(
            now=now,
            started_at=self._started,
            last_event=self._last_event,
            last_file_change=self._last_file,
            last_busy=self._last_busy,
            cpu_recent=share,
            children=seen.processes,
            waiting_since=self._waiting_since,
            nudged_at=self._nudged_at,
            can_message=self._can_message,
        )
