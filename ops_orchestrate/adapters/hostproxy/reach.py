"""A connection to a host by its name, never to a machine of our own network.

The name is resolved here, each of its addresses is looked at, and the connection is made to the address that was
looked at: a name that leads somewhere else the next time it is asked gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from ops_orchestrate.core.hosts import is_public

TIMEOUT = 15.0
"""Seconds for one address."""
_MOST = 6

Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """The host's addresses. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def public_addresses(host: str, port: int, look: Resolve = resolve) -> list[str]:
    """The addresses that it may be reached at. Raises OSError, also where one of them is not public."""
    found = look(host, port)
    if not found or not all(map(is_public, found)):  # one that is ours among them is no accident
        raise OSError("its name leads to an address that is not public")
    return found[:_MOST]


def connect(host: str, port: int) -> socket.socket:
    """A connection to one of its addresses. Raises OSError."""
    problem = OSError("it has no address")
    for address in public_addresses(host, port):
        try:
            return socket.create_connection((address, port), TIMEOUT)
        except OSError as error:
            problem = error
    raise problem
