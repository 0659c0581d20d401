"""Updates of an agent's session as our events. Its words come in pieces, and are an event once they are whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from acp import schema

from ops_orchestrate.core.agent import AgentEvent, AgentEventKind, ToolState
from ops_orchestrate.core.names import clean_text, one_line

_TEXT = 2_000
_ALIVE = AgentEvent(kind=AgentEventKind.OUTPUT)
_ENDS = {"completed": ToolState.DONE, "failed": ToolState.FAILED}
#: Of a tool's input, what tells a person most.
_TELLING = ("command", "file_path", "filePath", "filepath", "path", "pattern", "description", "prompt")


class Updates:
    """Turns updates into events, in whatever order they come."""

    def __init__(self) -> None:
        self._words = ""
        self._message: str | None = None
        self._calls: dict[str, str] = {}
        self.last_words = ""
        """The newest whole message: after a good end, its account of its work."""
        self.cost_usd: float | None = None
        """What the session has cost so far, by the agent's own count; None where it does not say, or not in dollars."""

    def take(self, update: object) -> Iterator[AgentEvent]:
        """What an update says. Whatever it is, it is a sign of life."""
        if isinstance(update, schema.AgentMessageChunk):
            if update.message_id != self._message:
                yield from self.flush()
            self._message = update.message_id
            self._words += update.content.text if isinstance(update.content, schema.TextContentBlock) else ""
            self._words = self._words[-20_000:]
            yield _ALIVE
            return
        if not isinstance(update, schema.UsageUpdate):  # a count in the middle of a message does not end it
            yield from self.flush()
        if isinstance(update, schema.ToolCallStart | schema.ToolCallProgress):
            yield from self.take_call(update)
        elif isinstance(update, schema.AgentPlanUpdate):
            yield AgentEvent(kind=AgentEventKind.PLAN, text=_step_of(update))
        elif isinstance(update, schema.UsageUpdate):
            self._spent(update.cost)
        else:
            yield _ALIVE

    def flush(self) -> Iterator[AgentEvent]:
        """The message that was under way is whole."""
        if self._words.strip():
            self.last_words = self._words
            yield AgentEvent(kind=AgentEventKind.MESSAGE, text=clean_text(self._words, _TEXT))
        self._words = ""

    def take_call(
        self, update: schema.ToolCallStart | schema.ToolCallProgress | schema.ToolCallUpdate
    ) -> Iterator[AgentEvent]:
        """What is said of a tool call; some agents name one for the first time when they ask for a permission."""
        call = update.tool_call_id
        told = one_line(telling(update.raw_input) or update.title or "", 300)
        state = _ENDS.get(update.status or "", ToolState.BEGUN)
        if state is ToolState.BEGUN and told in ("", self._calls.get(call)):
            yield _ALIVE
            return
        if len(self._calls) < 10_000:
            self._calls[call] = told
        text = told if state is ToolState.BEGUN else ""
        tool = one_line(update.kind or "", 100)
        yield AgentEvent(kind=AgentEventKind.TOOL_CALL, text=text, tool=tool, call=one_line(call, 100), state=state)

    def _spent(self, cost: schema.Cost | None) -> None:
        if cost is not None and cost.currency == "USD" and 0 <= cost.amount < 1e6:
            self.cost_usd = max(self.cost_usd or 0.0, cost.amount)


def telling(given: object) -> str:
    """What of a tool's input tells a person most; empty where nothing does."""
    if not isinstance(given, dict):
        return ""
    fields: dict[str, Any] = given
    return next((fields[name] for name in _TELLING if isinstance(fields.get(name), str)), "")


def _step_of(plan: schema.AgentPlanUpdate) -> str:
    """The step that it is at, or the first one to come."""
    waiting = [entry for entry in plan.entries if entry.status != "completed"]
    at = next((entry for entry in waiting if entry.status == "in_progress"), waiting[0] if waiting else None)
    return one_line(at.content, 300) if at else "all done"
