"""HTTP on loopback, and on a Unix socket (which is how `gh` gets here): wire to request, answer to wire, faults."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ops_orchestrate.standin.exchange import Links, Reply, Request
from ops_orchestrate.standin.faults import Fault, distorted
from ops_orchestrate.standin.site import Site, by_number
from ops_orchestrate.standin.world import World

_PREFIXES = (("/api/v3", ""), ("/api/graphql", "/graphql"))
_REMEMBERED = 5_000
_BODY_LIMIT = 500_000_000
_PATIENCE = 30.0


class Door:
    """What the servers of one stand-in share: the site, the control side, and the last answer to each question."""

    def __init__(self, world: World, site: Site, control: Callable[[Request], Reply]) -> None:
        self.world = world
        self.site = site
        self.control = control
        self.last: dict[tuple[str, str, bytes, str], Reply] = {}
        self.stopping = threading.Event()
        self.latency = 0.0
        """Seconds that every request takes longer."""
        self.watch: Callable[[Request, Reply], None] = lambda request, reply: None
        """Sees every true answer before anything goes wrong with it."""

    def answer(self, request: Request) -> tuple[Reply, list[Fault]]:
        """The answer, and what has to go wrong on the way out."""
        if request.path.startswith("/_control"):
            return self.control(request), []
        with self.world.lock:
            request = by_number(request, self.world)
            self.world.in_flight += 1
            faults = self.world.faults.take(request.method, request.path, request.body)
            for fault in faults:
                at, what = self.world.now(), {"method": request.method, "fault": fault.kind, "after": fault.after}
                self.world.journal.add(at, "fault", "control", request.path, **what)
        try:
            self.stopping.wait(self.latency + sum(fault.seconds for fault in faults if fault.kind == "delay"))
            return self._answer(request, [fault for fault in faults if fault.kind != "delay"])
        finally:
            with self.world.lock:
                self.world.in_flight -= 1
                self.world.moved.notify_all()

    def _answer(self, request: Request, faults: list[Fault]) -> tuple[Reply, list[Fault]]:
        key = (request.method, request.url, request.body, request.headers.get("authorization", ""))
        fault = faults[0] if faults else None
        if fault and fault.kind == "stale" and key in self.last:
            return self.last[key], []
        if fault and not fault.after and fault.kind in {"status", "drop", "html"}:
            return _faulty(fault), faults
        reply = self.site.answer(request)
        self.watch(request, reply)
        if reply.status == 200:
            if len(self.last) > _REMEMBERED:
                self.last.clear()
            self.last[key] = Reply(reply.status, reply.body, dict(reply.headers))
        if fault and fault.kind in {"status", "html"}:
            return _faulty(fault), faults
        if fault and fault.kind in {"partial", "rewrite"}:
            reply.body = distorted(fault, reply.payload())
        return reply, faults


def _faulty(fault: Fault) -> Reply:
    if fault.kind == "html":
        page = b"<!DOCTYPE html><html><body><h1>Unicorn!</h1></body></html>"
        return Reply(200, page, {"Content-Type": "text/html; charset=utf-8"})
    body = {"message": "Server Error"} if fault.body is None else fault.body
    return Reply(fault.status, body.encode() if isinstance(body, str) else body, dict(fault.headers))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "GitHub.com"
    sys_version = ""
    timeout = 60
    server: _Server | _UnixServer

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (TimeoutError, ConnectionError):
            self.close_connection = True

    def _serve(self) -> None:
        request = self._request()
        if request is None:
            return
        try:
            reply, faults = self.server.door.answer(request)
        except Exception as error:  # noqa: BLE001 - a bug of the stand-in must not look like a network fault
            reply, faults = Reply(500, {"message": f"the stand-in failed: {type(error).__name__}: {error}"}), []
            self._note_bug(request, error)
        self._send(reply, faults)

    def _note_bug(self, request: Request, error: Exception) -> None:
        world = self.server.door.world
        with world.lock:
            world.journal.add(world.now(), "bug", "standin", request.path, error=repr(error))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815 - the library's names

    def _request(self) -> Request | None:
        parts = urlsplit(self.path)
        path, prefix = unquote(parts.path), ""
        for start, instead in _PREFIXES:
            if path == start or path.startswith(f"{start}/"):
                path, prefix = instead + path.removeprefix(start), "/api/v3"
        host = self.headers.get("Host", "localhost")
        links = Links("https://api.github.com", "https://github.com")
        if host != "api.github.com":
            links = Links(f"http://{host}{prefix}", f"http://{host}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        url = f"{links.api}{path}" + (f"?{parts.query}" if parts.query else "")
        method = "GET" if self.command == "HEAD" else self.command
        return Request(method, path or "/", query, headers, self._body(), links, url)

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _BODY_LIMIT))

    def _send(self, reply: Reply, faults: list[Fault]) -> None:
        payload, kind = reply.payload(), faults[0].kind if faults else ""
        if kind == "drop":
            self._hang_up()
            return
        if kind == "truncate":
            payload = payload[: len(payload) // 2]
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json; charset=utf-8", "X-GitHub-Request-Id": _request_id(self)}
        for name, value in (headers | reply.headers).items():
            self.send_header(name, value)
        if reply.status not in {204, 304}:
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if kind == "cut":
            self.wfile.write(payload[: len(payload) // 2])
            self._hang_up()
        elif self.command != "HEAD" and reply.status not in {204, 304}:
            self.wfile.write(payload)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal: the journal is the record."""


def _request_id(handler: _Handler) -> str:
    return f"{id(handler) & 0xFFFF:04X}:{time.monotonic_ns() & 0xFFFFFFFF:08X}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    door: Door

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection for as long as it is open."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """It is closed."""
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Cut connections that are kept alive: what has ended answers nobody any more."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Answer nobody any more. Who accepts may itself be stuck; nobody waits for that longer than `_PATIENCE`."""
        asked = threading.Thread(target=self.shutdown, daemon=True, name="github-standin-end")
        asked.start()
        asked.join(_PATIENCE)
        self.server_close()
        self.hang_up()

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no event."""


class _UnixServer(_Server):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", 0

    def get_request(self) -> tuple[socket.socket, Any]:
        return self.socket.accept()[0], ("unix", 0)


def listen(door: Door, port: int = 0) -> _Server:
    """Serve on 127.0.0.1 in a thread; port 0: a free one."""
    return _start(_Server(("127.0.0.1", port), _Handler), door)


def listen_unix(door: Door, path: Path) -> _Server:
    """Serve on a Unix socket in a thread."""
    address: Any = str(path)  # the library types every address as host and port
    return _start(_UnixServer(address, _Handler), door)


def _start(server: _Server, door: Door) -> _Server:
    server.door = door
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True, name="github-standin").start()
    return server
