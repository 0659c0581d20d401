"""One way out for every client: the proxy and the certificates of the environment, and an end to every answer."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from ops_orchestrate.adapters.connections import connections, within
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.outward import Outward
from ops_orchestrate.adapters.served import HttpHealth
from ops_orchestrate.adapters.web import Web
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.change import Reach
from ops_orchestrate.errors import SourceUnavailable
from tests.adapters.github.scripted import Say, Server, make_client, serve

SECRET = "lin_api_" + "q7" * 16


def _web(url: str, timeout: float = 5.0) -> Web:
    return Web(
        "Linear",
        url,
        headers={"authorization": SECRET},
        secret=SECRET,
        timeout=timeout,
        outward=Outward.of(load_settings()),
    )


@contextmanager
def _talking(talk: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """A server that does this to whoever comes, until the test is over; `host:port`."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve_one(one: socket.socket) -> None:
        with one:
            try:
                talk(one, over)
            except OSError:
                return  # the client has had enough

    def accept() -> None:
        while not over.is_set():
            try:
                one, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve_one, args=(one,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)


def _drip(beginning: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """Sends the beginning, and then one byte after the other for as long as anybody listens."""

    def talk(one: socket.socket, over: threading.Event) -> None:
        one.recv(65536)
        one.sendall(beginning)
        while not over.wait(0.01):
            one.sendall(b"1")

    return talk


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
DRIPS = {
    "the status": b"HTTP/1.1 200 O",
    "a header": HEAD + b"x: ",
    "the body": HEAD + b"content-length: 99999999\r\n\r\n",
}


@pytest.fixture(autouse=True)
def _no_second_try() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


def test_a_time_limit_of_httpx_alone_does_not_end_a_header_that_drips() -> None:
    """Why its connections are replaced: it gives each read the whole of its timeout, and none to the answer."""
    with _talking(_drip(DRIPS["a header"])) as place, httpx.Client(timeout=1.0) as plain:
        asked = threading.Thread(target=lambda: _quietly(lambda: plain.get(f"http://{place}/")), daemon=True)
        asked.start()
        asked.join(1.5)
        assert asked.is_alive()


def _quietly(ask: Callable[[], object]) -> None:
    with suppress(httpx.HTTPError):
        ask()


@pytest.mark.parametrize("lacks", ["_pool", "_network_backend"])
def test_where_httpx_keeps_its_connections_elsewhere_nothing_is_asked(
    lacks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = httpx.HTTPTransport.__init__

    def newer(self: httpx.HTTPTransport, **given: Any) -> None:
        real(self, **given)
        delattr(self if lacks == "_pool" else self._pool, lacks)

    monkeypatch.setattr(httpx.HTTPTransport, "__init__", newer)
    with pytest.raises(RuntimeError, match="keeps its connections elsewhere"):
        connections("http://127.0.0.1:9/")


@pytest.mark.parametrize("beginning", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_for_ever_is_not_waited_for(beginning: bytes) -> None:
    with _talking(_drip(beginning)) as place:
        web = _web(f"http://{place}", timeout=0.1)
        with pytest.raises(SourceUnavailable, match="did not answer"):
            web.read("/x")
        web.close()
        github = make_client(f"http://{place}", timeout=0.1)
        with pytest.raises(SourceUnavailable, match="GitHub did not answer /repos/o/r: ReadTimeout"):
            github.get("/repos/o/r", Purpose.SHIP)
        github.close()


@pytest.mark.parametrize("beginning", DRIPS.values(), ids=DRIPS)
def test_a_log_that_drips_for_ever_is_not_waited_for(beginning: bytes) -> None:
    with _talking(_drip(beginning)) as place, serve() as server:
        client = make_client(server.url, timeout=0.1)
        server.script = lambda asked: Say(302, headers={"location": f"http://{place}/log"})
        client.address = client.address._replace(origin=f"http://{place}")
        with pytest.raises(SourceUnavailable, match="log store did not answer: ReadTimeout"):
            client.tail("/repos/o/r/actions/jobs/1/logs", Purpose.SHIP)
        client.close()


@pytest.mark.parametrize("beginning", DRIPS.values(), ids=DRIPS)
def test_a_health_page_that_drips_for_ever_is_not_waited_for(beginning: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops_orchestrate.adapters.served.PATIENCE", 0.3)
    with _talking(_drip(beginning)) as place:
        look = HttpHealth().look(f"http://{place}/")
        served = HttpHealth().served(f"http://{place}/")
    assert (look.ok, look.reach, served.commit, served.reach) == (False, Reach.DOWN, "", Reach.DOWN)


def test_a_deadline_is_the_threads_own_and_ends_with_its_block(server: Server) -> None:
    server.say(Say(body={}))
    with httpx.Client(transport=connections(server.url), trust_env=False) as client:
        with within(0.0), pytest.raises(httpx.TimeoutException):
            client.get(server.url)
        assert client.get(server.url).status_code == 200


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as found:
        yield found


def _refusing(asked: list[bytes]) -> Callable[[socket.socket, threading.Event], None]:
    def talk(one: socket.socket, over: threading.Event) -> None:
        del over
        asked.append(one.recv(65536))
        one.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")

    return talk


@pytest.mark.parametrize(
    ("no_proxy", "through"), [("", True), ("example.com", True), ("api.linear.test,other.test", False), ("*", False)]
)
def test_sentry_and_linear_go_through_the_proxy_that_github_goes_through(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, through: bool
) -> None:
    asked: list[bytes] = []
    for name in ("no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with _talking(_refusing(asked)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")
        monkeypatch.setenv("NO_PROXY", no_proxy)
        web = _web("https://api.linear.test/graphql", timeout=2.0)
        with pytest.raises(SourceUnavailable):
            web.ask("", {})
        web.close()
    assert [one.split(b"\r\n")[0] for one in asked] == [b"CONNECT api.linear.test:443 HTTP/1.1"] * through
    assert SECRET.encode() not in b"".join(asked)


def test_a_health_page_is_asked_through_that_proxy_too_and_is_not_blamed_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []
    with _talking(_refusing(asked)) as proxy:
        monkeypatch.setenv("OPS_HTTPS_PROXY", f"http://{proxy}")
        refused = HttpHealth(Outward.of(load_settings())).look("https://app.test/health")
    gone = HttpHealth(Outward.of(load_settings())).look("https://app.test/health")
    assert [one.split(b"\r\n")[0] for one in asked] == [b"CONNECT app.test:443 HTTP/1.1"]
    assert (refused.reach, gone.reach) == (Reach.UNASKED, Reach.UNASKED)


def test_the_environments_proxy_settings_are_no_detour_of_a_health_page(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.say(Say(body={"commit": "0123456789"}))
    assert HttpHealth(Outward.of(load_settings())).served(f"{server.url}/version").commit == "0123456789"


def test_this_machine_is_asked_directly(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.say(Say(body={"a": 1}))
    web = _web(server.url)
    assert web.read("/x").data == {"a": 1}
    web.close()


def test_the_certificates_of_the_environment_are_trusted_and_no_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(cert, key)

    def talk(one: socket.socket, over: threading.Event) -> None:
        del over
        with ours.wrap_socket(one, server_side=True) as inside:
            inside.recv(65536)
            inside.sendall(HEAD + b"content-length: 2\r\nconnection: close\r\n\r\n{}")

    for name in ("HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    with _talking(talk) as place:
        url = f"https://localhost:{place.split(':')[1]}"
        with pytest.raises(SourceUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            _web(url).read("/x")
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        web = _web(url)
        assert web.read("/x").data == {}
        web.close()
