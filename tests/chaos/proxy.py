"""A TCP proxy on loopback that can be told to be a bad line: cut, slow, shut, or silent (half open)."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

_PIECE = 65_536
_TICK = 0.02


@dataclass
class _Pair:
    """Both ends of one connection, and what waits for its time: (due, to, data)."""

    near: socket.socket
    far: socket.socket
    waiting: list[tuple[float, socket.socket, bytes]]


class Proxy:
    """Passes bytes between its port and `target` until it is closed. Every method may be called from any thread."""

    def __init__(self, target: int, *, host: str = "127.0.0.1", bind: str = "127.0.0.1", port: int = 0) -> None:
        self._target = (host, target)
        self._listener = socket.create_server((bind, port), backlog=256)
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        self.delay = 0.0
        """Seconds that everything is late."""
        self.shut = False
        """New connections are closed at once."""
        self.silent = False
        """Nothing is passed on, and nobody is told."""
        self._pairs: dict[socket.socket, _Pair] = {}
        self._cut = threading.Event()
        self._over = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="proxy", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Reset every connection there is."""
        self._cut.set()

    def heal(self) -> None:
        """A good line again."""
        self.delay, self.shut, self.silent = 0.0, False, False

    def close(self) -> None:
        """End it."""
        self._over.set()
        self._thread.join(timeout=5)
        self._drop_all()
        self._selector.close()
        self._listener.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            ready = self._selector.select(_TICK)
            if self._cut.is_set():
                self._cut.clear()
                self._drop_all()
                continue
            if self.silent:
                time.sleep(_TICK)
                continue
            for key, _ in ready:
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj in self._pairs:
                    self._pass(key.fileobj)  # type: ignore[arg-type]
            self._deliver()

    def _accept(self) -> None:
        with suppress(OSError):
            near, _ = self._listener.accept()
            if self.shut:
                near.close()
                return
            try:
                far = socket.create_connection(self._target, timeout=1)
            except OSError:
                near.close()
                return
            pair = _Pair(near, far, [])
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._pairs[one] = pair
                self._selector.register(one, selectors.EVENT_READ)

    def _pass(self, one: socket.socket) -> None:
        pair = self._pairs[one]
        try:
            data = one.recv(_PIECE)
        except OSError:
            data = b""
        if not data:
            self._drop(pair)
            return
        other = pair.far if one is pair.near else pair.near
        pair.waiting.append((time.monotonic() + self.delay, other, data))

    def _deliver(self) -> None:
        now = time.monotonic()
        for pair in {id(pair): pair for pair in self._pairs.values()}.values():
            while pair.waiting and pair.waiting[0][0] <= now:
                _, to, data = pair.waiting.pop(0)
                try:
                    to.settimeout(1)
                    to.sendall(data)
                except OSError:
                    self._drop(pair)
                    break

    def _drop(self, pair: _Pair) -> None:
        for one in (pair.near, pair.far):
            if self._pairs.pop(one, None):
                with suppress(KeyError, ValueError):
                    self._selector.unregister(one)
            one.close()

    def _drop_all(self) -> None:
        for pair in list(self._pairs.values()):
            self._drop(pair)
