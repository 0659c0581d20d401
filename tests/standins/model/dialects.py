"""The same turns as the APIs of others stream them: OpenAI's chat completions and responses, Gemini's contents.

Scenarios name Claude Code's tools; other agents have the same ones under other names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.standins.model.scenarios import Say, Use

USAGE = (100, 20)
"""Tokens in and out of every answer."""
_TREE = re.compile(r"(?:(?:working directory|in the directory): |<cwd>)([^\s<]+)", re.IGNORECASE)

#: For each tool of Claude Code's, its name at others, and what its fields are called there.
_OPENCODE: dict[str, tuple[str, dict[str, str]]] = {
    "Bash": ("bash", {}),
    "Read": ("read", {"file_path": "filePath"}),
    "Edit": ("edit", {"file_path": "filePath", "old_string": "oldString", "new_string": "newString"}),
    "Write": ("write", {"file_path": "filePath"}),
}
_CODEX: dict[str, tuple[str, dict[str, str]]] = {"Bash": ("exec_command", {"command": "cmd"})}
_GEMINI: dict[str, tuple[str, dict[str, str]]] = {
    "Bash": ("run_shell_command", {}),
    "Read": ("read_file", {}),
    "Edit": ("replace", {}),
    "Write": ("write_file", {}),
}


def tree_in(body: dict[str, Any]) -> str:
    """The working directory that a request names."""
    where = _TREE.search(json.dumps(body).replace("\\n", " "))
    return where[1].strip('"\\') if where else "."


def is_aside(body: dict[str, Any]) -> bool:
    """Whether it asks for a title or the like, beside the work: there it offers no tools."""
    return not body.get("tools")


def chat(turn: Say | Use, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Chunks of a chat completion."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body.get("model")}

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    yield chunk({"role": "assistant", "content": turn.text})
    if isinstance(turn, Use):
        name, given = _named(turn, body, _OPENCODE)
        function = {"name": name, "arguments": json.dumps(given)}
        call = {"index": 0, "id": f"call_{len(body['messages'])}", "type": "function", "function": function}
        yield chunk({"tool_calls": [call]})
    yield chunk({}, "tool_calls" if isinstance(turn, Use) else "stop")
    used = {"prompt_tokens": USAGE[0], "completion_tokens": USAGE[1], "total_tokens": sum(USAGE)}
    yield {**head, "choices": [], "usage": used}


def responses(turn: Say | Use, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Events of a response."""
    head = {"id": "resp_1", "object": "response", "model": body.get("model"), "output": []}
    yield {"type": "response.created", "response": head}
    items: list[dict[str, Any]] = []
    if turn.text:
        content = [{"type": "output_text", "text": turn.text}]
        items.append({"type": "message", "role": "assistant", "id": "msg_1", "content": content})
    if isinstance(turn, Use):
        name, given = _named(turn, body, _CODEX)
        call = f"call_{len(body['input'])}"
        items.append(
            {"type": "function_call", "id": "fc_1", "call_id": call, "name": name, "arguments": json.dumps(given)}
        )
    yield from ({"type": "response.output_item.done", "item": item} for item in items)
    used = {"input_tokens": USAGE[0], "output_tokens": USAGE[1], "total_tokens": sum(USAGE)}
    yield {"type": "response.completed", "response": {**head, "usage": used}}


def contents(turn: Say | Use, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Chunks of Gemini's."""
    parts: list[dict[str, Any]] = [{"text": turn.text}] if turn.text else []
    if isinstance(turn, Use):
        name, given = _named(turn, body, _GEMINI)
        parts.append({"functionCall": {"name": name, "args": given}})
    used = {"promptTokenCount": USAGE[0], "candidatesTokenCount": USAGE[1], "totalTokenCount": sum(USAGE)}
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    yield {"candidates": [candidate], "usageMetadata": used, "modelVersion": "gemini-test"}


def _named(turn: Use, body: dict[str, Any], tools: dict[str, tuple[str, dict[str, str]]]) -> tuple[str, dict[str, Any]]:
    turn = _in_shell(turn) if tools is _CODEX else turn
    name, fields = tools.get(turn.tool, (turn.tool, {}))
    text = json.dumps({fields.get(key, key): value for key, value in turn.input.items()})
    more = {"instruction": "Change it."} if name == "replace" else {}
    return name, {**json.loads(text.replace("{tree}", tree_in(body))), **more}


def _in_shell(turn: Use) -> Use:
    """The same by Codex's only tool."""
    path = turn.input.get("file_path", "")
    if turn.tool == "Edit":
        return Use("Bash", {"command": f"sed -i 's/{turn.input['old_string']}/{turn.input['new_string']}/' {path}"})
    return Use("Bash", {"command": f"cat {path}"}) if turn.tool == "Read" else turn
