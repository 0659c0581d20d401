"""Addresses of Redis Sentinel: `sentinel://user:password@one:26379,two:26379,three:26379/NAME`.

NAME is what the Sentinels call the primary; user and password are the servers'. `sentinels://` speaks TLS, with servers
and Sentinels. After a `?` may follow `db`, the Sentinels' own `sentinel_username` and `sentinel_password`, and with TLS
what `rediss://` takes (`ssl_ca_certs` …).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

SCHEMES = ("sentinel", "sentinels")
PORT = 26379

_OWN = ("db", "sentinel_username", "sentinel_password")
_TLS = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """What such an address says. It may hold passwords: never print it."""

    sentinels: tuple[tuple[str, int], ...]
    name: str
    database: int
    servers: dict[str, str]
    """`username` and `password` of the servers, as far as they are given."""
    own: dict[str, str]
    """The same of the Sentinels themselves."""
    tls: dict[str, str] | None
    """How TLS is spoken; None: it is not."""

    @property
    def celery_url(self) -> str:
        """The form that Celery and kombu read, one address a Sentinel; the rest of it is in their options."""
        user = quote(self.servers.get("username", ""), safe="")
        password = quote(self.servers.get("password", ""), safe="")
        who = f"{user}:{password}@" if self.servers else ""
        places = (f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.sentinels)
        return ";".join(f"sentinel://{who}{place}/{self.database}" for place in places)

    @property
    def celery_options(self) -> dict[str, Any]:
        """What kombu and Celery's results want of an address, in their transport options."""
        tls = {"ssl": True, **self.tls} if self.tls is not None else {}
        # Of a Sentinel that is silent the next one is asked.
        kept = {"socket_timeout": 3, "socket_connect_timeout": 3}
        return {"master_name": self.name, "sentinel_kwargs": {**kept, **self.own, **tls}}


def is_sentinel(url: str) -> bool:
    """Whether it is an address of Sentinels."""
    return url.partition("://")[0] in SCHEMES


def read_sentinel(url: str) -> SentinelAddress:
    """Read one. Raises ValueError with a sentence that holds nothing of the address."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError("it must begin with sentinel:// or sentinels://")
    query = dict(parse_qsl(parts.query))
    tls = parts.scheme == "sentinels"
    unknown = query.keys() - {*_OWN, *(_TLS if tls else ())}
    if unknown:
        raise ValueError(f"after its `?` may stand {', '.join((*_OWN, *_TLS))} (those of TLS with sentinels://)")
    who, _, places = parts.netloc.rpartition("@")
    name = unquote(parts.path.strip("/"))
    if not name or "/" in name or name.isdigit():
        raise ValueError(
            "its path must be what the Sentinels call the primary, for example /mymaster; a database is ?db=2"
        )
    user, _, password = who.partition(":")
    return SentinelAddress(
        sentinels=tuple(_place(place) for place in places.split(",")),
        name=name,
        database=_database(query.get("db", "0")),
        servers=_given(username=unquote(user), password=unquote(password)),
        own=_given(username=query.get("sentinel_username", ""), password=query.get("sentinel_password", "")),
        tls={"ssl_cert_reqs": "required", **{key: query[key] for key in _TLS if key in query}} if tls else None,
    )


def with_database(url: str, number: int) -> str:
    """The same address with another database."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), "db": str(number)}
    return urlunsplit(parts._replace(query=urlencode(query, safe="/:")))


def _place(text: str) -> tuple[str, int]:
    try:
        found = urlsplit(f"//{text}")
        host, port = found.hostname, found.port
    except ValueError:
        host, port = None, None
    if not host:
        raise ValueError("its Sentinels must be HOST:PORT, separated by commas, all behind one sentinel://")
    return host, port or PORT


def _database(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("its db must be a number")
    return int(text)


def _given(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
