"""Looks at a deployed service over HTTP: is it healthy, and which commit does it run? Sends nothing.

The URLs are the owner's, from the registry. Redirects are not followed: a health page that moves is not healthy.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

import httpx

from ops_orchestrate.adapters.connections import connections, within
from ops_orchestrate.adapters.outward import DIRECT, Outward
from ops_orchestrate.core.change import HealthLook, Reach, ServedLook
from ops_orchestrate.core.names import one_line, short
from ops_orchestrate.errors import SourceUnavailable

#: Seconds for each part of an answer, and for all of it; tries of a connection that is refused (a deployment may be
#: restarting).
TIMEOUT: float | httpx.Timeout = 10.0
PATIENCE = 30.0
TRIES = 2
#: Bytes of an answer that are read: a version page is a line or two.
LIMIT = 1_000_000
#: Where a version page says it, as the plugin's services file has it.
_KEYS = ("commit", "sha", "gitSha")
_SHA = re.compile(r"[0-9a-f]{7,64}")
#: Nothing got out of this machine.
_OURS = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.EACCES})
#: It went out, and nobody said anything: a router's word counts for no more than silence.
_LOST = frozenset({errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ETIMEDOUT})


class HttpHealth:
    """Implements ports.Health with httpx, through the proxy of the settings where they name one."""

    def __init__(self, outward: Outward = DIRECT) -> None:
        self._outward = outward

    def look(self, url: str) -> HealthLook:
        """Whether the URL answers 200. Never raises: what can't be reached is not healthy, and says why."""
        answer = _get(url, self._outward)
        if isinstance(answer, _NoAnswer):
            return HealthLook(ok=False, detail=answer.detail, reach=answer.reach)
        detail = f"HTTP {answer.status_code}"
        return HealthLook(ok=answer.status_code == httpx.codes.OK, detail=detail, reach=_reach_of(answer.status_code))

    def served(self, url: str) -> ServedLook:
        """The commit that the URL's JSON names. Never raises: what names none says why."""
        answer = _get(url, self._outward)
        if isinstance(answer, _NoAnswer):
            return ServedLook(commit="", detail=answer.detail, reach=answer.reach)
        try:
            said = answer.json() if answer.status_code == httpx.codes.OK else None
        except ValueError:
            said = None
        values = [said[key] for key in _KEYS if key in said] if isinstance(said, dict) else []
        commit = next((one.lower() for one in values if isinstance(one, str) and _SHA.fullmatch(one.lower())), "")
        detail = f"it serves {short(commit)}" if commit else f"HTTP {answer.status_code} without a commit"
        return ServedLook(commit=commit, detail=detail, reach=_reach_of(answer.status_code))


class _NoAnswer(NamedTuple):
    """Why there is no answer, in words and by whose doing."""

    detail: str
    reach: Reach


def _get(url: str, outward: Outward) -> httpx.Response | _NoAnswer:
    """The answer, or why there is none."""
    try:
        with (
            httpx.Client(
                transport=connections(url, outward, retries=TRIES), timeout=TIMEOUT, trust_env=False
            ) as client,
            within(PATIENCE),
            client.stream("GET", url) as answer,
        ):
            return httpx.Response(answer.status_code, content=_start_of(answer))
    except (httpx.HTTPError, httpx.InvalidURL, SourceUnavailable, ValueError) as error:
        why = Reach.UNASKED if _at_the_proxy(url, outward, error) else _why(error)
        return _NoAnswer(f"no answer: {one_line(str(error), 200) or type(error).__name__}", why)


def _start_of(answer: httpx.Response) -> bytes:
    """As much of the body as anybody needs."""
    body = b""
    for piece in answer.iter_bytes():
        body += piece
        if len(body) >= LIMIT:
            break
    return body[:LIMIT]


def _at_the_proxy(url: str, outward: Outward, error: Exception) -> bool:
    """Whether it is the proxy that no connection came about to, or through: the service is not to blame for that."""
    if not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return False
    asked = httpx.URL(url)
    return asked.scheme == "https" and outward.relay_to(asked.host, asked.port or 443) is not None


def _reach_of(status: int) -> Reach:
    """A service that wants to be left alone is up, and says nothing of how it is."""
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Reach.UNASKED
    return Reach.DOWN if status >= httpx.codes.INTERNAL_SERVER_ERROR else Reach.ANSWERED


def _why(error: Exception) -> Reach:
    """Whose doing it is that there is no answer, as far as the error tells."""
    if not isinstance(error, httpx.TransportError) or isinstance(error, httpx.ProxyError | httpx.UnsupportedProtocol):
        return Reach.UNASKED
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return Reach.SILENT
    for one in _causes(error):
        if isinstance(one, socket.gaierror | ssl.SSLCertVerificationError):
            return Reach.UNASKED  # a name or a certificate that this machine cannot check
        number = one.errno if isinstance(one, OSError) else None
        if number in _OURS or number in _LOST:
            return Reach.UNASKED if number in _OURS else Reach.SILENT
    return Reach.DOWN


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and those behind it: httpx wraps what the operating system said."""
    seen: list[BaseException] = []
    while error not in seen and len(seen) < 10:
        yield error
        seen.append(error)
        error = error.__cause__ or error.__context__ or error
