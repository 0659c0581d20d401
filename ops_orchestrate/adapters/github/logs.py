"""Logs, which GitHub keeps on another host: it gets no token, and its signed address is in no message."""

from __future__ import annotations

import httpx

from ops_orchestrate.adapters.github.trouble import Transient

_LOG_BYTES = 50_000_000
_END = 200_000


def end_of_log(client: httpx.Client, url: str) -> tuple[int, bytes]:
    """Status and the end of a log, or of its first `_LOG_BYTES`. Raises Transient."""
    kept, seen = bytearray(), 0
    try:
        with client.stream("GET", url) as answer:
            for chunk in answer.iter_bytes():
                kept += chunk
                seen += len(chunk)
                del kept[:-_END]
                if seen > _LOG_BYTES:
                    break
            return answer.status_code, bytes(kept)
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
        problem = type(error).__name__
    raise Transient(f"GitHub's log store did not answer: {problem}")
