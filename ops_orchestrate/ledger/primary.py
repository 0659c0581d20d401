"""A client of the primary that Redis Sentinel names."""

from __future__ import annotations

from typing import Any

import redis
from redis._parsers import BaseParser
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelManagedConnection

from ops_orchestrate.config import read_sentinel

# A primary that its replicas have left refuses every write. To the library that is some error, which ends a Celery
# worker for good; it is a lost connection: whoever connects again asks the Sentinels who has taken over.
BaseParser.EXCEPTION_CLASSES["NOREPLICAS"] = redis.ConnectionError

#: Of a Sentinel that is silent for so long, the next one is asked.
_PATIENCE = 3.0


class _Led(SentinelManagedConnection):
    """Asks the Sentinels whenever it connects.

    The library's own does so for the first time only: a command that is repeated goes back to the address that it
    knows, and hangs there for minutes while that machine is frozen (redis-py issue 3874).
    """

    def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:
        """Connect, if there is no connection; `retry_socket_connect`: nobody has asked the Sentinels yet."""
        if retry_socket_connect and not self._sock:
            self.connect()  # type: ignore[no-untyped-call]  # its package types little of this
        else:
            super().connect_check_health(check_health=check_health, retry_socket_connect=retry_socket_connect)


class _LedOverTls(_Led, redis.SSLConnection):
    """The same over TLS."""


def primary(url: str, options: dict[str, Any]) -> Any:
    """A client of whichever server the Sentinels call the primary when it connects.

    `options` are the client's. Raises ValueError if the address cannot be read.
    """
    address = read_sentinel(url)
    tls: dict[str, Any] = address.tls or {}
    over = {"ssl": True, **tls} if address.tls is not None else {}
    own = {"socket_timeout": _PATIENCE, "socket_connect_timeout": _PATIENCE, "retry": Retry(NoBackoff(), 0)}
    made: Any = Sentinel  # untyped, too
    sentinels = made(list(address.sentinels), sentinel_kwargs={**own, **over, **address.own})
    kind = _Led if address.tls is None else _LedOverTls
    return sentinels.master_for(
        address.name, redis.Redis, connection_class=kind, db=address.database, **address.servers, **tls, **options
    )


def sentinels_of(client: Any) -> list[tuple[str, int]]:
    """Host and port of the Sentinels that the client asks; none where it knows its server itself."""
    manager = getattr(client.connection_pool, "sentinel_manager", None)
    places = [one.connection_pool.connection_kwargs for one in manager.sentinels] if manager else []
    return sorted((place["host"], place["port"]) for place in places)


def close(client: Any) -> None:
    """Give the connections back, those to the Sentinels as well."""
    client.close()
    if manager := getattr(client.connection_pool, "sentinel_manager", None):
        manager.close()
