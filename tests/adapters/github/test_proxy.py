"""A proxy of the environment carries the connection and never sees the token."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.outward import Outward
from ops_orchestrate.config import load_settings
from ops_orchestrate.errors import SourceUnavailable
from tests.adapters.github.scripted import TOKEN, Say, Server, make_client


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A proxy that lets nobody through; what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(f"{self.path}\n{self.headers}")
            self.send_error(502)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{http.server_port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        yield asked
        http.shutdown()
        thread.join(60)


def test_github_is_asked_through_the_proxy_without_showing_it_the_token(proxy: list[str]) -> None:
    client = make_client("https://api.github.com", outward=Outward.of(load_settings()))
    with pytest.raises(SourceUnavailable):
        client.get("/repos/o/r", Purpose.SHIP)
    client.close()
    assert {said.split("\n")[0] for said in proxy} == {"api.github.com:443"}
    assert TOKEN not in "".join(proxy)


def test_a_server_on_this_machine_is_asked_directly(proxy: list[str], server: Server) -> None:
    server.say(Say(body={"id": 1}))
    client = make_client(server.url, outward=Outward.of(load_settings()))
    assert client.get("/repos/o/r", Purpose.SHIP).data == {"id": 1}
    client.close()
    assert proxy == []
