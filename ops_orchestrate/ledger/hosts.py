"""Hosts: what their worker processes announce, for as long as they go on announcing it."""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate.core.board import Host
from ops_orchestrate.ledger.keys import Keys, member
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server


class Hosts:
    """The living machines."""

    def __init__(self, server: Server, scripts: Scripts, keys: Keys) -> None:
        self._server = server
        self._scripts = scripts
        self._keys = keys

    def announce(self, host: Host, *, process: str, ttl: float) -> None:
        """Say what one process of a host offers; forgotten after `ttl` seconds. The server's clock counts."""
        text = host.model_dump_json(exclude={"seen_at"}).removesuffix("}")
        self._scripts("host_announce", member(host.name, process), text, ttl)

    def withdraw(self, name: str, process: str) -> None:
        """A process ends: what it announced is forgotten at once."""
        field = member(name, process)
        keys = self._keys
        self._server.pipe(lambda pipe: [pipe.hdel(keys("hosts"), field), pipe.zrem(keys("hosts_until"), field)])

    def drain(self, name: str, *, undo: bool = False) -> None:
        """Ask a host to take no new jobs, for good; `undo`: to take some again."""
        client, key = self._server.client, self._keys("drained")
        self._server.ask(lambda: client.srem(key, name) if undo else client.sadd(key, name))

    def is_drained(self, name: str) -> bool:
        """Whether the host was asked to take no new jobs."""
        return bool(self._server.ask(lambda: self._server.client.sismember(self._keys("drained"), name)))

    def live(self) -> list[Host]:
        """The living hosts by name; the processes of one host add up."""
        return merged(self._scripts("hosts_live"))


def merged(announced: Sequence[str]) -> list[Host]:
    """One host for all the announcements of its processes."""
    found: dict[str, Host] = {}
    for one in sorted(map(Host.model_validate_json, announced), key=lambda host: host.seen_at):
        found[one.name] = _add(found[one.name], one) if one.name in found else one
    return [found[name] for name in sorted(found)]


def _add(older: Host, newer: Host) -> Host:
    pools = {pool: older.pools.get(pool, 0) + newer.pools.get(pool, 0) for pool in older.pools | newer.pools}
    return newer.model_copy(
        update={
            "pools": pools,
            "sandbox": newer.sandbox or older.sandbox,
            "version": newer.version or older.version,
            "machine": newer.machine or older.machine,
            "terms": tuple(sorted({*older.terms, *newer.terms})),
            "drained": newer.drained or older.drained,
            "skew": newer.skew or older.skew,
            "probed": newer.probed or older.probed,
            "memory_mb": max(newer.memory_mb, older.memory_mb),
            "checkouts": tuple(sorted({*older.checkouts, *newer.checkouts})),
            "agents": tuple(sorted({*older.agents, *newer.agents})),
        }
    )
