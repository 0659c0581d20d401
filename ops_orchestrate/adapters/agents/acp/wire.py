"""JSON-RPC as the Agent Client Protocol speaks it: one message a line. What is in a message is the library's to check.

Whatever runs beside the agent can write on its output too: nothing here is believed, it is only understood. A message
of a kind that we do not know, or that does not fit its schema, is passed over.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, TypeVar

from acp import schema
from pydantic import BaseModel, ValidationError

_Model = TypeVar("_Model", bound=BaseModel)
Id = int | str
VERSION = 1
"""Of the protocol."""


class Message(NamedTuple):
    """One line: a request (method and id), a notification (method alone), or an answer (id alone)."""

    method: str = ""
    id: Id | None = None
    body: Any = None
    """The parameters, or the result."""
    code: int | None = None
    """With an answer that is an error."""
    words: str = ""


def read_line(line: bytes) -> Message | None:
    """The message; None where it is none of JSON-RPC's."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("jsonrpc") != "2.0":
        return None
    given, method = data.get("id"), data.get("method")
    number = given if isinstance(given, int | str) and not isinstance(given, bool) else None
    if isinstance(method, str):
        return Message(method, number, data.get("params"))
    error = data.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        return Message("", number, None, code if isinstance(code, int) else 0, str(error.get("message", "")))
    return Message("", number, data.get("result"))


def read(kind: type[_Model], body: object) -> _Model | None:
    """`body` as what it should be; None where it is not."""
    try:
        return kind.model_validate(body)
    except (ValidationError, RecursionError):
        return None


def ask(number: int, method: str, params: BaseModel) -> str:
    """A request of ours as a line."""
    return _line({"id": number, "method": method, "params": _plain(params)})


def tell(method: str, params: BaseModel) -> str:
    """A notification of ours as a line."""
    return _line({"method": method, "params": _plain(params)})


def steer(number: int, session: str, block: schema.TextContentBlock) -> str:
    """An extension of some adapters: what joins the running turn. Where there is none, it begins none of its own."""
    params = {
        "sessionId": session,
        "prompt": [_plain(block)],
        "_meta": {"steering": {"idleBehavior": "promptRequired"}},
    }
    return _line({"id": number, "method": "_session/steering", "params": params})


def answer(number: Id, result: BaseModel) -> str:
    """Our answer to a request."""
    return _line({"id": number, "result": _plain(result)})


def no_method(number: Id, method: str) -> str:
    """Our answer to a request for what we do not offer: files and terminals are its own business, in its sandbox."""
    return _line({"id": number, "error": {"code": -32601, "message": f"{method[:100]} is not offered"}})


def hello(version: str) -> str:
    """The first request. We offer nothing: an agent works with its own hands."""
    return ask(
        0,
        "initialize",
        schema.InitializeRequest(
            protocol_version=VERSION,
            client_capabilities=schema.ClientCapabilities(
                fs=schema.FileSystemCapabilities(read_text_file=False, write_text_file=False), terminal=False
            ),
            client_info=schema.Implementation(name="ops-orchestrate", version=version),
        ),
    )


def chosen(number: Id, option: str | None) -> str:
    """Our answer to a question for permission; without an option, the question is cancelled."""
    outcome: schema.AllowedOutcome | schema.DeniedOutcome = (
        schema.DeniedOutcome(outcome="cancelled")
        if option is None
        else schema.AllowedOutcome(outcome="selected", option_id=option)
    )
    return answer(number, schema.RequestPermissionResponse(outcome=outcome))


def _plain(params: BaseModel) -> dict[str, Any]:
    return params.model_dump(mode="json", by_alias=True, exclude_none=True)


def _line(fields: dict[str, Any]) -> str:
    return json.dumps({"jsonrpc": "2.0", **fields})
