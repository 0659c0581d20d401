"""One request and one answer, as values; and GitHub's way of saying no."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

DOCS = "https://docs.github.com/rest"


class Links(NamedTuple):
    """Where the client sees us: what every URL in an answer starts with."""

    api: str
    html: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; `path` without the Enterprise prefix, decoded."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    links: Links
    url: str
    """As asked for, for the `Link` header."""


@dataclass(slots=True)
class Reply:
    """An answer; `body` is JSON unless it is bytes, None: nothing."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        """The body on the wire."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


class Refused(Exception):
    """An answer that says no."""

    def __init__(
        self, status: int, message: str, *, errors: list[Any] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}

    def reply(self) -> Reply:
        """GitHub's body for it."""
        body: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            body["errors"] = self.errors
        return Reply(self.status, {**body, "documentation_url": DOCS, "status": str(self.status)}, dict(self.headers))


def not_found() -> Refused:
    """Also what GitHub says of what one may not see."""
    return Refused(404, "Not Found")


def invalid(resource: str, field_name: str, code: str, message: str | None = None) -> Refused:
    """A 422 with its list of errors."""
    error = {"resource": resource, "field": field_name, "code": code}
    if message is not None:
        error["message"] = message
    return Refused(422, "Validation Failed", errors=[error])
