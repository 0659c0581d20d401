"""What the proxy does not let through, and what it leaves out of what it does."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from ops_orchestrate.adapters.modelproxy import Upstream
from ops_orchestrate.errors import UsageError
from tests.adapters.modelproxy.calls import ASK, ask
from tests.adapters.modelproxy.model import Model


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (401, {"headers": {"x-api-key": "sk-guessed"}}),
        (403, {"path": "/v1/files"}),
        (403, {"path": "/v1/messages/batches"}),
        (403, {"path": "//evil.example/v1/messages"}),
        (403, {"path": "/v1/messages?callback=http"}),
        (403, {"path": "/v1/messages", "method": "DELETE"}),
        (400, {"body": b"{"}),
        (400, {"body": b"[]"}),
        (400, {"body": b'{"model":"a","model":"b","messages":[]}'}),
        (403, {"body": {**ASK, "mcp_servers": [{"type": "url", "url": "https://evil.example"}]}}),
        (403, {"body": {**ASK, "tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}}),
        (403, {"body": {"messages": []}}),
        (403, {"body": {**ASK, "background": True}}),
        (403, {"body": {**ASK, "Model": "another"}}),
    ],
)
def test_what_is_refused_goes_nowhere(api: Model, opened: Any, status: int, what: dict[str, Any]) -> None:
    proxy = opened()
    answer = ask(proxy, **what)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"].startswith("ops-orchestrate: ")
    assert api.asked == []
    assert (proxy.usage().calls, proxy.usage().refused) == (0, 1)


def test_what_is_too_large_is_refused(api: Model, opened: Any) -> None:
    proxy = opened(request=1000, answer=100)
    assert ask(proxy, {**ASK, "system": "x" * 2000}).status_code == 413
    assert api.asked == []
    with pytest.raises(httpx.RemoteProtocolError):  # broken off in the middle
        ask(proxy)


def test_headers_that_tell_of_us_or_of_the_account_do_not_pass(api: Model, opened: Any) -> None:
    api.headers = {
        "set-cookie": "a=b", "anthropic-organization-id": "org", "server": "x", "via": "y",
        "request-id": "r1", "anthropic-ratelimit-tokens-remaining": "5",
    }  # fmt: skip
    answer = ask(
        opened(), headers={"cookie": "c", "x-forwarded-for": "10.0.0.1", "proxy-authorization": "p", "te": "t"}
    )
    assert {"request-id", "anthropic-ratelimit-tokens-remaining"} <= set(answer.headers)
    assert not {"set-cookie", "anthropic-organization-id", "server", "via"} & set(answer.headers)
    assert not {"cookie", "x-forwarded-for", "proxy-authorization", "te"} & set(api.asked[0][2])


@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=utf-7", "multipart/form-data; boundary=x"])
def test_what_was_judged_as_json_is_sent_as_json(api: Model, opened: Any, kind: str) -> None:
    assert ask(opened(), headers={"content-type": kind}).status_code == 200
    assert api.asked[0][2]["content-type"] == "application/json"


def test_a_header_of_odd_bytes_goes_no_further_and_ends_nothing(api: Model, opened: Any) -> None:
    assert ask(opened(), headers={"user-agent": b"caf\xe9"}).status_code == 200
    assert api.asked[0][2]["user-agent"] == "ops-orchestrate"


def test_what_only_asks_carries_nothing(api: Model, opened: Any) -> None:
    proxy = opened()
    assert ask(proxy, b"", "/v1/models", method="GET").status_code == 200
    assert ask(proxy, b"unjudged", "/v1/models", method="GET").status_code == 400
    assert len(api.asked) == 1


def test_a_redirect_is_not_followed(api: Model, opened: Any) -> None:
    api.status, api.headers = 307, {"location": f"{api.url}/elsewhere"}
    answer = ask(opened())
    assert answer.status_code == 502
    assert "location" not in answer.headers
    assert len(api.asked) == 1


def test_without_a_key_nothing_is_asked(api: Model, opened: Any) -> None:
    answer = ask(opened(key=lambda: None))
    assert (answer.status_code, api.asked) == (403, [])


def test_only_models_that_are_allowed(api: Model, opened: Any) -> None:
    proxy = opened(models=("claude-sonnet-*", "claude-haiku-*"))
    assert ask(proxy).status_code == 200
    assert ask(proxy, {**ASK, "model": "claude-opus-5"}).status_code == 403


@pytest.mark.parametrize(
    "said_first",
    [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", b"x" * 200_000,
     b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /"],
    ids=["TLS", "no HTTP", "CONNECT", "endless line", "two lengths"],
)  # fmt: skip
def test_what_is_no_request_is_answered_with_an_error_or_an_end(api: Model, opened: Any, said_first: bytes) -> None:
    proxy = opened()
    with socket.create_connection(("127.0.0.1", proxy._listener.port), timeout=10) as raw:
        try:
            raw.sendall(said_first)
            raw.shutdown(socket.SHUT_WR)
            answer = raw.recv(1000)
        except OSError:  # it has hung up already
            answer = b""
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 431", b"HTTP/1.1 501"))
    assert api.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "ftp://127.0.0.1",
        "https://user:pw@api.example.com",
        "https://",
        "https://x/?a=b",
        "api",
    ],
)
def test_addresses_that_a_key_is_not_sent_to(url: str) -> None:
    with pytest.raises(UsageError):
        Upstream(url)
