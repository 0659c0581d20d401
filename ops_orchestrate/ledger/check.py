"""Looks at a server before it is trusted with the ledger, and says what would hurt later. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from ops_orchestrate.config import Urls, is_sentinel, read_sentinel
from ops_orchestrate.core.hosts import is_loopback
from ops_orchestrate.errors import LedgerUnavailable
from ops_orchestrate.ledger.primary import sentinels_of
from ops_orchestrate.ledger.server import CLUSTER, Server, client_for

#: The oldest server whose commands the scripts and Celery use.
OLDEST = (6, 2)


class Checked(NamedTuple):
    """What is wrong with a server, one sentence each with its remedy."""

    refused: list[str]
    """The ledger would not work there, would lose parts, or would be open to everybody."""
    shown: list[str]
    """What hurts only when something else goes wrong too."""


def examine_servers(urls: Urls, most_lag: float | None = None) -> Checked:
    """What is wrong with the ledger's server, and with those of broker and results where they are others.

    Of these it does not matter that they forget: what they lose is published again. RabbitMQ looks after itself.
    Raises what `examine_server` raises.
    """
    found = examine_server(urls.ledger, most_lag)
    seen = {_server_of(urls.ledger)}
    for what, url in (("broker", _readable(urls.broker)), ("results", _readable(urls.results))):
        if url and _server_of(url) not in seen:
            seen.add(_server_of(url))
            found.refused.extend(f"The server of the {what}: {said}" for said in examine_server(url, most_lag).refused)
    return found


def _readable(url: str) -> str:
    """The address of broker or results as redis-py reads it; empty where no such server is meant."""
    parts = urlsplit(url)
    if parts.scheme == "redis+socket":
        password = f":{parts.password}@" if parts.password else ""
        return f"unix://{password}{parts.path}?db={parse_qs(parts.query).get('virtual_host', ['0'])[0]}"
    return url if parts.scheme in ("redis", "rediss", "unix") or is_sentinel(url) else ""


def _server_of(url: str) -> object:
    """What tells one server from another, whichever of its databases is meant."""
    if is_sentinel(url):
        address = read_sentinel(url)
        return frozenset(address.sentinels), address.name
    parts = urlsplit(url)
    return (parts.path,) if parts.scheme == "unix" else (parts.hostname or "localhost", parts.port or 6379)


def check_server(url: str, most_lag: float | None = None) -> list[str]:
    """Everything that is wrong with a server; nothing if it is fit. Raises what `examine_server` raises."""
    found = examine_server(url, most_lag)
    return [*found.refused, *found.shown]


def examine_server(url: str, most_lag: float | None = None) -> Checked:
    """What is wrong with a server, by its weight.

    `most_lag`: for how many seconds a primary that nobody follows any more may go on, behind Sentinels; None: whatever.
    Raises LedgerUnavailable if it does not answer, UsageError if the address cannot be read.
    """
    client = client_for(url)
    # Of the server as a whole: a cluster has no other database to ask, and is to be called one.
    client.connection_pool.connection_kwargs["db"] = 0
    server = Server(client)
    try:
        info = server.ask(server.client.info)
        watched = _examine_sentinels(server, info, most_lag)
        flushed = _flushed(server)
    finally:
        server.close()
    connection = server.client.connection_pool.connection_kwargs
    if sentinels := sentinels_of(client):
        far = [host for host, _ in sentinels if not is_loopback(host)]
        connection = {**connection, "host": far[0] if far else "localhost"}
    unkept = _persistence(info)
    found = problems_of(info, connection, server.address)
    refused = [problem for problem in found if problem not in unkept]
    shown = unkept or flush_problems(flushed)
    return Checked(refused=[*refused, *watched.refused], shown=[*shown, *watched.shown])


def _flushed(server: Server) -> str:
    """When it writes its append-only file out; empty where that is not for this user to know."""
    with suppress(LedgerUnavailable):
        return str(server.ask(lambda: server.client.config_get("appendfsync")).get("appendfsync", ""))
    return ""


def flush_problems(flushed: str) -> list[str]:
    """What a power cut would take, by `appendfsync`."""
    lost = {"everysec": "the last second", "no": "the last half a minute"}.get(flushed)
    return [f"`appendfsync` is {flushed}: a power cut takes {lost} of the ledger. Set it to always."] if lost else []


def _examine_sentinels(server: Server, info: Mapping[str, Any], most_lag: float | None) -> Checked:
    if not sentinels_of(server.client):
        return Checked([], [])
    lag: float | None = None
    with suppress(LedgerUnavailable, KeyError):  # CONFIG is not for this user: what INFO says has to do
        lag = float(server.ask(lambda: server.client.config_get("min-replicas-max-lag"))["min-replicas-max-lag"])
    pool = server.client.connection_pool
    state = server.ask(pool.sentinel_manager.sentinels[0].sentinel_masters)[pool.service_name]
    return failover_problems(info, state, lag=lag, most_lag=most_lag)


def failover_problems(
    info: Mapping[str, Any], state: Mapping[str, Any], *, lag: float | None, most_lag: float | None
) -> Checked:
    """What would go wrong when a replica takes over: by INFO, and by what a Sentinel says of the primary.

    A primary that was cut off and does not know it would go on giving slots to the hosts on its side. It has to stop
    by itself (`min-replicas-to-write`), and early enough that its last agents are ended before their leases are.
    """
    refused, shown = [], []
    # INFO has this line only where both settings are there.
    good = info.get("min_slaves_good_slaves")
    if good is None:
        refused.append(
            "A primary that its replicas have left would go on beside its successor, and more than five agents could "
            "run. Set `min-replicas-to-write 1` on every server."
        )
    elif lag is not None and most_lag is not None and lag > most_lag:
        refused.append(
            f"`min-replicas-max-lag` is {lag:g}: a primary that was cut off would go on for too long beside its "
            f"successor. Set it to {int(most_lag)} or less on every server (a third of OPS_LEASE, less OPS_HEARTBEAT)."
        )
    if int(state.get("num-slaves", 0)) < 2:
        shown.append("There are fewer than two replicas: after a failover nothing can be written until one is back.")
    if int(state.get("num-other-sentinels", 0)) < 2:
        shown.append("There are fewer than three Sentinels: without one of them there may be no failover.")
    return Checked(refused, shown)


def problems_of(info: Mapping[str, Any], connection: Mapping[str, Any], address: str) -> list[str]:
    """The problems that a server's own words (INFO) and the way to it show."""
    return [*_version(info), *_mode(info), *_memory(info, address), *_persistence(info), *_exposure(connection)]


