"""HTTP connections of our own clients: the proxy and the certificates of the settings, and an end to every answer."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from ops_orchestrate.adapters.outward import DIRECT, Outward
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.relay import Relay
from ops_orchestrate.errors import SourceUnavailable

_deadline = threading.local()


def connections(url: str, outward: Outward = DIRECT, *, retries: int = 1) -> httpx.HTTPTransport:
    """Connections to the host of `url`; each obeys the deadline that its thread has set by `within`.

    `retries`: further tries of a connection that does not come about. Plain HTTP is for this machine only and is never
    handed to a proxy. Raises SourceUnavailable where the certificates to believe cannot be read.
    """
    parts = urlsplit(url)
    relay = outward.relay_to(parts.hostname or "", parts.port or 443) if parts.scheme == "https" else None
    try:
        transport = httpx.HTTPTransport(retries=retries, proxy=proxy_of(relay), verify=outward.trust())
    except OSError as error:
        raise SourceUnavailable(f"{one_line(str(error.filename), 200)} {error.strerror}") from None
    _bound(transport)
    return transport


def _bound(transport: httpx.HTTPTransport) -> None:
    """Let its connections obey the deadline. Raises RuntimeError where a version of httpx keeps them elsewhere.

    The pool of httpcore takes a backend by a public parameter, and httpx, which makes the pool, does not pass one on.
    Its other ways do not do: a timeout is one of each read, the extension `trace` tells of phases and not of reads (a
    header that drips is one phase), and a transport of our own over a pool of our own would be a copy of this class.
    So the backend of its pool is replaced before anything is asked, or nothing is asked at all.
    """
    pool: Any = getattr(transport, "_pool", None)
    if not isinstance(getattr(pool, "_network_backend", None), httpcore.NetworkBackend):
        raise RuntimeError(
            f"httpx {httpx.__version__} keeps its connections elsewhere: no answer of it would have an end"
        )
    pool._network_backend = _Backend()


def proxy_of(relay: Relay | None) -> httpx.Proxy | None:
    """A proxy as httpx takes it."""
    if relay is None:
        return None
    host = f"[{relay.host}]" if ":" in relay.host else relay.host
    auth = (relay.user, relay.password) if relay.user or relay.password else None
    return httpx.Proxy(f"http://{host}:{relay.port}", auth=auth)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What this thread asks inside the block has this long in all, from the connection to the last byte.

    A time limit of httpx is one of each read: who sends a byte a second would hold us for ever. What is not over in
    time raises httpx.TimeoutException.
    """
    before, _deadline.at = getattr(_deadline, "at", None), time.monotonic() + seconds
    try:
        yield
    finally:
        _deadline.at = before


def _left(timeout: float | None, kind: type[httpcore.TimeoutException]) -> float | None:
    at: float | None = getattr(_deadline, "at", None)
    if at is None:
        return timeout
    left = at - time.monotonic()
    if left <= 0:
        raise kind("the answer took too long")
    return left if timeout is None else min(timeout, left)


class _Backend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._real.connect_tcp(host, port, left, local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        self._real.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, real: httpcore.NetworkStream) -> None:
        self._real = real

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._real.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._real.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._real.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._real.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._real.get_extra_info(info)
