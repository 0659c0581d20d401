"""Short locks by name, for work that one process at a time should do. They save work; they guard no effect."""

from __future__ import annotations

import re

from ops_orchestrate.ledger.keys import Keys
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server

#: What stands before the holder: since when, and for how many milliseconds (lua/prelude.lua).
_HOLDER = re.compile(r"^\d+\.\d+ \d+ ")


class Locks:
    """Locks that end by themselves: after their time, also by a clock that was set back in between."""

    def __init__(self, server: Server, scripts: Scripts, keys: Keys) -> None:
        self._server = server
        self._scripts = scripts
        self._keys = keys

    def acquire(self, name: str, holder: str, ttl: float) -> bool:
        """Take the lock for `ttl` seconds; the holder that has it may take it again."""
        return self._scripts.flag("lock_acquire", name, holder, milliseconds(ttl))

    def renew(self, name: str, holder: str, ttl: float) -> bool:
        """Keep it for another `ttl` seconds; False if it is lost."""
        return self._scripts.flag("lock_renew", name, holder, milliseconds(ttl))

    def holder(self, name: str) -> str:
        """Who has it now; empty where nobody does."""
        value = self._server.ask(lambda: self._server.client.get(self._keys("lock", name))) or ""
        return _HOLDER.sub("", value, count=1)

    def release(self, name: str, holder: str) -> None:
        """Give it back; nothing happens if another holder has it."""
        self._scripts("lock_release", name, holder)


def milliseconds(ttl: float) -> int:
    """As the server counts how long a lock lasts; one at least."""
    return max(1, round(ttl * 1000))
