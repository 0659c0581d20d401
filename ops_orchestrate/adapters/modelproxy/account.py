"""What an attempt has used, counted while its answers pass; and whether another call may begin."""

from __future__ import annotations

import json
import threading

from ops_orchestrate.adapters.modelproxy.terms import Limits, Price
from ops_orchestrate.core.modelusage import BYTES_A_TOKEN, ModelUsage, Tokens, tokens_in

BUSY = "Too many calls at once."
"""As many calls are under way as may be; one may begin when another has ended."""
_FRAME = 90
"""Bytes of an event that are not the text in it, about."""
_LONGEST_LINE = 8 << 20
_SSE = b"text/event-stream"


class Meter:
    """Reads the count of tokens off one answer as it passes: from a stream of events, or from one JSON text."""

    def __init__(self, content_type: bytes) -> None:
        self._events = content_type.startswith(_SSE)
        self._rest = b""
        self._skip = False
        self._found: Tokens | None = None
        self._said = 0

    def feed(self, data: bytes) -> None:
        """The next piece, of any size."""
        if not self._events:
            self._rest += data[: max(0, _LONGEST_LINE - len(self._rest))]
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if not self._skip:
                self._line(line)
            self._skip = False
        if len(self._rest) > _LONGEST_LINE:
            self._rest, self._skip = b"", True

    def end(self) -> Tokens | None:
        """What was counted in all; None where the answer does not say."""
        self._line(self._rest, whole=not self._events)
        self._rest = b""
        return self._found

    def cut(self) -> Tokens | None:
        """What was counted of an answer that the agent did not want to the end, and so without its last count.

        Its text is counted by its size then: leaving early must not make tokens free.
        """
        found = self.end()
        return found.at_least(Tokens(output=self._said // BYTES_A_TOKEN)) if found else None

    def _line(self, line: bytes, *, whole: bool = False) -> None:
        text = line if whole else line.partition(b"data:")[2] if line.startswith(b"data:") else b""
        self._said += max(0, len(text) - _FRAME)
        if b'"usage' not in text:
            return
        try:
            event = json.loads(text)
        except (ValueError, RecursionError):
            return
        for one in event if isinstance(event, list) else [event]:
            tokens = tokens_in(one) if isinstance(one, dict) else None
            if tokens is not None:
                self._found = (self._found or Tokens()).at_least(tokens)


class Account:
    """The sum of an attempt. Safe to share between threads."""

    def __init__(self, limits: Limits, price: Price | None) -> None:
        self._limits = limits
        self._price = price
        self._lock = threading.Lock()
        self._tokens: dict[str, Tokens] = {}
        self._calls = self._refused = self._estimated = self._running = 0

    def begin(self, model: str) -> str:
        """Whether another call may begin; else why not, or BUSY. After an empty answer, `end` must follow."""
        with self._lock:
            problem = self._over(model) or (BUSY if self._running >= self._limits.at_once else "")
            if not problem:
                self._calls += 1
                self._running += 1
            return problem

    def end(self, model: str, tokens: Tokens | None, size: int = 0, *, cut: bool = False) -> None:
        """A call is over. `size`: bytes that went both ways, where the answer did not count and yet was one."""
        with self._lock:
            self._running -= 1
            if tokens is None and size:
                tokens, cut = Tokens(output=size // BYTES_A_TOKEN + 1), True
            self._estimated += cut and tokens is not None
            if tokens is not None:
                self._tokens[model] = self._tokens.get(model, Tokens()).plus(tokens)

    def refuse(self) -> None:
        """A call went no further."""
        with self._lock:
            self._refused += 1

    def usage(self) -> ModelUsage:
        """What was used so far."""
        with self._lock:
            return ModelUsage(
                calls=self._calls,
                refused=self._refused,
                tokens=dict(self._tokens),
                usd=self._usd(self._tokens),
                estimated=self._estimated,
            )

    def _usd(self, tokens: dict[str, Tokens]) -> float | None:
        costs = [self._price(model, used) if self._price else None for model, used in tokens.items()]
        known = [cost for cost in costs if cost is not None]
        return round(sum(known), 6) if len(known) == len(costs) else None

    def _over(self, model: str) -> str:
        if self._limits.tokens and sum(used.all for used in self._tokens.values()) >= self._limits.tokens:
            return "The attempt has used all the tokens that it may."
        if not self._limits.usd:
            return ""
        spent = self._usd(self._tokens | {model: self._tokens.get(model, Tokens())})
        if spent is None:
            return "The price of the model is not known, and the attempt has a cap in dollars."
        return "The attempt has spent all the money that it may." if spent >= self._limits.usd else ""
