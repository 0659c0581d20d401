"""The agent's side of the conversation: strict HTTP/1.1 by h11, read from a socket that may be hostile."""

from __future__ import annotations

import json
import socket
import time
from typing import NamedTuple

import h11

from ops_orchestrate.adapters.door import receive

_HEAD = 65_536


class Ask(NamedTuple):
    """One request, read whole."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    """Names in lower case."""
    body: bytes


class Refusal(Exception):
    """What the agent is told instead of an answer of the provider."""

    def __init__(self, status: int, kind: str, words: str, *, retry_after: int = 0) -> None:
        super().__init__(words)
        self.status = status
        self.kind = kind
        self.words = words
        self.retry_after = retry_after


class Talk:
    """One connection, request after request."""

    def __init__(self, connection: socket.socket, *, limit: int, seconds: float) -> None:
        """`limit`: bytes of a request's body. `seconds`: how long a whole request, or a pause before it, may take."""
        self._connection = connection
        self._limit = limit
        self._seconds = seconds
        self._machine = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD)

    def hear(self) -> Ask | None:
        """The next request; None where the agent has gone. Raises Refusal for one that is too large or none at all."""
        deadline = time.monotonic() + self._seconds
        try:
            event = self._next(deadline)
            if not isinstance(event, h11.Request):
                return None
            body = self._body(deadline)
        except h11.RemoteProtocolError as error:
            raise Refusal(error.error_status_hint, "invalid_request_error", "That is no HTTP request.") from None
        target = event.target.decode("latin-1")
        path, _, query = target.partition("?")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
        return Ask(event.method.decode("latin-1"), path, query, headers, body)

    def begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Send the head of an answer."""
        self._send(h11.Response(status_code=status, headers=[(name.encode(), text.encode()) for name, text in headers]))

    def more(self, data: bytes) -> None:
        """Send a piece of its body, at once."""
        if data:
            self._send(h11.Data(data=data))

    def end(self) -> bool:
        """End the answer; whether another request may come."""
        self._send(h11.EndOfMessage())
        if self._machine.our_state is h11.MUST_CLOSE or self._machine.their_state is not h11.DONE:
            return False
        self._machine.start_next_cycle()
        return True

    def refuse(self, refusal: Refusal) -> bool:
        """Answer in the shape that Anthropic's and OpenAI's clients both read; whether another request may come."""
        if self._machine.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return False  # within an answer: all that can be done is to break it off
        error = {"type": refusal.kind, "message": f"ops-orchestrate: {refusal.words}"}
        body = json.dumps({"type": "error", "error": error}).encode()
        again = [("retry-after", str(refusal.retry_after))] if refusal.retry_after else []
        self.begin(refusal.status, [("content-type", "application/json"), ("content-length", str(len(body))), *again])
        self.more(body)
        return self.end()

    def _body(self, deadline: float) -> bytes:
        parts: list[bytes] = []
        size = 0
        if self._machine.they_are_waiting_for_100_continue:
            self._send(h11.InformationalResponse(status_code=100, headers=[]))
        while isinstance(event := self._next(deadline), h11.Data):
            size += len(event.data)
            if size > self._limit:
                raise Refusal(413, "request_too_large", "The request is too large.")
            parts.append(bytes(event.data))
        return b"".join(parts)

    def _next(self, deadline: float) -> object:
        while (event := self._machine.next_event()) is h11.NEED_DATA:
            self._machine.receive_data(receive(self._connection, deadline))
        return event

    def _send(self, event: h11.Event) -> None:
        data = self._machine.send(event)
        if data:
            self._connection.settimeout(self._seconds)
            self._connection.sendall(data)
