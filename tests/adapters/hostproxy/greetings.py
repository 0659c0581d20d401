"""What TLS clients say first: real greetings, and ones that no client sends."""

from __future__ import annotations

import ssl

import pytest


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
