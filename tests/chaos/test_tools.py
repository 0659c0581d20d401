"""The tools that faults are made of do what they are called: a bad line is bad, and good again afterwards."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.chaos.machine import Clocks
from tests.chaos.proxy import Proxy
from tests.chaos.worker import shifted


@pytest.fixture
def line() -> Iterator[Proxy]:
    """A proxy before a server that says again what it is told."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    one, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_echo, args=(one,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        proxy = Proxy(int(listener.getsockname()[1]))
        yield proxy
        proxy.close()
        listener.shutdown(socket.SHUT_RDWR)  # or `accept` would go on with whatever gets this socket's number next
        thread.join(30)


def _echo(one: socket.socket) -> None:
    with one, suppress(OSError):  # the line is cut in the middle of a word
        while data := one.recv(100):
            one.sendall(data)


def _caller(line: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", line.port), timeout=20)


def test_a_good_line_passes_everything_and_a_cut_one_ends(line: Proxy) -> None:
    with _caller(line) as caller:
        caller.sendall(b"hello")
        assert caller.recv(100) == b"hello"
        line.cut()
        assert caller.recv(100) == b""


def test_a_half_open_line_says_nothing_until_it_is_healed(line: Proxy) -> None:
    with _caller(line) as caller:
        caller.sendall(b"one")
        assert caller.recv(100) == b"one"
        line.silent = True
        caller.settimeout(0.3)
        with pytest.raises(TimeoutError):
            caller.sendall(b"two")
            caller.recv(100)
        line.heal()
        caller.settimeout(20)
        assert caller.recv(100) == b"two"


def test_a_line_that_is_shut_takes_nobody(line: Proxy) -> None:
    line.shut = True
    with _caller(line) as caller:
        assert caller.recv(100) == b""


def test_stamps_of_a_clock_that_jumped_are_put_in_order_again(tmp_path: Path) -> None:
    clocks = Clocks(tmp_path)
    clocks.jump("server", 1000)
    clocks.jump("server", 1000)
    assert [clocks.true(at, began=50.0) for at in (60.0, 1075.0, 2090.0)] == [60.0, 75.0, 90.0]
    assert (tmp_path / "clock-server").read_text() == "+2000s\n"


def test_a_workers_clock_is_wrong_by_what_its_file_says(tmp_path: Path) -> None:
    clocks = Clocks(tmp_path)
    now = shifted(lambda: 50.0, tmp_path / "clock-two")
    assert now() == 50.0
    clocks.jump("two", -30)
    assert shifted(lambda: 50.0, tmp_path / "clock-two")() == 20.0
