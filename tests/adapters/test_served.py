"""A health URL, asked over real HTTP."""

from __future__ import annotations

import errno
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from ops_orchestrate.adapters.served import HttpHealth
from ops_orchestrate.core.change import Reach


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
        thread.join(60)


@pytest.mark.parametrize(("status", "ok"), [(200, True), (204, False), (302, False), (404, False), (503, False)])
def test_only_200_is_healthy(service: str, status: int, ok: bool) -> None:
    look = HttpHealth().look(f"{service}/{status}")
    assert (look.ok, look.detail) == (ok, f"HTTP {status}")


@pytest.mark.parametrize(
    ("status", "reach"),
    [(200, Reach.ANSWERED), (404, Reach.ANSWERED), (429, Reach.UNASKED), (500, Reach.DOWN), (503, Reach.DOWN)],
)
def test_a_status_says_whether_it_is_up(service: str, status: int, reach: Reach) -> None:
    url = f"{service}/{status}"
    assert (HttpHealth().look(url).reach, HttpHealth().served(url).reach) == (reach, reach)


def test_nobody_there_is_not_healthy_and_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        look = HttpHealth().look(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (look.ok, look.reach) == (False, Reach.DOWN)
    assert look.detail.startswith("no answer")


def test_who_accepts_and_hangs_up_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        look = HttpHealth().look(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join(60)
    assert (look.ok, look.reach) == (False, Reach.DOWN)


@pytest.mark.parametrize(
    ("error", "reach"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Reach.UNASKED),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), Reach.UNASKED),
        (ssl.SSLCertVerificationError(1, "unable to get local issuer certificate"), Reach.UNASKED),
        (OSError(errno.EHOSTUNREACH, "No route to host"), Reach.SILENT),
        (TimeoutError("timed out"), Reach.SILENT),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), Reach.DOWN),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), Reach.DOWN),
    ],
)
def test_whose_doing_it_is_that_no_connection_comes_about(
    error: OSError, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the operating system says reaches the look through httpx, however that wraps it."""

    def fails(*_args: object, **_more: object) -> socket.socket:
        raise error

    monkeypatch.setattr(socket, "create_connection", fails)
    monkeypatch.setattr("httpcore._sync.connection.exponential_backoff", lambda factor: iter([0.0] * 9))
    assert HttpHealth().look("http://127.0.0.1:9/").reach is reach


def test_a_timeout_after_the_connection_is_the_services() -> None:
    """The port is open, so somebody is there who does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("ops_orchestrate.adapters.served.TIMEOUT", httpx.Timeout(5.0, read=0.05))
        look = HttpHealth().look(f"http://127.0.0.1:{server.getsockname()[1]}/")
    assert (look.ok, look.reach) == (False, Reach.DOWN)


@pytest.mark.parametrize("url", ["", "ftp://example.invalid/", "http://", "no url at all", "http://[::"])
def test_an_impossible_url_is_no_crash(url: str) -> None:
    assert not HttpHealth().look(url).ok
