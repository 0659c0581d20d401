"""The layers under the client: the identity is added last, so that no cache, exception or log ever sees it.

httpx.Client → [hishel: RFC 9111] → SignedTransport (token, limits) → outward
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from hishel import CacheOptions, SqliteStorage
from hishel.httpx import CacheTransport

from ops_orchestrate import __version__
from ops_orchestrate.adapters.github.address import Address, origin_of
from ops_orchestrate.adapters.github.auth import Identity

API_VERSION = "2022-11-28"
_LONGEST_BODY = 20_000_000
_CACHE_BYTES = 200_000_000
_KEEP_UNUSED = 14 * 86400.0
HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": API_VERSION,
    "User-Agent": f"ops-orchestrate/{__version__}",
}


class SignedTransport(httpx.BaseTransport):
    """Sends a copy of each request with our token on it, to the API's own origin and nowhere else."""

    def __init__(
        self,
        next_transport: httpx.BaseTransport,
        address: Address,
        identity: Identity,
        heard: Callable[[httpx.Response], None],
    ) -> None:
        self._next = next_transport
        self._origin = address.origin
        self._identity = identity
        self._heard = heard

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and let the limits hear the answer. Raises httpx.TransportError, SourceUnavailable."""
        if origin_of(str(request.url)) != self._origin:
            return self._next.handle_request(request)
        token = self._identity.token()
        signed = [*request.headers.raw, (b"Authorization", f"Bearer {token}".encode())]
        copy = httpx.Request(
            request.method, request.url, headers=signed, stream=request.stream, extensions=request.extensions
        )
        answer = self._next.handle_request(copy)
        self._heard(answer)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._next.close()


def cached(next_transport: httpx.BaseTransport, file: Path | None) -> httpx.BaseTransport:
    """Answers that are kept and asked after by their ETag; in `file`, or in memory where there is none."""
    if file is None:
        where: dict[str, Any] = {"connection": sqlite3.connect(":memory:", check_same_thread=False)}
    else:
        _prepare(file)
        where = {"database_path": file}
    storage = SqliteStorage(**where, default_tti=_KEEP_UNUSED, max_stream_size=_LONGEST_BODY, max_size=_CACHE_BYTES)
    return CacheTransport(next_transport, storage=storage, rfc=CacheOptions(shared=False))


def _prepare(file: Path) -> None:
    """A file for the owner only. One that is damaged is removed: the library would serve nothing from it for good."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if file.exists():
            with contextlib.closing(sqlite3.connect(file)) as opened:
                try:
                    opened.execute("PRAGMA schema_version").fetchone()
                except sqlite3.DatabaseError:
                    file.unlink()
        file.touch(mode=0o600)
        file.chmod(0o600)


def cache_key(url: str, token: str) -> str:
    """The key of an answer: two identities never see each other's, and the key gives no token away."""
    who = hashlib.sha256(token.encode()).hexdigest()
    return hashlib.sha256(f"{who} {url}".encode()).hexdigest()
