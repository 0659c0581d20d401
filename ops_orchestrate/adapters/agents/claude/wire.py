"""Claude Code's protocol: one JSON object a line, either way. Read strictly, and in any order.

What a line has to have is checked, what else it has is ignored, and so is a line of a kind that we do not know.
Whatever runs beside the program can write on its output too: nothing here is believed, it is only understood.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops_orchestrate.adapters.agents.report import MOST_TOKENS, MOST_USD


class Frame(BaseModel):
    """One line of the program's."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Init(Frame):
    """`system/init`: comes once a turn, and need not come first."""

    claude_code_version: str = ""


class Retry(Frame):
    """`system/api_retry`: the model did not answer."""

    attempt: int = 0
    max_retries: int = 0
    error_status: int | None = None
    error: str = ""


class Denied(Frame):
    """`system/permission_denied`."""

    tool_name: str
    tool_use_id: str = ""


class Block(Frame):
    """A piece of a message."""

    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: dict[str, Any] = Field(default_factory=dict)
    tool_use_id: str = ""
    is_error: bool | None = None


class Message(Frame):
    """What a message holds; a plain text where somebody wrote one."""

    content: list[Block] | str


class Assistant(Frame):
    """`assistant`: with `error` where it stands for an answer that did not come."""

    message: Message
    error: str | None = None


class User(Frame):
    """`user`: results of tools, or a message of ours."""

    message: Message


class Usage(Frame):
    """What one model was used for."""

    input_tokens: int = Field(0, ge=0, le=MOST_TOKENS, alias="inputTokens")
    output_tokens: int = Field(0, ge=0, le=MOST_TOKENS, alias="outputTokens")
    cache_read_tokens: int = Field(0, ge=0, le=MOST_TOKENS, alias="cacheReadInputTokens")
    cache_written_tokens: int = Field(0, ge=0, le=MOST_TOKENS, alias="cacheCreationInputTokens")
    cost_usd: float = Field(0, ge=0, le=MOST_USD, allow_inf_nan=False, alias="costUSD")
    basis: str = Field("list", alias="costBasis")

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_written_tokens


class Denial(Frame):
    """One denied call."""

    tool_name: str = ""


class Result(Frame):
    """`result`: the end of a turn; one process may print several."""

    subtype: str
    is_error: bool
    terminal_reason: str = ""
    result: str | None = None
    errors: list[str] = Field(default_factory=list)
    api_error_status: int | None = None
    queued_turn_count: int = 0
    permission_denials: list[Denial] = Field(default_factory=list)
    structured_output: Any = None
    model_usage_since_last_result: dict[str, Usage] | None = None


class LimitInfo(Frame):
    """What a provider says of its limits."""

    status: str = ""
    resets_at: float | int | None = Field(None, ge=0, le=1e11, alias="resetsAt")


class Limit(Frame):
    """`rate_limit_event`."""

    rate_limit_info: LimitInfo


class Ask(Frame):
    """`control_request`: it waits for a permission."""

    class What(Frame):
        """The request itself."""

        subtype: Literal["can_use_tool"]
        tool_name: str = ""

    request: What


_KINDS: dict[tuple[str, str], type[Frame]] = {
    ("system", "init"): Init,
    ("system", "api_retry"): Retry,
    ("system", "permission_denied"): Denied,
    ("assistant", ""): Assistant,
    ("user", ""): User,
    ("result", ""): Result,
    ("rate_limit_event", ""): Limit,
    ("control_request", ""): Ask,
}


def read_line(line: bytes) -> tuple[bool, Frame | None]:
    """(whether it is a line of the protocol at all, what it says; None where that is nothing to us)."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return False, None
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        return False, None
    subtype = data.get("subtype") if data["type"] == "system" else ""
    kind = _KINDS.get((data["type"], subtype if isinstance(subtype, str) else ""))
    if kind is None:
        return True, None
    return True, _checked(kind, data) or (_checked(kind, _without_usage(data)) if kind is Result else None)


def _checked(kind: type[Frame], data: dict[str, Any]) -> Frame | None:
    try:
        return kind.model_validate(data)
    except (ValidationError, RecursionError):
        return None


def _without_usage(data: dict[str, Any]) -> dict[str, Any]:
    """A number that cannot be is no reason to miss the end."""
    return {name: value for name, value in data.items() if name != "model_usage_since_last_result"}


def said(text: str) -> str:
    """A message of ours as a line: the first one begins the session, a later one steers it."""
    return json.dumps({"type": "user", "message": {"role": "user", "content": text}})


#: Asks it to stop what it is doing.
INTERRUPT = json.dumps({"type": "control_request", "request_id": "stop", "request": {"subtype": "interrupt"}})
