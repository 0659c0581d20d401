"""What of an agent's words becomes a note on the board: the newest line, seldom enough to stay readable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ops_orchestrate.core.agent import AgentEvent, AgentEventKind, ToolState
from ops_orchestrate.core.names import one_line

#: Characters of printed text that are looked at: a private key over many lines is only seen as one beside its first.
_HELD = 8_000


class Remarks:
    """Remembers the end of what an agent printed, and when something of it was last told."""

    def __init__(self, redact: Callable[[str], str], every: float, clock: Callable[[], float]) -> None:
        self._redact, self._every, self._clock = redact, every, clock
        self._printed = ""
        self._fresh = False
        self._told, self._told_at = "", -every

    def newest(self, events: Sequence[AgentEvent]) -> str:
        """One line without secrets and control characters; empty where there is nothing new to tell.

        What the agent says as a message is told at once. Of what it merely prints, plans or asks its tools for, the
        newest whole line is told, once in `every` seconds.
        """
        said = [event.text for event in events if event.kind is AgentEventKind.MESSAGE and event.text]
        if said:
            return one_line(self._redact(said[-1]))
        for event in events:
            if text := _printed(event):
                self._printed, self._fresh = _end_of(self._printed + text), True
        now = self._clock()
        if not self._fresh or now - self._told_at < self._every:
            return ""
        self._fresh = False
        line = _last_line(self._redact(self._printed))
        if not line or line == self._told:
            return ""
        self._told, self._told_at = line, now
        return line


def _printed(event: AgentEvent) -> str:
    """What an event adds to what is told from time to time."""
    if event.kind is AgentEventKind.OUTPUT or not event.text:
        return event.text if event.kind is AgentEventKind.OUTPUT else ""
    if event.kind is AgentEventKind.TOOL_CALL and event.state is ToolState.BEGUN:
        return f"{event.tool}: {event.text}\n"
    return f"{event.text}\n" if event.kind in (AgentEventKind.PLAN, AgentEventKind.RETRY) else ""


def _end_of(text: str) -> str:
    """The end of a text, from the end of a line on: half a secret has no shape."""
    if len(text) <= _HELD:
        return text
    _, _, whole = text[-_HELD:].partition("\n")
    return whole


def _last_line(text: str) -> str:
    """The newest line that is over and says something."""
    lines = (one_line(line) for line in reversed(text.split("\n")[:-1]))
    return next(filter(None, lines), "")
