"""A web server on this machine that a stand-in answers through: real HTTP, faults on demand, nothing mocked."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Request(NamedTuple):
    """What came in."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: Any


class Answer(NamedTuple):
    """What goes out. A `body` of bytes is sent as it is; `cut` ends the connection in the middle of it, `hang` waits
    before it until the test is over."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = {}
    kind: str = "application/json"
    cut: bool = False
    hang: bool = False


#: Faults by name, as a test asks for them.
FAULTS: dict[str, Answer] = {
    "401": Answer(401, {"detail": "Invalid token"}),
    "403": Answer(403, {"detail": "You do not have permission to perform this action."}),
    "404": Answer(404, {"detail": "The requested resource does not exist"}),
    "429 soon": Answer(429, {"detail": "slow down"}, {"retry-after": "1"}),
    "429 later": Answer(429, {"detail": "slow down"}, {"retry-after": "3600"}),
    "500": Answer(500, {"detail": "Internal Error"}),
    "502": Answer(502, b"<html>Bad Gateway</html>", kind="text/html"),
    "html": Answer(200, b"<html>Please log in</html>", kind="text/html"),
    "not json": Answer(200, b'{"data": {"issu'),
    "cut": Answer(200, b'[{"id": "1", "title": "never ends"}]', cut=True),
    "hang": Answer(200, [], hang=True),
    "moved": Answer(302, b"", {"location": "http://127.0.0.1:9/elsewhere"}),
    "wrong shape": Answer(200, {"data": None, "surprise": 1}),
}


class Loopback:
    """What every stand-in has: an address, the requests it got, and the faults that come before its own answers."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.faults: deque[str | Answer] = deque()
        self.over = threading.Event()

    def reply(self, request: Request) -> Answer:
        """The stand-in's own answer."""
        raise NotImplementedError

    def answer(self, request: Request) -> Answer:
        """The next fault, or the stand-in's own answer."""
        self.requests.append(request)
        if not self.faults:
            return self.reply(request)
        fault = self.faults.popleft()
        return FAULTS[fault] if isinstance(fault, str) else fault


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], over: threading.Event) -> Iterator[str]:
    """The address of a port of its own where the handler answers. `over` is set at the end, for what waits in it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join(60)


@contextmanager
def serving(make: Callable[[], Loopback]) -> Iterator[Any]:
    """The stand-in, answering on a port of its own."""
    standin = make()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            parts = urlsplit(self.path)
            answer = standin.answer(
                Request(
                    self.command,
                    parts.path,
                    parse_qsl(parts.query, keep_blank_values=True),
                    {key.lower(): value for key, value in self.headers.items()},
                    json.loads(raw) if raw else None,
                )
            )
            if answer.hang:
                standin.over.wait(60)
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("content-type", answer.kind)
            self.send_header("content-length", str(len(body) * (2 if answer.cut else 1)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.close_connection = answer.cut or answer.hang
            with suppress(OSError):  # who gave up waiting is not there any more
                self.end_headers()
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = _serve

        def log_message(self, format: str, *args: Any) -> None:
            """Tests are quiet."""

    with listening(Handler, standin.over) as standin.url:
        yield standin
