"""Our side of the conversation with the provider: HTTPS by httpx, no redirects, and an end to it at any moment."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from ops_orchestrate.adapters.connections import proxy_of
from ops_orchestrate.adapters.modelproxy.terms import Limits, Upstream
from ops_orchestrate.adapters.outward import DIRECT, Outward


class Provider:
    """A client of one API for one attempt."""

    def __init__(self, upstream: Upstream, limits: Limits, outward: Outward = DIRECT) -> None:
        """Raises OSError where the certificates to believe cannot be read."""
        self._upstream = upstream
        self._lock = threading.Lock()
        self._streams: list[Any] = []
        self._closed = False
        self._client = httpx.Client(
            timeout=httpx.Timeout(limits.silence, connect=limits.connect),
            limits=httpx.Limits(max_connections=limits.at_once, max_keepalive_connections=limits.at_once),
            follow_redirects=False,
            trust_env=False,
            verify=outward.trust(),
            proxy=proxy_of(outward.relay_to(upstream.host, upstream.port)),
            headers={"accept-encoding": "identity", "user-agent": "ops-orchestrate"},
        )

    @contextmanager
    def call(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes, key: str
    ) -> Iterator[httpx.Response]:
        """Ask it; the answer's body is still to be read. Raises httpx.HTTPError."""
        if self._closed:
            raise httpx.ReadError("closed")
        upstream = self._upstream
        given = [(name, value) for name, value in headers if name != upstream.header]
        given += [("content-type", "application/json")] if body else []
        request = self._client.build_request(
            method,
            upstream.url.rstrip("/") + target,
            headers=[*given, (upstream.header, upstream.prefix + key)],
            content=body,
            extensions={"trace": self._trace},
        )
        answer = self._client.send(request, stream=True)
        try:
            yield answer
        finally:
            answer.close()

    def close(self) -> None:
        """End whatever is under way: a closed attempt must not go on costing."""
        with self._lock:
            self._closed = True
            streams = list(self._streams)
        for stream in streams:
            _shut(stream)
        with suppress(RuntimeError):  # a call that is ending just now has its connection still
            self._client.close()

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """httpx's own hook: remember every connection, to be able to end it while a thread waits on it."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):  # through a proxy, TLS is that one's event
            with self._lock:
                self._streams = [*filter(_is_open, self._streams), info["return_value"]]
                closed = self._closed
            if closed:
                _shut(info["return_value"])


def _is_open(stream: Any) -> bool:
    connection = stream.get_extra_info("socket")
    return connection is not None and connection.fileno() >= 0


def _shut(stream: Any) -> None:
    connection = stream.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
