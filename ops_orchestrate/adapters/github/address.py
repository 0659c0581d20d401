"""Where GitHub is: its REST and GraphQL addresses, and the host that git talks to."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from ops_orchestrate.core.names import one_line
from ops_orchestrate.errors import UsageError

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PUBLIC_API = "api.github.com"
_USUAL_PORTS = {"https": 443, "http": 80}


class Address(NamedTuple):
    """The addresses of one GitHub."""

    rest: str
    """Without a slash at its end."""
    graphql: str
    origin: str
    """Scheme, host and port of the API: the only place that ever gets our token over HTTP."""
    git_origin: str
    """Scheme, host and port that git fetches from and pushes to over HTTP."""
    plain: bool
    """Unencrypted, which is only allowed on this machine."""


def read_address(url: str) -> Address:
    """The addresses behind `OPS_GITHUB_API_URL`.

    Raises UsageError: no URL, credentials in it, or plain HTTP to another machine.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise UsageError(
            f"OPS_GITHUB_API_URL: {one_line(url.rsplit('@', maxsplit=1)[-1], 100)!r} is not the URL of an API"
        )
    if parts.username or parts.password:
        raise UsageError("OPS_GITHUB_API_URL: a URL must not hold credentials; GITHUB_TOKEN is asked for by name")
    plain = parts.scheme == "http"
    if plain and host not in _LOOPBACK:
        raise UsageError("OPS_GITHUB_API_URL: a token is only sent over https, or over http on this machine")
    place = f"[{host}]" if ":" in host else host
    # Requests and remotes leave out the usual port: with it here, none of them would be to this origin.
    origin = f"{parts.scheme}://{place}" + (f":{port}" if port and port != _USUAL_PORTS[parts.scheme] else "")
    path = parts.path.rstrip("/")
    graphql = f"{origin}{path.removesuffix('/v3')}/graphql"
    git_origin = "https://github.com" if host == _PUBLIC_API else origin.replace("://api.", "://", 1)
    return Address(f"{origin}{path}", graphql, origin, git_origin, plain)


def origin_of(url: str) -> str:
    """Scheme, host and port of any URL, to be compared with `Address.origin`; "" where it is no URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"


def web_host(url: str) -> str:
    """The host of the pages that people link to, where `url` is `OPS_GITHUB_API_URL`. Raises UsageError."""
    return host_of(read_address(url))


def host_of(address: Address) -> str:
    """The host of the pages that people link to."""
    return urlsplit(address.git_origin).hostname or ""
