"""The nursery of an embedded stack: a process that has imported what every pool needs, and forks the workers.

It runs what the keeper asks for (forked.py is the keeper's end). It holds no pool's secret: its own environment has
only what every worker may see, and what a worker is told comes in a file that nobody but the fork reads. Its forks
share the memory of what was imported, and start without importing it again.

Standard library only, so that it knows nothing of those whom it forks. It refuses to fork once it has a second thread:
a lock that another thread holds would stay held in the fork for ever.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import json
import os
import select
import socket
import threading
from contextlib import suppress

from ops_orchestrate.adapters.lifeline import LIFELINE

NURSERY = "OPS_NURSERY_FD"
"""The environment variable with the number of the nursery's end of the channel."""
READY, BORN, ENDED, REFUSED = "ready", "born", "ended", "refused"
"""The first words of what it says: `ready`, `born PID`, `ended PID CODE` (negative: a signal), `refused WHY`."""
_LONGEST_NAME = 100
_SET_NAME = 15  # prctl's number


class _Born(Exception):
    """How a fork leaves the loop of its parent, with its name."""


def serve(channel: socket.socket) -> str:
    """Fork whoever the keeper asks for; return in each fork with its name, and in the nursery, once the keeper has
    gone, with nothing.

    In a fork everything is as a new process has it: a session of its own, its own environment and output, no channel.
    Raises OSError where the kernel cannot tell when a process has ended.
    """
    children: dict[int, int] = {}
    os.close(os.pidfd_open(os.getpid()))
    gc.freeze()  # the collector of a fork leaves alone what is shared: to look at it would copy it
    try:
        with channel:
            channel.send(READY.encode())
            while _step(channel, children):
                pass
    except _Born as born:
        for fd in children:
            os.close(fd)
        return str(born)
    return ""


def _step(channel: socket.socket, children: dict[int, int]) -> bool:
    """One request or the end of some forks; False once nobody asks any more. `children`: pidfd to pid."""
    ready = select.select([channel.fileno(), *children], [], [])[0]
    for fd in [one for one in ready if one in children]:
        pid = children.pop(fd)
        os.close(fd)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        channel.send(f"{ENDED} {pid} {code}".encode())
    return channel.fileno() not in ready or _hear(channel, children)


def _hear(channel: socket.socket, children: dict[int, int]) -> bool:
    asked, given, _, _ = socket.recv_fds(channel, _LONGEST_NAME, 3)
    if not asked:
        return False
    try:
        answer = _fork(asked.decode(), given, children)
    except OSError as error:
        answer = f"{REFUSED} {errno.errorcode.get(error.errno or 0, 'EIO')}"
    finally:
        for fd in given:
            with suppress(OSError):
                os.close(fd)
    channel.send(answer.encode())
    return True


def _fork(name: str, given: list[int], children: dict[int, int]) -> str:
    """`given`: where its environment is to be read, its log, its lifeline."""
    if threading.active_count() > 1 or len(given) != 3:
        return f"{REFUSED} threads"
    pid = os.fork()
    if pid == 0:
        begun = False
        try:
            _begin(name, *given)
            begun = True
        finally:
            if not begun:  # never as a second nursery on the channel of the first
                os._exit(os.EX_SOFTWARE)
        raise _Born(name)
    children[os.pidfd_open(pid)] = pid
    return f"{BORN} {pid}"


def _begin(name: str, told: int, log: int, lifeline: int) -> None:
    """In the fork: become a process of its own. Only here is what it is told read."""
    os.setsid()
    with os.fdopen(os.open(os.devnull, os.O_RDONLY), "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    for output in (1, 2):
        os.dup2(log, output)
    os.environ.clear()
    with os.fdopen(os.dup(told), "rb") as file:
        os.environ.update(json.loads(file.read()))
    ours = os.dup(lifeline)
    os.set_inheritable(ours, True)
    os.environ[LIFELINE] = str(ours)
    with suppress(AttributeError, OSError):  # what `ps` shows; the command line stays the nursery's
        ctypes.CDLL(None).prctl(_SET_NAME, f"ops-{name}"[:15].encode(), 0, 0, 0)
