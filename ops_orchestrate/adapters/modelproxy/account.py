"""What an attempt has used, counted while its answers pass; and whether another call may begin."""

from __future__ import annotations

import json
import threading

from ops_orchestrate.adapters.modelproxy.terms import Limits
from ops_orchestrate.core.modelusage import BYTES_A_TOKEN, ModelUsage, Tokens, tokens_in
from ops_orchestrate.core.price import Price, in_dollars, in_micros

BUSY = "Too many calls at once."
"""As many calls are under way as may be, or as the rest of a cap has room for; one may begin when another has ended."""
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
    """The sum of an attempt. Safe to share between threads.

    A cap holds against calls that begin together: what those under way may use (`may_use`) counts until they have
    ended. The first call of all, or the only one, begins whatever it may use, so a cap is passed by one call at most.
    """

    def __init__(self, limits: Limits, price: Price | None) -> None:
        self._limits = limits
        self._price = price
        self._lock = threading.Lock()
        self._tokens: dict[str, Tokens] = {}
        self._under_way: list[tuple[str, Tokens]] = []
        self._calls = self._refused = self._estimated = 0

    def begin(self, model: str, may_use: Tokens) -> str:
        """Whether another call may begin; else why not, or BUSY. After an empty answer, `end` must follow.

        `may_use`: what the call may come to.
        """
        with self._lock:
            problem = self._over(model) or self._busy()
            if not problem:
                self._calls += 1
                self._under_way.append((model, may_use))
            return problem

    def end(self, model: str, may_use: Tokens, tokens: Tokens | None, size: int = 0, *, cut: bool = False) -> None:
        """A call is over. `size`: bytes that went both ways, where the answer did not count and yet was one."""
        with self._lock:
            self._under_way.remove((model, may_use))
            if tokens is None and size:
                tokens, cut = Tokens(output=size // BYTES_A_TOKEN + 1), True
            self._estimated += cut and tokens is not None
            if tokens is not None:
                self._tokens = _with(self._tokens, model, tokens)

    def refuse(self) -> None:
        """A call went no further."""
        with self._lock:
            self._refused += 1

    def usage(self) -> ModelUsage:
        """What was used so far."""
        with self._lock:
            spent = self._micros(self._tokens)
            return ModelUsage(
                calls=self._calls,
                refused=self._refused,
                tokens=dict(self._tokens),
                usd=None if spent is None else in_dollars(spent),
                estimated=self._estimated,
            )

    def _micros(self, tokens: dict[str, Tokens]) -> int | None:
        costs = [self._price(model, used) if self._price else None for model, used in tokens.items()]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    def _over(self, model: str) -> str:
        if self._limits.tokens and _all(self._tokens) >= self._limits.tokens:
            return "The attempt has used all the tokens that it may."
        if not self._limits.usd:
            return ""
        spent = self._micros(_with(self._tokens, model, Tokens()))
        if spent is None:
            return (
                f"The price of the model {model} is not known, and a cap in dollars is set: name the price in a file "
                "(OPS_PRICES)."
            )
        return "The attempt has spent all the money that it may." if spent >= in_micros(self._limits.usd) else ""

    def _busy(self) -> str:
        """BUSY where those under way are too many, or may use up what is left."""
        if len(self._under_way) >= self._limits.at_once:
            return BUSY
        if not self._under_way:
            return ""
        then = self._tokens
        for model, may_use in self._under_way:
            then = _with(then, model, may_use)
        if self._limits.tokens and _all(then) >= self._limits.tokens:
            return BUSY
        return BUSY if self._limits.usd and (self._micros(then) or 0) >= in_micros(self._limits.usd) else ""


def _with(tokens: dict[str, Tokens], model: str, more: Tokens) -> dict[str, Tokens]:
    return tokens | {model: tokens.get(model, Tokens()).plus(more)}


def _all(tokens: dict[str, Tokens]) -> int:
    return sum(used.all for used in tokens.values())
