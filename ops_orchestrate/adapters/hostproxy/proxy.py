"""The proxy of one attempt or gate: opens tunnels to named hosts, for TLS to the very host that was named.

It sees no content, keeps nothing, and lets little out: fetching a package asks for it in a few hundred bytes, so what
goes out is capped, and whoever wants to carry something away has not much room.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import h11

from ops_orchestrate.adapters.door import PIECE, Door, Listener, receive
from ops_orchestrate.adapters.hostproxy.hello import LIMIT, server_name
from ops_orchestrate.adapters.hostproxy.reach import connect
from ops_orchestrate.adapters.outward import DIRECT, Outward, connect_through
from ops_orchestrate.core.hosts import SHOWN, HostRule, may_reach, named

PORT = 4142
"""Where the program finds it on the loopback of its own network."""
OUT_LIMIT = 8 << 20
"""Bytes that may go out, over all of its connections together."""
_PATIENCE = 30.0
"""Seconds for all of a question, and again for all of a greeting."""
_SILENCE = 300.0
"""Seconds in which nothing at all goes through a tunnel: its end."""

Connect = Callable[[str, int], socket.socket]


class HostProxy:
    """Lets foreign code reach these hosts."""

    def __init__(
        self,
        rules: Sequence[HostRule],
        *,
        folder: Path | None,
        reach: Connect = connect,
        outward: Outward = DIRECT,
        out_limit: int = OUT_LIMIT,
    ) -> None:
        """Start to listen; `folder` as for the model's proxy. Raises OSError."""
        self._rules = tuple(rules)
        self._direct, self._outward = reach, outward
        self._lock = threading.Lock()
        self._room = out_limit
        self._refused = 0
        self._unlisted: dict[str, None] = {}
        self._listener = Listener(self._serve, folder=folder, port=PORT)

    @property
    def env(self) -> dict[str, str]:
        """The variables by which pip, npm, cargo, go, git and curl find it.

        Where it leads nowhere it is for TLS alone: a question in clear has no answer then, as without a network.
        """
        url, here = f"http://127.0.0.1:{self._listener.port}", "127.0.0.1,localhost,::1,0.0.0.0"
        upper = {"HTTPS_PROXY": url, "NO_PROXY": here} | ({"HTTP_PROXY": url} if self._rules else {})
        lower = {name.lower(): value for name, value in upper.items()}
        return upper | lower | {"NODE_USE_ENV_PROXY": "1"} | (self._outward.env if self._rules else {})

    @property
    def reads(self) -> tuple[Path, ...]:
        """For `SandboxSpec.read`."""
        return self._outward.reads if self._rules else ()

    @property
    def doors(self) -> tuple[Door, ...]:
        """For `SandboxSpec.doors`."""
        return self._listener.doors

    @property
    def refused(self) -> int:
        """Connections that were refused."""
        return self._refused

    @property
    def unlisted(self) -> tuple[str, ...]:
        """Hosts that were asked for and are not on the list, the first few and one more; for the owner to read."""
        return tuple(self._unlisted)

    def close(self) -> None:
        """End every tunnel."""
        self._listener.close()

    def _serve(self, near: socket.socket) -> None:
        machine = h11.Connection(h11.SERVER)
        target = _asked(near, machine)
        near.settimeout(_PATIENCE)
        if target is None or not may_reach(self._rules, *target):
            self._remember(target)
            self._refuse(near, machine, 403 if target else 405)
            return
        try:
            relay = self._outward.relay_to(*target)
            far = connect_through(relay, *target) if relay else self._direct(*target)
        except OSError:
            self._refuse(near, machine, 502)
            return
        with far:
            near.sendall(machine.send(h11.Response(status_code=200, headers=[])) or b"")
            first = _hello(near, machine.trailing_data[0], target[0])
            if first is None:
                self._refused += 1
                return
            self._tunnel(near, far, first)

    def _remember(self, target: tuple[str, int] | None) -> None:
        name = named(*target) if target else ""
        with self._lock:
            if name and len(self._unlisted) <= SHOWN:
                self._unlisted[name] = None

    def _refuse(self, near: socket.socket, machine: h11.Connection, status: int) -> None:
        self._refused += 1
        words = {
            403: "That host is not one of those that the owner allows (OPS_AGENT_HOSTS, gate_hosts).",
            405: "Only CONNECT goes through here: use https.",
            502: "That host cannot be reached.",
        }[status].encode() + b"\n"
        if machine.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        headers = [("content-type", "text/plain"), ("content-length", str(len(words))), ("connection", "close")]
        for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=words), h11.EndOfMessage()):
            near.sendall(machine.send(event) or b"")

    def _tunnel(self, near: socket.socket, far: socket.socket, first: bytes) -> None:
        for end in (near, far):
            end.settimeout(_SILENCE)
        traffic = _Traffic()
        back = threading.Thread(target=_copy, args=(far, near, traffic), daemon=True)
        back.start()
        if self._may_go(len(first)):
            far.sendall(first)
            _copy(near, far, traffic, self._may_go)
        for end in (near, far):  # either side's end is the end: TLS has said goodbye by then
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        back.join(_SILENCE)  # at once: what it waits for has been shut down

    def _may_go(self, size: int) -> bool:
        """Take it off what may still go out."""
        with self._lock:
            self._room -= size
            return self._room >= 0


def _asked(near: socket.socket, machine: h11.Connection) -> tuple[str, int] | None:
    """The host and port of a CONNECT; None for anything else."""
    deadline = time.monotonic() + _PATIENCE
    try:
        while (event := machine.next_event()) is h11.NEED_DATA:
            machine.receive_data(receive(near, deadline))
    except h11.RemoteProtocolError:
        return None
    if not isinstance(event, h11.Request) or event.method != b"CONNECT":
        return None
    machine.next_event()  # a CONNECT has no body: this ends it
    host, _, port = event.target.decode("latin-1").rpartition(":")
    return (host, int(port)) if host and port.isascii() and port.isdigit() and len(port) <= 5 else None


def _hello(near: socket.socket, first: bytes, host: str) -> bytes | None:
    """What the client says first, if it is a TLS greeting to that host; None if not."""
    deadline = time.monotonic() + _PATIENCE
    try:
        while (name := server_name(first)) is None:
            data = receive(near, deadline)
            if not data or len(first) + len(data) > LIMIT:
                return None
            first += data
    except (ValueError, TimeoutError):
        return None
    return first if name == host.lower().removesuffix(".") else None


class _Traffic:
    """When bytes last went through a tunnel, either way: a long download says nothing in the other direction."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def next(self, source: socket.socket) -> bytes:
        """What comes next; b"" at its end, and where nothing goes either way any more. Raises OSError."""
        while True:
            try:
                data = source.recv(PIECE)
            except TimeoutError:
                if time.monotonic() - self._last < _SILENCE:
                    continue
                return b""
            self._last = time.monotonic()
            return data


def _copy(
    source: socket.socket, target: socket.socket, traffic: _Traffic, may: Callable[[int], bool] | None = None
) -> None:
    with suppress(OSError):
        while data := traffic.next(source):
            if may is not None and not may(len(data)):
                break
            target.sendall(data)
    if may is None:
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
