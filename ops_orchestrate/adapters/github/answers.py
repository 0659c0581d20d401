"""What GitHub answers, and how the parts of an answer are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from ops_orchestrate.core.names import one_line

MAX_BODY = 20_000_000
"""Bytes of one answer that are read at most."""


class Reply(NamedTuple):
    """One good answer."""

    data: Any
    headers: Mapping[str, str]
    moved: bool = False
    """It came from a new address: the repository was renamed or transferred."""


class Written(NamedTuple):
    """What came of one write. `status` 0: no answer, so nobody knows."""

    status: int
    data: Mapping[str, Any]
    detail: str
    limited: float | None = None
    """Seconds to wait, where a limit refused it."""


class GraphAnswer(NamedTuple):
    """Data of a query, and what GitHub says went wrong with a part of it."""

    data: Mapping[str, Any]
    problem: str = ""


def whole_body(answer: httpx.Response) -> bytes:
    """The body. Raises httpx.StreamError where it is too much."""
    body = bytearray()
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > MAX_BODY:
            raise httpx.StreamError(f"the answer is larger than {MAX_BODY} bytes")
    return bytes(body)


def next_link(headers: Mapping[str, str]) -> str | None:
    """The address of the next page; None on the last one."""
    for part in headers.get("link", "").split(","):
        target, _, rest = part.partition(">")
        if 'rel="next"' in rest:
            return target.strip().removeprefix("<")
    return None


def is_object(raw: bytes) -> bool:
    """Whether it is a JSON object."""
    try:
        return isinstance(json.loads(raw), dict)
    except (ValueError, RecursionError):
        return False


def json_object(raw: bytes) -> dict[str, Any]:
    """A JSON object; an empty one for anything else."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def beginning(raw: bytes) -> str:
    """The beginning of a body, to look for words in it."""
    return raw[:4_000].decode("utf-8", "replace")


def messages(errors: Any) -> str:
    """The sentences of GraphQL's errors."""
    if not isinstance(errors, list):
        return str(errors)
    return "; ".join(str(one.get("message", "")) if isinstance(one, dict) else str(one) for one in errors[:5])


def first_kind(errors: Any) -> str:
    """What GraphQL calls its first error."""
    first = errors[0] if isinstance(errors, list) and errors else None
    return str(first.get("type", "")) if isinstance(first, dict) else ""


def shown(url: str) -> str:
    """The path of an address: no host, and no query, which may be signed."""
    return one_line(urlsplit(url).path, 120)
