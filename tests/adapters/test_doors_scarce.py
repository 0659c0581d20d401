"""Doors where descriptors or threads run short for a moment: a connection is lost then, never the way out."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters import bridge
from ops_orchestrate.adapters.door import Listener


@pytest.fixture(params=["accept", "start"])
def short(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The first accept of a TCP port, or the first start of a connection's thread, fails, and is written down."""
    failed: list[str] = []
    accept, start = socket.socket.accept, threading.Thread.start

    def failing_accept(self: socket.socket) -> tuple[socket.socket, Any]:
        if request.param == "accept" and self.family == socket.AF_INET and not failed:
            failed.append("accept")
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return accept(self)

    def failing_start(self: Any) -> None:
        if request.param == "start" and self._args and not failed:
            failed.append("start")
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(socket.socket, "accept", failing_accept)
    monkeypatch.setattr(threading.Thread, "start", failing_start)
    yield failed


def echo(connection: socket.socket) -> None:
    while data := connection.recv(100):
        connection.sendall(data.upper())


def answered(port: int) -> bytes:
    """What an echo says; nothing where the connection is lost."""
    with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), 5) as one:
        one.sendall(b"a")
        return one.recv(9)
    return b""


def test_a_door_stays_open(short: list[str]) -> None:
    listener = Listener(echo, folder=None, port=1, most=1)
    try:
        answered(listener.port)
        assert [answered(listener.port) for _ in range(2)] == [b"A", b"A"]
    finally:
        listener.close()
    assert len(short) == 1


def test_a_bridge_stays_open(short: list[str], tmp_path: Path) -> None:
    listener = Listener(echo, folder=tmp_path, port=1)
    server = socket.create_server(("127.0.0.1", 0))
    room, path = threading.Semaphore(1), str(tmp_path / "1.sock")
    threading.Thread(target=lambda: bridge._accept(server, path, room), daemon=True).start()
    port = server.getsockname()[1]
    try:
        answered(port)
        assert [answered(port) for _ in range(2)] == [b"A", b"A"]
    finally:
        listener.close()
    assert len(short) == 1


def test_a_connection_that_cannot_go_on_gives_its_room_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    room = threading.Semaphore(0)
    near, other = socket.socketpair()
    monkeypatch.setattr(socket, "socket", none)
    with other:
        bridge._connect(near, "/no/such/socket", room)
        assert other.recv(9) == b""
    assert room.acquire(blocking=False)
