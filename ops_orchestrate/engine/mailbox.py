"""The mailbox of a running attempt: what came in is said to its agent, or ends the attempt so that it can be told.

The rule is `core.steering`. What is told is recorded when the agent's program has taken it: a worker that dies in
between leaves an attempt that is over, and the next one finds every message in its brief. A member that has started
before its blockers gets what they hand over here, and is stopped where one of them ends in another way.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.mail import STATUS_CHECK, Letter, Topic, spoken
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.steering import Delivery, delivery
from ops_orchestrate.engine.early import hand_over, waits_for
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import LedgerUnavailable
from ops_orchestrate.ports import AgentSession

#: How often a mailbox is looked into, in seconds: what a person waits for who has sent something.
_EVERY = 0.5


class Mailbox:
    """One attempt's."""

    def __init__(self, key: StageKey, told: int, tools: Toolbox, clock: Callable[[], float], *, early: bool) -> None:
        """`told`: the number of the last message in its brief. `early`: its blockers have not completed yet."""
        self._key = key
        self._told = told
        self._tools = tools
        self._clock = clock
        self._looked = clock()
        self._quiet = False
        self.waits = early
        """Whether what it builds on is still being made: that it is silent then means nothing."""
        self.why = ""

    def wish(self, session: AgentSession) -> str:
        """Tell the agent what is new. Answers why it is to be stopped instead (`message`, `blocker`), or nothing."""
        now = self._clock()
        if now - self._looked < _EVERY:
            return ""
        self._looked = now
        with suppress(LedgerUnavailable):  # a message is no reason to end an agent that outlives the server's absence
            return (self.waits and self._wait()) or self._tell(session)
        return ""

    def ask(self, session: AgentSession) -> bool:
        """Ask a silent agent whether it is stuck; False where it cannot be told anything."""
        if not session.message(STATUS_CHECK):
            return False
        data = {"number": 0, "how": Delivery.NOW.value, "topic": Topic.STATUS_CHECK.value, "text": STATUS_CHECK}
        with suppress(LedgerUnavailable):
            self._tools.note(self._key, EventKind.MESSAGE_DELIVERED, data)
        return True

    def _wait(self) -> str:
        found = waits_for(self._key, self._tools)
        if found.lost:
            self.why = found.why
            return "blocker"
        if found.done:
            hand_over(self._key.run, self._key.task, self._tools)  # whoever settled the last one may have died there
            self.waits = False
        return ""

    def _tell(self, session: AgentSession) -> str:
        """Everything in its order; what cannot be said now keeps what comes after it waiting."""
        if self._quiet:
            return ""
        letters = self._tools.ledger.mail.after(self._key.run, self._key.task, self._told)
        for letter in letters:
            said = session.message(spoken(letter))
            if said is None:
                return self._interrupt()
            if not said:
                return ""
            self._record(letter)
        if not self.waits:
            session.release()
        return ""

    def _record(self, letter: Letter) -> None:
        self._told = letter.number
        self._tools.ledger.mail.told(self._key, letter.number, Delivery.NOW.value)

    def _interrupt(self) -> str:
        earlier = self._tools.ledger.tasks.attempts(self._key.run, self._key.task)
        often = sum(1 for one in earlier if one.outcome and one.outcome.kind is OutcomeKind.REDIRECTED)
        how = delivery(TaskState.RUNNING, steerable=False, interruptions=often)
        self._quiet = how is Delivery.BRIEF
        return "message" if how is Delivery.INTERRUPT else ""
