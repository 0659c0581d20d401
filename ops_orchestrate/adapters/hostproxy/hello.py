"""The first thing a TLS client says: whom it wants to talk to.

A tunnel is opened to a host by its name; that the client then asks the same machine for another one's certificate
("domain fronting") is how it would get past the list. A greeting that hides another one in itself (ECH) asks for a
host that nobody can read, so none goes through; what package managers are built with sends none.
"""

from __future__ import annotations

LIMIT = 65_536
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME = 22, 1, 0
_HIDDEN = 0xFE0D
"""encrypted_client_hello"""


class _Reader:
    """Bytes, taken from the front. Raises ValueError where there are too few of them."""

    def __init__(self, data: memoryview) -> None:
        self._data = data

    def take(self, size: int) -> memoryview:
        if len(self._data) < size:
            raise ValueError("cut off")
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def block(self, size: int) -> _Reader:
        """What follows a length of `size` bytes."""
        return _Reader(self.take(self.number(size)))

    def rest(self) -> memoryview:
        return self.take(len(self._data))

    def __bool__(self) -> bool:
        return bool(self._data)


def server_name(data: bytes) -> str | None:
    """The name in a ClientHello that begins `data`; "" where it has none; None while more of it has to come.

    Raises ValueError for what is no ClientHello, and for one that names more than one host or hides one.
    """
    message = _message(data)
    if message is None:
        return None
    hello = _Reader(memoryview(message))
    hello.take(2 + 32)
    for size in (1, 2, 1):  # session, cipher suites, compression
        hello.block(size)
    found: dict[int, _Reader] = {}
    extensions = hello.block(2) if hello else hello
    while extensions:
        kind = extensions.number(2)
        if kind in found or kind == _HIDDEN:
            raise ValueError("an extension twice, or another greeting in this one")
        found[kind] = extensions.block(2)
    return _only_name(found[_SERVER_NAME]) if _SERVER_NAME in found else ""


def _only_name(content: _Reader) -> str:
    names = content.block(2)
    kind, name = names.number(1), names.block(2)
    if kind != 0 or names:
        raise ValueError("a name of another kind, or more than one")
    return bytes(name.rest()).decode("ascii").lower()


def _message(data: bytes) -> bytes | None:
    """The ClientHello, put together from its records; None while it is not whole."""
    parts, at = bytearray(), 0
    while at < len(data) and not _whole(parts):  # what follows a whole one is no part of it
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        if data[at] != _HANDSHAKE or (not size and len(data) - at >= 5):
            raise ValueError("no TLS handshake, or an empty piece of one")
        parts += data[at + 5 : at + 5 + size]
        at += 5 + size
    if parts and parts[0] != _CLIENT_HELLO:
        raise ValueError("no ClientHello")
    return bytes(parts[4 : 4 + int.from_bytes(parts[1:4], "big")]) if _whole(parts) else None


def _whole(parts: bytearray) -> bool:
    return len(parts) >= 4 and len(parts) >= 4 + int.from_bytes(parts[1:4], "big")
