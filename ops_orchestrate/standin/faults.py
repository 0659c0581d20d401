"""Faults by order: the next N requests that match go wrong in the way that is asked for.

Kinds: `status` (with `body` and `headers`; before the effect, or after it with `after=True`), `delay`, `drop` (close
the connection before an answer), `cut` (promise a body, send half of it, close), `truncate` (half the JSON, honestly
framed), `html` (an error page with 200), `stale` (the previous answer to the same question), `partial` (GraphQL: what
`null_at` names becomes null and an error says so), `rewrite` (texts of the answer become others: a word that nobody
knows, a head of zeroes).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

KINDS = frozenset({"status", "delay", "drop", "cut", "truncate", "html", "stale", "partial", "rewrite"})


@dataclass
class Fault:
    """One order. `path` is a regular expression on the path without prefix, `contains` a text in the request body."""

    kind: str
    method: str = "*"
    path: str = ".*"
    contains: str = ""
    times: int | None = 1
    """How many matching requests it hits; None: until it is taken back."""
    skip: int = 0
    """How many matching requests pass first."""
    after: bool = False
    """The effect happens, only the answer goes wrong."""
    status: int = 502
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    null_at: str = "repository"
    """Dots lead down; in a list, into every item."""
    swap: dict[str, str] = field(default_factory=dict)
    number: int = 0
    hits: int = 0

    def matches(self, method: str, path: str, body: bytes) -> bool:
        """Whether it is about this request."""
        return (
            self.method in {"*", method}
            and re.fullmatch(self.path, path) is not None
            and self.contains.encode() in body
        )


def distorted(fault: Fault, payload: bytes) -> bytes:
    """A true answer after a `partial` or a `rewrite`."""
    if fault.kind == "rewrite":
        for old, new in fault.swap.items():
            payload = payload.replace(old.encode(), new.encode())
        return payload
    answer = json.loads(payload)
    path = fault.null_at.split(".")
    _clear(answer.get("data"), path)
    text = "Something went wrong while executing your query."
    answer.setdefault("errors", []).append({"type": "INTERNAL", "path": path, "message": text})
    return json.dumps(answer).encode()


def _clear(data: Any, path: list[str]) -> None:
    for one in data if isinstance(data, list) else [data]:
        if isinstance(one, dict) and path[0] in one:
            if len(path) == 1:
                one[path[0]] = None
            else:
                _clear(one[path[0]], path[1:])


class Faults:
    """The orders that still stand."""

    def __init__(self) -> None:
        self.standing: list[Fault] = []
        self._numbers = 0

    def order(self, fault: Fault) -> Fault:
        """Add one. Raises ValueError for an unknown kind."""
        if fault.kind not in KINDS:
            raise ValueError(f"no fault of the kind {fault.kind!r}; there are {', '.join(sorted(KINDS))}")
        self._numbers += 1
        fault.number = self._numbers
        self.standing.append(fault)
        return fault

    def take(self, method: str, path: str, body: bytes) -> list[Fault]:
        """The orders that hit this request (delays and at most one other), counted down."""
        hit: list[Fault] = []
        for fault in list(self.standing):
            if not fault.matches(method, path, body) or (fault.kind != "delay" and any(f.kind != "delay" for f in hit)):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.hits += 1
            hit.append(fault)
            if fault.times is not None and fault.hits >= fault.times:
                self.standing.remove(fault)
        return hit

    def clear(self) -> None:
        """Take every order back."""
        self.standing.clear()
