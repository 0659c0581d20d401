"""The broker's channel keeps one client, and says that a message is done when it says that it has the next one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis
from kombu import Connection
from kombu.simple import SimpleQueue
from redis.exceptions import NoPermissionError

from ops_orchestrate import broker
from ops_orchestrate.celery import SETTINGS

WAIT = 5.0
UNACKED = "ops:unacked"


@pytest.fixture
def server(server_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def connections(server: redis.Redis, server_url: str) -> Iterator[Any]:
    """Makes connections, each as a worker's own."""
    broker.install()
    address = server_url.replace("unix://", "redis+socket://")
    with ExitStack() as opened:

        def connect(**options: Any) -> Connection:
            made = Connection(address, transport_options={"global_keyprefix": "ops:", **options})
            return opened.enter_context(made)

        yield connect


@pytest.fixture
def channel(connections: Any) -> broker.Channel:
    made: broker.Channel = connections().default_channel
    return made


@pytest.fixture
def letters(channel: broker.Channel) -> SimpleQueue:
    """A queue that is read like a worker's, with three messages in it."""
    queue: SimpleQueue = channel.connection.client.SimpleQueue("letters")
    for number in range(3):
        queue.put({"n": number})
    return queue


def test_every_command_of_a_channel_goes_through_one_client(channel: broker.Channel) -> None:
    assert isinstance(channel, broker.Channel)
    with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
        assert first is second
        first.set("a", "1")
        assert second.global_keyprefix == "ops:"
    given = channel._create_client()
    with channel.conn_or_acquire(given) as one:
        assert one is given


def test_a_channel_that_lost_its_pool_makes_another_client(channel: broker.Channel) -> None:
    with channel.conn_or_acquire() as before:
        before.ping()
    channel._after_fork()
    with channel.conn_or_acquire() as after:
        assert after is not before
        assert after.connection_pool is channel.pool
        assert after.ping()


def test_messages_go_and_come(letters: SimpleQueue) -> None:
    assert [letters.get(timeout=WAIT).payload["n"] for _ in range(3)] == [0, 1, 2]


def test_a_message_is_the_servers_until_it_is_done(letters: SimpleQueue, server: redis.Redis) -> None:
    taken = letters.get(timeout=WAIT)
    assert server.hkeys(UNACKED) == [taken.delivery_tag.encode()]
    assert server.zrange("ops:unacked_index", 0, -1) == [taken.delivery_tag.encode()]


def test_a_message_is_noted_whole_or_not_at_all(letters: SimpleQueue, server: redis.Redis) -> None:
    server.execute_command("ACL SETUSER", "default", "-zadd")
    try:
        with pytest.raises(NoPermissionError):
            letters.get(timeout=WAIT)
    finally:
        server.execute_command("ACL SETUSER", "default", "+zadd")
    assert not server.hlen(UNACKED)


def test_that_a_message_is_done_is_said_with_the_next_one(letters: SimpleQueue, server: redis.Redis) -> None:
    first = letters.get(timeout=WAIT)
    first.ack()
    before = server.info("commandstats")["cmdstat_hset"]["calls"]
    second = letters.get(timeout=WAIT)
    assert server.hkeys(UNACKED) == [second.delivery_tag.encode()]
    assert server.zrange("ops:unacked_index", 0, -1) == [second.delivery_tag.encode()]
    assert server.info("commandstats")["cmdstat_hset"]["calls"] == before + 1


def test_it_is_said_when_no_other_message_comes(letters: SimpleQueue, server: redis.Redis) -> None:
    for _ in range(3):
        letters.get(timeout=WAIT).ack()
    assert server.hlen(UNACKED)
    with pytest.raises(letters.Empty):  # BRPOP waits for a second
        letters.get(timeout=1.5)
    assert not server.hlen(UNACKED)
    assert not server.zcard("ops:unacked_index")


def test_it_is_said_at_once_where_the_worker_is_full(
    letters: SimpleQueue, channel: broker.Channel, server: redis.Redis
) -> None:
    taken = letters.get(timeout=WAIT)
    channel.qos.can_consume = lambda: False  # as Celery does; an agent's is acknowledged before it begins
    taken.ack()
    assert not server.hlen(UNACKED)


def test_it_is_said_at_once_where_nothing_is_read_any_more(letters: SimpleQueue, server: redis.Redis) -> None:
    taken = letters.get(timeout=WAIT)
    letters.consumer.cancel()
    taken.ack()
    assert not server.hlen(UNACKED)


def test_what_is_not_done_at_the_end_goes_back_and_nothing_else(letters: SimpleQueue, server: redis.Redis) -> None:
    letters.get(timeout=WAIT).ack()
    letters.get(timeout=WAIT)
    letters.get(timeout=WAIT).ack()
    letters.channel.close()
    assert not server.hlen(UNACKED)
    assert server.llen("ops:letters") == 1
    assert letters.channel._pool is None, "no connection is left open"


def test_a_lost_connection_brings_nothing_back_that_is_done(
    letters: SimpleQueue, channel: broker.Channel, server: redis.Redis
) -> None:
    letters.get(timeout=WAIT).ack()
    kept = letters.get(timeout=WAIT)
    kept.ack()
    server.client_kill_filter(_type="normal", skipme=True)
    channel.close()
    assert server.llen("ops:letters") == 1
    assert not server.hlen(UNACKED)


def test_a_killed_workers_message_comes_back(letters: SimpleQueue, connections: Any, server: redis.Redis) -> None:
    taken = letters.get(timeout=WAIT)
    other = connections(visibility_timeout=0).default_channel
    other.qos.restore_visible(num=10)
    assert not server.hlen(UNACKED)
    assert server.llen("ops:letters") == 3
    again = other.connection.client.SimpleQueue("letters").get(timeout=WAIT)
    assert again.payload == taken.payload


def test_a_message_with_a_priority_is_read_in_its_turn(connections: Any, server: redis.Redis) -> None:
    queue = connections(**SETTINGS["broker_transport_options"]).SimpleQueue("letters")
    queue.put({"n": 0})
    queue.put({"n": 1}, priority=9)
    assert server.llen("ops:letters") == 2
    assert [queue.get(timeout=WAIT).payload["n"] for _ in range(2)] == [0, 1]
