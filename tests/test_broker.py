"""The broker's channel keeps one client, and lets go of it with its pool."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kombu import Connection

from ops_orchestrate import broker


@pytest.fixture
def channel(server_url: str) -> Iterator[broker.Channel]:
    broker.install()
    with Connection(
        server_url.replace("unix://", "redis+socket://"), transport_options={"global_keyprefix": "ops:"}
    ) as connection:
        yield connection.default_channel


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


def test_messages_go_and_come(channel: broker.Channel) -> None:
    queue = channel.connection.client.SimpleQueue("letters")
    queue.put({"n": 1})
    message = queue.get(timeout=5)
    message.ack()
    assert message.payload == {"n": 1}
    queue.close()
