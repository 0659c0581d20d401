"""kombu's Redis transport, with one client a channel and one write less a message.

kombu makes a client for every single command, some thirty of a task, and each begins by copying redis-py's table of
answers. The connections are the pool's either way, so a client that stays is the same, for threads as well.

It writes three times a message, and the server answers when that is on its disk: that it was published, that somebody
has it, that it is done. Here the last goes with the second of the next message. Behind a Sentinel kombu's own channel
is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty
from time import time
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.transport import redis as transport
from kombu.utils.json import dumps
from redis import RedisError, ResponseError

_dumps: Any = dumps  # kombu types little
_Plain: Any = virtual.QoS

Command = tuple[str | float, ...]


class QoS(transport.QoS):
    """What this channel has taken and not done with, as kombu keeps it on the server.

    What is acknowledged is forgotten here at once, so nothing brings it back if the connection is lost. The server
    hears of it with the next message, or when none has come within BRPOP's second. A worker that is killed meanwhile
    has its message delivered once more, as if it had been killed at the end of the job.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        base: Any = super()
        base.__init__(*args, **kwargs)
        self._done: set[str] = set()
        prefix = self.channel.global_keyprefix
        self._hash, self._index = prefix + self.unacked_key, prefix + self.unacked_index_key

    def append(self, message: Any, delivery_tag: str) -> None:
        """Note on the server who has it, before it is handed on."""
        info = message.delivery_info
        entry = _dumps([message._raw, info["exchange"], info["routing_key"]])
        # By the index a lost message is found: it must lead to one.
        note = ("HSET", self._hash, delivery_tag, entry), ("ZADD", self._index, time(), delivery_tag)
        self._write(self.channel.answered, *note)
        _Plain.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """Written at once only where no message may come that could take it along."""
        self._done.add(delivery_tag)
        _Plain.ack(self, delivery_tag)
        if not (self.channel.active_queues and self._may_read()):
            self.settle()

    def settle(self, connection: Any = None) -> None:
        """Tell the server what is done, on a connection of the pool's unless one is given."""
        if self._done:
            self._write(connection)

    def restore_unacked_once(self, stderr: Any = None) -> None:
        """At its end, what is done goes before what is given back."""
        with suppress(RedisError, OSError):  # else it is delivered once more when its time is over
            self.settle()
        base: Any = super()
        base.restore_unacked_once(stderr)

    def _may_read(self) -> bool:
        ask: Any = self.can_consume
        return bool(ask())

    def _write(self, connection: Any, *more: Command) -> None:
        done = tuple(self._done)
        told: tuple[Command, ...] = (("ZREM", self._index, *done), ("HDEL", self._hash, *done)) if done else ()
        self.channel.send(connection, *told, *more)
        self._done.difference_update(done)


class Channel(transport.Channel):
    """Keeps its client for as long as it keeps its pool."""

    QoS = QoS

    answered: Any = None
    """The connection on which BRPOP has answered, for as long as its message is taken: nothing else uses it."""

    _kept: Any = None

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """The client that is given, or the channel's."""
        yield client or self._lasting()

    def _lasting(self) -> Any:
        kept, pool = self._kept, self.pool
        if kept is None or kept.connection_pool is not pool:  # after a fork, or a lost connection
            create: Any = self._create_client
            kept = self._kept = create()
        return kept

    def send(self, connection: Any, *commands: Command) -> None:
        """Make these calls, all or none, in one round trip, on a connection of the pool's unless one is given."""
        if connection is not None:
            _ask(connection, commands)
            return
        pool = self.pool
        taken = pool.get_connection()
        try:
            _ask(taken, commands)
        finally:
            pool.release(taken)

    def close(self) -> None:
        """As kombu's, which makes another pool when it gives messages back after the end of its own."""
        base: Any = super()
        base.close()
        base._disconnect_pools()

    def _brpop_read(self, **options: Any) -> Any:
        base: Any = super()
        self.answered = self.client.connection  # whoever gets to see it, sees it after the answer
        try:
            return base._brpop_read(**options)
        except Empty:
            self.qos.settle(self.answered)
            raise
        finally:
            self.answered = None


def _ask(connection: Any, commands: Sequence[Command]) -> None:
    """Raises what the server says, when all of it is read; what is half said is not gone on with."""
    whole = (("MULTI",), *commands, ("EXEC",))  # the connection may be lost between two
    try:
        connection.send_packed_command(connection.pack_commands(whole))
        *queued, done = [_answer(connection) for _ in whole]
    except BaseException:
        connection.disconnect()
        raise
    for answer in (*queued, *(done if isinstance(done, list) else [done])):
        if isinstance(answer, ResponseError):
            raise answer


def _answer(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


class Transport(transport.Transport):
    """The transport behind `redis://` and `rediss://`."""

    Channel = Channel


def install() -> None:
    """Let kombu find it by these schemes, in this process."""
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:{Transport.__name__}"))