def _version(info: Mapping[str, Any]) -> list[str]:
    text = str(info.get("redis_version", "0.0"))
    if tuple(int(part) for part in text.split(".")[:2]) >= OLDEST:
        return []
    return [f"The server is version {text}; Redis 6.2 or Valkey 7.2 is the oldest that works."]


def _mode(info: Mapping[str, Any]) -> list[str]:
    clustered = str(info.get("redis_mode", "")) == "cluster" or int(info.get("cluster_enabled", 0)) == 1
    return [f"The server {CLUSTER}."] * clustered


def _memory(info: Mapping[str, Any], address: str) -> list[str]:
    policy, limit = str(info.get("maxmemory_policy", "")), int(info.get("maxmemory", 0))
    if limit > 0 and policy not in {"noeviction", ""}:
        said = f"`maxmemory-policy` is {policy}: the server at {address} would drop parts of the ledger"
        return [f"{said} under memory pressure. Set it to noeviction."]
    return []


def _persistence(info: Mapping[str, Any]) -> list[str]:
    if int(info.get("aof_enabled", 0)) == 1:
        return []
    return ["The append-only file is off: a restart loses the ledger. Set `appendonly yes`."]


def _exposure(connection: Mapping[str, Any]) -> list[str]:
    if connection.get("path") or connection.get("password") or is_loopback(str(connection.get("host", ""))):
        return []
    return ["The server is reached over a network without a password. Set one (`requirepass` or an ACL user)."]
