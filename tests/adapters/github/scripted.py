"""A server of a test that answers what it is told, over real HTTP, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ops_orchestrate.adapters.github.address import read_address
from ops_orchestrate.adapters.github.auth import Identity, TokenIdentity
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import RateLimits

TOKEN = "ghp_" + "a1B2" * 9
NOW = 1_800_000_000.0
JSON = {"content-type": "application/json; charset=utf-8"}


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any = None


@dataclass
class Say:
    """One answer. `drop`: none at all. `cut`: half of it, and the connection ends."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: bool = False

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Script = Callable[[Asked], Say]


class Server:
    """Answers by a script; `asked` is everything that came."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []
        self.script: Script = lambda _asked: Say(404, {"message": "Not Found"})

    def say(self, *answers: Say) -> None:
        """These answers, one after the other; the last one from then on."""
        waiting = list(answers)
        self.script = lambda _asked: waiting.pop(0) if len(waiting) > 1 else waiting[0]


@contextmanager
def serve() -> Iterator[Server]:
    """A server on this machine for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(length) if length else b""
            headers = {key.lower(): value for key, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, json.loads(raw) if raw else None)
            server.asked.append(asked)
            say = server.script(asked)
            if say.drop:
                self.close_connection = True
                return
            self.send_response(say.status)
            for key, value in (JSON | say.headers).items():
                self.send_header(key, value)
            body = b"" if say.status == 304 else say.raw
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if say.cut else body)
            self.close_connection = say.cut

        do_GET = do_POST = do_PUT = answer

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server = Server(f"http://127.0.0.1:{http.server_port}")
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join(60)


class Known:
    """Secrets by name. Implements ports.Secrets."""

    def __init__(self, **values: str) -> None:
        self._values = values

    def get(self, name: str) -> str | None:
        return self._values.get(name)

    def tried(self, name: str) -> tuple[str, ...]:
        return (f"environment: {'found' if name in self._values else 'not set'}", "Doppler: not set up")


def make_client(url: str, identity: Identity | None = None, *, reserve: int = 500, **more: Any) -> GitHubClient:
    """A client of that server whose clock stands at NOW."""
    limits = RateLimits(reserve, lambda: NOW)
    who = identity or TokenIdentity(Known(GITHUB_TOKEN=TOKEN))
    return GitHubClient(read_address(url), who, limits, **({"write_gap": 0.0, "timeout": 5.0} | more))
