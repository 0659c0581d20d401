"""Looks at a server before it is trusted with the ledger, and says what would hurt later. Changes nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, NamedTuple

from ops_orchestrate.ledger.server import CLUSTER, Server, client_for

#: The oldest server whose commands the scripts and Celery use.
OLDEST = (6, 2)


class Checked(NamedTuple):
    """What is wrong with a server, one sentence each with its remedy."""

    refused: list[str]
    """The ledger would not work there, would lose parts, or would be open to everybody."""
    shown: list[str]
    """What hurts only when something else goes wrong too."""


def check_server(url: str) -> list[str]:
    """Everything that is wrong with a server; nothing if it is fit. Raises what `examine_server` raises."""
    found = examine_server(url)
    return [*found.refused, *found.shown]


def examine_server(url: str) -> Checked:
    """What is wrong with a server, by its weight.

    Raises LedgerUnavailable if it does not answer, UsageError if the address cannot be read.
    """
    client = client_for(url)
    # Of the server as a whole: a cluster has no other database to ask, and is to be called one.
    client.connection_pool.connection_kwargs["db"] = 0
    server = Server(client)
    try:
        info = server.ask(server.client.info)
    finally:
        server.client.close()
    connection = server.client.connection_pool.connection_kwargs
    shown = _persistence(info)
    found = problems_of(info, connection, server.address)
    return Checked(refused=[problem for problem in found if problem not in shown], shown=shown)


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
    if connection.get("path") or connection.get("password") or _is_loopback(str(connection.get("host", ""))):
        return []
    return ["The server is reached over a network without a password. Set one (`requirepass` or an ACL user)."]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in {"", "localhost"}
