"""Doors: the only ways out of a sandbox without a network, each a listener of ours for one attempt or gate.

Where the program has a network of its own, the door is a Unix socket that is put into its room, and a bridge inside
makes a port of it. Where it shares the host's (no sandbox, or one with the network on), the door is a port of the
host's loopback. What comes in is served by threads of this process and ends with `close` or with the process.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PIECE = 65_536
"""Bytes that are read at once."""
_MOST = 64
_PATIENCE = 2.0
_REST = 0.1


@dataclass(frozen=True, slots=True)
class Door:
    """A socket on the host, and the port that stands for it on the sandbox's own loopback."""

    port: int
    socket: Path


class Listener:
    """Serves connections, each in a thread of its own, until it is closed."""

    def __init__(
        self, serve: Callable[[socket.socket], None], *, folder: Path | None, port: int, most: int = _MOST
    ) -> None:
        """`folder`: ours, where the socket is made; None for a free port of the host's loopback instead of `port`.

        Raises OSError.
        """
        self._serve = serve
        self._room = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._closed = False
        self._path = folder / f"{port}.sock" if folder else None
        self._socket = _listen(self._path)
        self.port: int = port if self._path else self._socket.getsockname()[1]
        """Where the program finds it on 127.0.0.1."""
        self._thread = threading.Thread(target=self._accept, name=f"door-{self.port}", daemon=True)
        self._thread.start()

    @property
    def doors(self) -> tuple[Door, ...]:
        """What has to be put into the room; nothing where the program is on the host's loopback itself."""
        return (Door(self.port, self._path),) if self._path else ()

    def close(self) -> None:
        """End every connection and forget the socket. Nothing is served any more when this returns."""
        with self._lock:
            self._closed = True
            threads = [self._thread, *self._open.values()]
            for connection in (self._socket, *self._open):
                _shut(connection)
        self._socket.close()
        if self._path:
            self._path.unlink(missing_ok=True)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(_PATIENCE)

    def _accept(self) -> None:
        while True:
            self._room.acquire()
            try:
                connection, _ = self._socket.accept()
            except OSError:
                if self._closed:
                    return
                time.sleep(_REST)  # no descriptor is free for the moment
                self._room.release()
                continue
            self._begin(connection)

    def _begin(self, connection: socket.socket) -> None:
        thread = threading.Thread(target=self._run, args=(connection,), name=self._thread.name, daemon=True)
        with self._lock:
            self._open[connection] = thread
            if self._closed:
                _shut(connection)
            try:
                thread.start()
            except RuntimeError:  # no thread is to be had for the moment
                del self._open[connection]
                connection.close()
                self._room.release()

    def _run(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError):  # the other side has gone, or we have closed
                self._serve(connection)
        finally:
            with self._lock:
                del self._open[connection]
            _shut(connection)
            connection.close()
            self._room.release()


def receive(connection: socket.socket, deadline: float, most: int = PIECE) -> bytes:
    """What comes next, at most so many bytes; b"" at its end.

    Raises TimeoutError at that moment of time.monotonic, OSError.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)
    return connection.recv(most)


def _listen(path: Path | None) -> socket.socket:
    if path is None:
        return socket.create_server(("127.0.0.1", 0))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        server.bind(f"/proc/self/fd/{folder}/{path.name}")  # a socket's own path may have a hundred bytes, not more
        path.chmod(0o600)
        server.listen(_MOST)
    except OSError:
        server.close()
        raise
    finally:
        os.close(folder)
    return server


def _shut(connection: socket.socket) -> None:
    """Wake whoever waits on it; closing alone does not."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
