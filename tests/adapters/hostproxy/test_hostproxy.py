"""Tunnels to named hosts: whom they reach, for whom they are, and how much goes out."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.hostproxy import HostProxy
from ops_orchestrate.adapters.hostproxy import proxy as hostproxy
from ops_orchestrate.adapters.hostproxy.reach import connect, in_time, public_addresses
from ops_orchestrate.core.hosts import read_host
from tests.adapters.foreign import eventually
from tests.adapters.hostproxy.greetings import hello


@pytest.mark.parametrize(
    "found",
    [
        [],
        ["127.0.0.1"],
        ["151.101.0.223", "10.0.0.1"],
        ["::ffff:169.254.169.254"],
        ["fe80::1%eth0"],
        ["64:ff9b::7f00:1"],
    ],
)
def test_a_name_that_leads_home_is_not_followed(found: list[str]) -> None:
    with pytest.raises(OSError, match="not public"):
        public_addresses("rebound.example.org", 443, lambda *_: found)


def test_a_name_that_leads_out_is() -> None:
    assert public_addresses("pypi.org", 443, lambda *_: ["151.101.0.223"]) == ["151.101.0.223"]


def test_the_real_door_does_not_lead_to_this_machine() -> None:
    """By the resolver of the host: its own name is never public."""
    with pytest.raises(OSError, match="not public"):
        connect("localhost", 443)


def test_a_name_that_nobody_answers_for_is_not_waited_for() -> None:
    """The system's resolver may hang for minutes: whoever asked is told, and the next name is looked up."""
    go = threading.Event()

    def hangs(*_: object) -> list[str]:
        go.wait(60)
        return []

    try:
        with pytest.raises(TimeoutError):
            in_time("slow.example.org", 443, hangs, seconds=0.2)
        assert in_time("pypi.org", 443, lambda *_: ["151.101.0.223"]) == ["151.101.0.223"]
        for _ in range(15):
            with pytest.raises(TimeoutError):
                in_time("slow.example.org", 443, hangs, seconds=0.01)
        with pytest.raises(TimeoutError, match="too many"):
            in_time("pypi.org", 443, hangs, seconds=0.2)
    finally:
        go.set()
    assert eventually(lambda: in_time("pypi.org", 443, lambda *_: ["151.101.0.223"], seconds=1))


@pytest.mark.parametrize("error", [socket.gaierror(-2, "no such name"), UnicodeError("label too long")])
def test_a_name_that_cannot_be_looked_up(error: Exception) -> None:
    def fails(*_: object) -> list[str]:
        raise error

    with pytest.raises(OSError, match=r"no such name|label too long"):
        in_time("x", 443, fails)


