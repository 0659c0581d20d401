"""What a worker process says of itself on the board: at once when it changes, else as often as keeps it believed."""

from __future__ import annotations

import time
from collections.abc import Callable

from ops_orchestrate.core.board import Host
from ops_orchestrate.ledger.hosts import Hosts

#: It is believed for this long without being renewed, in seconds.
BELIEVED = 10.0

#: So two renewals may fail, and one be late. Each is a write that the server puts on its disk.
RENEWED = 3.0


class Announcement:
    """Of one process of a host."""

    def __init__(self, hosts: Hosts, process: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._hosts = hosts
        self._process = process
        self._clock = clock
        self._said: Host | None = None
        self._said_at = 0.0

    def say(self, host: Host) -> None:
        """Make sure that this is what is believed. Raises LedgerUnavailable; then nothing counts as said."""
        now = self._clock()
        if host == self._said and now - self._said_at < RENEWED:
            return
        self._said = None
        self._hosts.announce(host, process=self._process, ttl=BELIEVED)
        self._said, self._said_at = host, now

    def withdraw(self, name: str) -> None:
        """Take it back. Raises LedgerUnavailable."""
        self._hosts.withdraw(name, self._process)
