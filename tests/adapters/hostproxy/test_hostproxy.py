"""Tunnels to named hosts: whom they reach, for whom they are, and how much goes out."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.adapters.hostproxy import HostProxy
from ops_orchestrate.adapters.hostproxy import proxy as hostproxy
from ops_orchestrate.adapters.hostproxy.hello import server_name
from ops_orchestrate.adapters.hostproxy.reach import connect, public_addresses
from ops_orchestrate.core.hosts import read_host
from tests.adapters.foreign import eventually


def hello(name: str | None) -> bytes:
    """What a real TLS client says first."""
    context = ssl.create_default_context()
    context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def split_records(data: bytes, size: int) -> bytes:
    """The same handshake message in records of `size` bytes."""
    parts = [data[5:][at : at + size] for at in range(0, len(data) - 5, size)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)


def extended(data: bytes, *extensions: tuple[int, bytes]) -> bytes:
    """The greeting in one record, with these extensions at its end."""
    more = b"".join(kind.to_bytes(2, "big") + len(what).to_bytes(2, "big") + what for kind, what in extensions)
    body = bytearray(data[9:])
    at = 34
    for size in (1, 2, 1):
        at += size + int.from_bytes(body[at : at + size], "big")
    body[at : at + 2] = (int.from_bytes(body[at : at + 2], "big") + len(more)).to_bytes(2, "big")
    message = b"\x01" + (len(body) + len(more)).to_bytes(3, "big") + body + more
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


def names(*given: bytes) -> bytes:
    """What a server_name extension holds."""
    listed = b"".join(b"\0" + len(name).to_bytes(2, "big") + name for name in given)
    return len(listed).to_bytes(2, "big") + listed


def test_the_name_in_a_greeting() -> None:
    assert server_name(hello("pypi.org")) == "pypi.org"
    assert server_name(hello(None)) == ""
    assert server_name(split_records(hello("pypi.org"), 50)) == "pypi.org"


def test_a_greeting_with_one_more_extension_is_read_as_before() -> None:
    assert server_name(extended(hello("pypi.org"), (0x1234, b"x"))) == "pypi.org"
    assert server_name(extended(hello(None), (0, names(b"pypi.org")))) == "pypi.org"


@pytest.mark.parametrize(
    "greeting",
    [
        extended(hello("pypi.org"), (0xFE0D, b"\0" * 40)),
        extended(hello("pypi.org"), (0, names(b"evil.example"))),
        extended(hello(None), (0, names(b"pypi.org", b"evil.example"))),
        b"\x16\x03\x01\0\0" + hello("pypi.org"),
    ],
    ids=["hidden (ECH)", "the extension twice", "two names", "an empty record"],
)
def test_a_greeting_for_more_than_one_host_is_none(greeting: bytes) -> None:
    with pytest.raises(ValueError, match=r"another greeting|more than one|empty piece"):
        server_name(greeting)


@given(st.integers(0, 600))
def test_a_greeting_that_is_not_whole_has_no_name_yet(cut: int) -> None:
    whole = hello("files.pythonhosted.org")
    assert server_name(whole[:cut]) == (None if cut < len(whole) else "files.pythonhosted.org")


@given(st.binary(max_size=200))
def test_anything_else_is_no_greeting_or_not_whole(data: bytes) -> None:
    for noise in (data, b"\x16\x03\x01" + data, b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c" + data):
        try:
            found = server_name(noise)
        except ValueError:
            continue
        assert found is None or found == "" or found.isascii()


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
