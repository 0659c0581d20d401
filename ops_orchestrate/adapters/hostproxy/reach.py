"""A connection to a host by its name, never to a machine of our own network.

The name is resolved here, each of its addresses is looked at, and the connection is made to the address that was
looked at: a name that leads somewhere else the next time it is asked gains nothing.
"""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from ops_orchestrate.core.hosts import is_public

TIMEOUT = 15.0
"""Seconds for one address."""
LOOKUP = 15.0
"""Seconds for a name."""
_MOST = 6
_LOOKUPS = threading.BoundedSemaphore(16)
"""Names that are looked up at once; where all of them hang, no further name is waited for."""

Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """The host's addresses. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def in_time(host: str, port: int, look: Resolve = resolve, seconds: float = LOOKUP) -> list[str]:
    """The host's addresses, or OSError within `seconds`: the system's own resolver knows no limit."""
    if not _LOOKUPS.acquire(timeout=seconds):
        raise TimeoutError(errno.ETIMEDOUT, "too many names are being looked up")
    answers: SimpleQueue[list[str] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(look(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError(str(error)))
        finally:
            _LOOKUPS.release()

    try:
        threading.Thread(target=ask, name="lookup", daemon=True).start()
    except RuntimeError:
        _LOOKUPS.release()
        raise OSError(errno.EAGAIN, "no thread is to be had for the moment") from None
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError(errno.ETIMEDOUT, "its name is not answered in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def public_addresses(host: str, port: int, look: Resolve = in_time) -> list[str]:
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
