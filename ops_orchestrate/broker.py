"""kombu's Redis transport, with one client a channel.

kombu makes a client for every single command, some thirty of a task, and each begins by copying redis-py's table of
answers. The connections are the pool's either way, so a client that stays is the same, for threads as well. Behind a
Sentinel kombu's own channel is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as transport


class Channel(transport.Channel):
    """Keeps its client for as long as it keeps its pool."""

    _kept: Any = None

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """The client that is given, or the channel's."""
        yield client or self._lasting()

    def _lasting(self) -> Any:
        kept, pool = self._kept, self.pool
        if kept is None or kept.connection_pool is not pool:  # after a fork, or a lost connection
            create: Any = self._create_client  # kombu types little
            kept = self._kept = create()
        return kept


class Transport(transport.Transport):
    """The transport behind `redis://` and `rediss://`."""

    Channel = Channel


def install() -> None:
    """Let kombu find it by these schemes, in this process."""
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:{Transport.__name__}"))
