"""The first thing a TLS client says: whom it wants to talk to.

A tunnel is opened to a host by its name; that the client then asks the same machine for another one's certificate
("domain fronting") is how it would get past the list.
"""

from __future__ import annotations

LIMIT = 65_536
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME = 22, 1, 0


class _Reader:
    """Bytes, taken from the front. Raises ValueError where there are too few of them."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, size: int) -> bytes:
        if len(self._data) < size:
            raise ValueError("cut off")
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def block(self, size: int) -> _Reader:
        """What follows a length of `size` bytes."""
        return _Reader(self.take(self.number(size)))

    def rest(self) -> bytes:
        return self.take(len(self._data))

    def __bool__(self) -> bool:
        return bool(self._data)


def server_name(data: bytes) -> str | None:
    """The name in a ClientHello that begins `data`; "" where it has none; None while more of it has to come.

    Raises ValueError for what is no ClientHello.
    """
    message = _message(data)
    if message is None:
        return None
    hello = _Reader(message)
    hello.take(2 + 32)
    for size in (1, 2, 1):  # session, cipher suites, compression
        hello.block(size)
    if not hello:
        return ""
    extensions = hello.block(2)
    while extensions:
        kind, content = extensions.number(2), extensions.block(2)
        if kind == _SERVER_NAME:
            names = content.block(2)
            if names.number(1) != 0:
                raise ValueError("a name of another kind")
            return names.block(2).rest().decode("ascii").lower()
    return ""


def _message(data: bytes) -> bytes | None:
    """The ClientHello, put together from its records; None while it is not whole."""
    parts, rest = b"", data
    while True:
        if rest and rest[0] != _HANDSHAKE:
            raise ValueError("no TLS handshake")
        if len(rest) < 5:
            break
        size = int.from_bytes(rest[3:5], "big")
        parts += rest[5 : 5 + size]
        if len(rest) < 5 + size:
            break
        rest = rest[5 + size :]
        if _whole(parts):
            break  # what follows is no part of it
    if parts and parts[0] != _CLIENT_HELLO:
        raise ValueError("no ClientHello")
    return parts[4 : 4 + int.from_bytes(parts[1:4], "big")] if _whole(parts) else None


def _whole(parts: bytes) -> bool:
    return len(parts) >= 4 and len(parts) >= 4 + int.from_bytes(parts[1:4], "big")
