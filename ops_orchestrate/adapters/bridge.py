"""Inside the sandbox: gives a program that speaks only TCP its way to the sockets that were put into its room.

Started as a script of its own in front of the program (`python -I -S bridge.py 4141=/run/ops/4141 -- program …`). It
listens on loopback of the sandbox's own network, where nothing else is, leaves a small process behind that passes
bytes to and from the Unix sockets, and becomes the program: same process, same signals, same exit code. It holds
nothing that the program does not hold, and ends with the sandbox.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress

MOST = 128
"""Connections at once; more of them wait."""
_PIECE = 65_536
_REST = 0.1


def main(words: list[str]) -> None:
    """Listen, leave the forwarder behind, become the program. Exit code 127 or 126 where there is none."""
    at = words.index("--")
    doors, command = words[:at], words[at + 1 :]
    listening = [(socket.create_server(("127.0.0.1", int(port))), path) for port, _, path in _split(doors)]
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            _forward(listening)
        os._exit(0)
    os.waitpid(child, 0)  # the forwarder is not a child of the program: a program may wait for all of its own
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores some, and what is ignored is inherited
    try:
        os.execvp(command[0], command)  # noqa: S606 - an argument list, never a shell
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _split(doors: list[str]) -> list[tuple[str, str, str]]:
    return [door.partition("=") for door in doors]


def _forward(listening: list[tuple[socket.socket, str]]) -> None:
    """Pass bytes until the sandbox ends. Polite signals are for the program, which may still have a call to finish."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for output in range(3):
        os.dup2(nothing, output)  # the program's output must end with the program
    os.chdir("/")
    room = threading.Semaphore(MOST)
    threads = [threading.Thread(target=_accept, args=(server, path, room)) for server, path in listening]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()  # without a limit: they accept for as long as the sandbox lives


def _accept(server: socket.socket, path: str, room: threading.Semaphore) -> None:
    """Take connections for ever: where descriptors or threads are short for a moment, one is lost, not the way out."""
    while True:
        room.acquire()
        try:
            near, _ = server.accept()
        except OSError:
            room.release()
            time.sleep(_REST)
            continue
        try:
            threading.Thread(target=_connect, args=(near, path, room), daemon=True).start()
        except RuntimeError:
            near.close()
            room.release()


def _connect(near: socket.socket, path: str, room: threading.Semaphore) -> None:
    """One connection, both ways. Where nobody answers behind the socket, it is closed."""
    with suppress(OSError, RuntimeError), near, socket.socket(socket.AF_UNIX) as far:
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        far.connect(path)
        back = threading.Thread(target=_copy, args=(far, near), daemon=True)
        back.start()
        _copy(near, far)
        back.join()  # without a limit: an answer may take what the program grants it, and the host ends a silent one
    room.release()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_PIECE):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main(sys.argv[1:])