class Host:
    """A host outside: what came in, and an answer to each piece."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.got = b""
        self.asked: list[tuple[str, int]] = []
        self.more: list[bytes] = []
        """What it says after its first answer, slowly."""
        threading.Thread(target=self._serve, daemon=True).start()

    def reach(self, host: str, port: int) -> socket.socket:
        """In place of the way out."""
        self.asked.append((host, port))
        if host == "gone.pypi.org":
            raise OSError("no such host")
        return socket.create_connection(self.server.getsockname())

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(65_536):
                    self.got += data
                    connection.sendall(b"heard %d" % len(data))
                    while self.more:
                        time.sleep(0.1)
                        connection.sendall(self.more.pop())


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.server.shutdown(socket.SHUT_RDWR)
    made.server.close()


@pytest.fixture
def proxy(host: Host) -> Iterator[HostProxy]:
    rules = [read_host("pypi.org"), read_host("*.pypi.org")]
    made = HostProxy(rules, folder=None, reach=host.reach, out_limit=100_000)
    yield made
    made.close()


def call(proxy: HostProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy._listener.port), timeout=10)


def tunnel(raw: socket.socket, target: str) -> bytes:
    raw.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    return raw.recv(1000)


def test_a_tunnel_to_a_named_host(proxy: HostProxy, host: Host) -> None:
    with call(proxy) as raw:
        assert tunnel(raw, "pypi.org:443").startswith(b"HTTP/1.1 200")
        greeting = hello("pypi.org")
        raw.sendall(greeting[:100])
        raw.sendall(greeting[100:])
        assert raw.recv(100).startswith(b"heard")
        raw.sendall(b"more")
        assert eventually(lambda: host.got == greeting + b"more")
    assert host.asked == [("pypi.org", 443)]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("evil.example:443", b"403"),
        ("pypi.org:80", b"403"),
        ("pypi.org.evil.example:443", b"403"),
        ("127.0.0.1:443", b"403"),
        ("[::1]:443", b"403"),
        ("pypi.org..:443", b"403"),
        ("pypi.org", b"405"),
        ("pypi.org:99999999", b"405"),
        ("gone.pypi.org:443", b"502"),
    ],
)
def test_whom_it_does_not_reach(proxy: HostProxy, host: Host, target: str, status: bytes) -> None:
    with call(proxy) as raw:
        assert tunnel(raw, target).split()[1] == status
    assert host.got == b""
    assert eventually(lambda: proxy.refused == 1)


def test_whom_was_asked_for_in_vain_is_remembered_by_name_and_not_without_end(proxy: HostProxy) -> None:
    asked = ["pypi.org:80", "127.0.0.1:443", "\x1b[2J.example:443", *(f"h{number}.example:443" for number in range(9))]
    for target in (*asked, *asked):
        with call(proxy) as raw:
            tunnel(raw, target)
    assert proxy.unlisted == ("pypi.org:80", "h0.example", "h1.example", "h2.example", "h3.example", "h4.example")


def test_only_connect(proxy: HostProxy, host: Host) -> None:
    with call(proxy) as raw:
        raw.sendall(b"GET http://pypi.org/simple/ HTTP/1.1\r\nHost: pypi.org\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 405")
    assert host.asked == []


@pytest.mark.parametrize(
    "first",
    [
        hello("evil.example"),
        hello(None),
        b"GET / HTTP/1.1\r\nHost: pypi.org\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"\x16\x03\x01\xff\xff\x02",
    ],
    ids=["another name", "no name", "HTTP", "SSH", "another message"],
)
def test_a_tunnel_is_for_tls_to_the_host_that_was_named(proxy: HostProxy, host: Host, first: bytes) -> None:
    with call(proxy) as raw:
        assert tunnel(raw, "pypi.org:443").startswith(b"HTTP/1.1 200")
        raw.sendall(first)
        with suppress(ConnectionResetError):
            assert raw.recv(100) == b""
    assert host.got == b""


@pytest.mark.parametrize("first", [b"CONNECT pypi.org:443 HTTP/1.1\r\nx: ", None], ids=["the question", "the greeting"])
def test_who_drips_does_not_stay(
    proxy: HostProxy, host: Host, monkeypatch: pytest.MonkeyPatch, first: bytes | None
) -> None:
    """A byte now and then is no reason to wait for the next one."""
    monkeypatch.setattr(hostproxy, "_PATIENCE", 0.4)
    with call(proxy) as raw:
        if first:
            raw.sendall(first)
        else:
            tunnel(raw, "pypi.org:443")
        with pytest.raises(OSError):
            for byte in hello("pypi.org")[:100] if first is None else b"x" * 100:
                raw.sendall(bytes([byte]))
                time.sleep(0.1)
    assert host.got == b""


def test_what_goes_out_is_capped_over_all_tunnels(proxy: HostProxy, host: Host) -> None:
    greeting = hello("pypi.org")
    for _ in range(4):
        with call(proxy) as raw:
            tunnel(raw, "pypi.org:443")
            try:
                raw.sendall(greeting + b"x" * 40_000)
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(1000):
                    pass
            except OSError:
                continue
    assert 0 < len(host.got) <= 100_000


def test_a_long_download_goes_on_and_a_dead_tunnel_ends(
    proxy: HostProxy, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostproxy, "_SILENCE", 0.5)
    host.more = [b"piece"] * 12
    with call(proxy) as raw:
        tunnel(raw, "pypi.org:443")
        raw.sendall(hello("pypi.org"))
        with suppress(ConnectionResetError):
            got = b""
            while data := raw.recv(1000):
                got += data
    assert got.count(b"piece") == 12


def test_closing_ends_the_tunnels(proxy: HostProxy, host: Host) -> None:
    with call(proxy) as raw:
        tunnel(raw, "pypi.org:443")
        raw.sendall(hello("pypi.org"))
        raw.recv(100)
        proxy.close()
        with suppress(ConnectionResetError):
            assert raw.recv(100) == b""


def test_programs_find_it_by_their_variables(proxy: HostProxy, tmp_path: Path) -> None:
    env: dict[str, Any] = proxy.env
    assert env["HTTPS_PROXY"] == env["https_proxy"] == f"http://127.0.0.1:{proxy._listener.port}"
    assert "127.0.0.1" in env["NO_PROXY"]
