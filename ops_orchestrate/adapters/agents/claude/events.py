"""Claude Code's frames as our events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ops_orchestrate.adapters.agents.claude.wire import Ask, Assistant, Block, Denied, Frame, Result, Retry, User
from ops_orchestrate.core.agent import AgentEvent, AgentEventKind, ToolState
from ops_orchestrate.core.names import clean_text, one_line

_TEXT = 2_000
_PLANS = frozenset({"TodoWrite", "TaskCreate", "TaskUpdate"})
#: Of a tool's input, what tells a person most.
_TELLING = ("command", "file_path", "pattern", "path", "description", "subject", "prompt")


def events_of(frame: Frame) -> tuple[AgentEvent, ...]:
    """What a frame says; nothing for most."""
    if isinstance(frame, Assistant):
        return tuple(_said(_blocks(frame.message.content)))
    if isinstance(frame, User):
        return tuple(_answered(_blocks(frame.message.content)))
    if isinstance(frame, Denied):
        return (_call(frame.tool_name, "denied", frame.tool_use_id, ToolState.DENIED),)
    if isinstance(frame, Retry):
        why = f"{frame.error} ({frame.error_status})" if frame.error_status else frame.error or "no answer"
        text = f"The model is asked again ({frame.attempt} of {frame.max_retries}): {one_line(why, 100)}"
        return (AgentEvent(kind=AgentEventKind.RETRY, text=text),)
    if isinstance(frame, Ask):
        return (AgentEvent(kind=AgentEventKind.PERMISSION, text=one_line(frame.request.tool_name, 100)),)
    return tuple(_ended(frame)) if isinstance(frame, Result) else ()


def _said(blocks: Iterable[Block]) -> Iterator[AgentEvent]:
    for block in blocks:
        if block.type == "text" and block.text.strip():
            yield AgentEvent(kind=AgentEventKind.MESSAGE, text=clean_text(block.text, _TEXT))
        elif block.type == "tool_use":
            told = one_line(_telling(block.input), 300)
            if block.name in _PLANS:
                yield AgentEvent(kind=AgentEventKind.PLAN, text=told, tool=block.name, call=one_line(block.id, 100))
            else:
                yield _call(block.name, told, block.id, ToolState.BEGUN)


def _answered(blocks: Iterable[Block]) -> Iterator[AgentEvent]:
    for block in blocks:
        if block.type == "tool_result":
            yield _call("", "", block.tool_use_id, ToolState.FAILED if block.is_error else ToolState.DONE)


def _ended(result: Result) -> Iterator[AgentEvent]:
    used = (result.model_usage_since_last_result or {}).values()
    priced = result.model_usage_since_last_result is not None and all(one.basis != "unknown" for one in used)
    cost = sum(one.cost_usd for one in used) if priced else None
    yield AgentEvent(kind=AgentEventKind.USAGE, tokens=sum(one.tokens for one in used), cost_usd=cost)
    yield AgentEvent(kind=AgentEventKind.STOP, text=one_line(result.terminal_reason or result.subtype, 100))


def _call(tool: str, text: str, call: str, state: ToolState) -> AgentEvent:
    name = one_line(tool, 100)
    return AgentEvent(kind=AgentEventKind.TOOL_CALL, text=text, tool=name, call=one_line(call, 100), state=state)


def _blocks(content: list[Block] | str) -> list[Block]:
    return [] if isinstance(content, str) else content


def _telling(given: dict[str, Any]) -> str:
    found = next((given[name] for name in _TELLING if isinstance(given.get(name), str)), None)
    return found if found is not None else json.dumps(given, ensure_ascii=False)[:400]
