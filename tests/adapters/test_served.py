"""A health URL, asked over real HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ops_orchestrate.adapters.served import HttpHealth


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.send_header("Location", "/200")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def service() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "ok"), [(200, True), (204, False), (302, False), (404, False), (503, False)])
def test_only_200_is_healthy(service: str, status: int, ok: bool) -> None:
    look = HttpHealth().look(f"{service}/{status}")
    assert (look.ok, look.detail) == (ok, f"HTTP {status}")


def test_nobody_there_is_not_healthy_and_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        look = HttpHealth().look(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert not look.ok
    assert look.detail.startswith("no answer")


@pytest.mark.parametrize("url", ["", "ftp://example.invalid/", "http://", "no url at all", "http://[::"])
def test_an_impossible_url_is_no_crash(url: str) -> None:
    assert not HttpHealth().look(url).ok
