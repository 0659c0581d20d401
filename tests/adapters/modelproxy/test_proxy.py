"""The proxy against a model's API on loopback: what goes out, what comes back, what never passes."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops_orchestrate.adapters.modelproxy import Limits, ModelProxy, Upstream
from ops_orchestrate.core.modelusage import Tokens
from ops_orchestrate.errors import UsageError
from tests.adapters.foreign import eventually
from tests.adapters.modelproxy.model import KEY, Model, model, said

ASK = {"model": "claude-sonnet-5", "max_tokens": 10, "stream": True, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def api() -> Iterator[Model]:
    with model() as made:
        yield made


@pytest.fixture
def opened(api: Model) -> Iterator[Any]:
    """Opens proxies with these limits, on the host's loopback; all are closed afterwards."""
    made: list[ModelProxy] = []

    def open_one(path: str = "", price: Any = None, key: Any = lambda: KEY, **limits: Any) -> ModelProxy:
        made.append(ModelProxy(Upstream(api.url + path), key, folder=None, limits=Limits(**limits), price=price))
        return made[-1]

    yield open_one
    for proxy in made:
        proxy.close()


def ask(proxy: ModelProxy, body: Any = ASK, path: str = "/v1/messages?beta=true", **more: Any) -> httpx.Response:
    headers = {"x-api-key": proxy.placeholder, "anthropic-version": "2023-06-01", **more.pop("headers", {})}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.request(
        more.pop("method", "POST"), proxy.base_url + path, headers=headers, content=content, timeout=20
    )


def stream(proxy: ModelProxy) -> AbstractContextManager[httpx.Response]:
    """The same call, its answer read as it comes."""
    return httpx.stream("POST", f"{proxy.base_url}/v1/messages", json=ASK, headers={"x-api-key": proxy.placeholder})


def test_a_call_goes_out_with_the_key_and_comes_back_counted(api: Model, opened: Any) -> None:
    proxy = opened()
    answer = ask(proxy)
    assert answer.status_code == 200
    assert answer.content == b"".join(said())
    ((method, path, headers, body),) = api.asked
    assert (method, path, json.loads(body)) == ("POST", "/v1/messages?beta=true", ASK)
    assert headers["x-api-key"] == KEY
    assert headers["anthropic-version"] == "2023-06-01"
    assert proxy.placeholder not in str(headers)
    used = proxy.usage()
    assert (used.calls, used.refused, used.tokens) == (1, 0, {"claude-sonnet-5": Tokens(10, 5)})


@pytest.mark.parametrize("name", ["x-api-key", "authorization", "x-goog-api-key"])
def test_the_placeholder_is_taken_wherever_a_cli_puts_it(api: Model, opened: Any, name: str) -> None:
    proxy = opened()
    shown = f"Bearer {proxy.placeholder}" if name == "authorization" else proxy.placeholder
    assert ask(proxy, headers={"x-api-key": "-", name: shown}).status_code == 200
    assert api.asked[0][2].get("authorization") is None


def test_a_key_for_another_kind_of_api_goes_where_that_wants_it(api: Model) -> None:
    upstream = Upstream(f"{api.url}/v1", header="authorization", prefix="Bearer ")
    proxy = ModelProxy(upstream, lambda: KEY, folder=None)
    api.kind, api.pieces = "application/json", [b'{"usage":{"prompt_tokens":7,"completion_tokens":2}}']
    body = {"model": "gpt-5", "messages": []}
    assert proxy.base_url.endswith("/v1")
    answer = httpx.post(
        f"{proxy.base_url}/chat/completions", json=body, headers={"authorization": f"Bearer {proxy.placeholder}"}
    )
    proxy.close()
    assert answer.status_code == 200
    assert api.asked[0][1] == "/v1/chat/completions"
    assert api.asked[0][2]["authorization"] == f"Bearer {KEY}"
    assert proxy.usage().total == Tokens(7, 2)


def test_a_base_url_with_a_path_keeps_it(api: Model, opened: Any) -> None:
    proxy = opened("/gateway/anthropic")
    assert ask(proxy).status_code == 200
    assert api.asked[0][1] == "/gateway/anthropic/v1/messages?beta=true"
    outside = proxy.base_url.removesuffix("/gateway/anthropic") + "/v1/messages"
    assert httpx.post(outside, headers={"x-api-key": proxy.placeholder}, json=ASK).status_code == 403


def test_pieces_come_as_they_are_said(api: Model, opened: Any) -> None:
    api.go.clear()
    proxy = opened()
    with stream(proxy) as got:
        pieces = got.iter_raw()
        assert b"message_start" in next(pieces), "the first piece is here while the model has not ended"
        assert api.waiting.is_set()
        api.go.set()
        assert b"message_stop" in b"".join(pieces)


def test_who_goes_away_ends_the_call(api: Model, opened: Any) -> None:
    """No tokens are made for nobody."""
    api.go.clear()
    proxy = opened()
    with stream(proxy) as got:
        next(got.iter_raw())
    assert api.cut_off.wait(10)


def test_who_goes_away_before_the_count_has_used_what_was_said(api: Model, opened: Any) -> None:
    """A hostile agent reads the text, and leaves before the event that counts it."""
    api.pieces = [*said("word " * 600)[:2], b": " + b"x" * 10_000_000 + b"\n\n"]
    proxy = opened()
    with stream(proxy) as got:
        for piece in got.iter_raw():
            if b"word word" in piece:
                break
    proxy.close()
    assert proxy.usage().estimated == 1
    assert 900 < proxy.usage().total.output < 1_100


def test_closing_ends_what_is_under_way_and_nothing_comes_after(api: Model, opened: Any) -> None:
    api.go.clear()
    proxy = opened()
    with stream(proxy) as got:
        pieces = got.iter_raw()
        next(pieces)
        proxy.close()
        with pytest.raises(httpx.HTTPError):
            list(pieces)
    assert api.cut_off.wait(10)
    with pytest.raises(httpx.HTTPError):
        ask(proxy)


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


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_said_without_the_providers_words(api: Model, opened: Any, status: int) -> None:
    api.status, api.kind, api.pieces = status, "application/json", [b'{"error": "bad key sk-ant-the..."}']
    answer = ask(opened())
    assert answer.status_code == status
    assert "sk-ant" not in answer.text


@pytest.mark.parametrize("status", [400, 429, 500, 529])
def test_errors_of_the_provider_come_through(api: Model, opened: Any, status: int) -> None:
    api.status, api.kind, api.pieces = status, "application/json", [b'{"type":"error"}']
    api.headers = {"retry-after": "7"}
    proxy = opened()
    answer = ask(proxy)
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (status, {"type": "error"}, "7")
    assert proxy.usage().total == Tokens()


@pytest.mark.parametrize("cut", [1, 7, len(KEY) - 1, len(KEY)])
def test_a_provider_that_repeats_the_key_does_not_give_it_away(api: Model, opened: Any, cut: int) -> None:
    api.kind, api.pieces = "text/plain", [b"you said " + KEY[:cut].encode(), KEY[cut:].encode() + b" sk-ant"]
    assert ask(opened()).text == "you said [removed] sk-ant"


def test_a_header_that_repeats_the_key_does_not_give_it_away(api: Model, opened: Any) -> None:
    api.headers = {"request-id": f"for {KEY}"}
    assert ask(opened()).headers["request-id"] == "for [removed]"


def test_a_provider_that_is_not_there(opened: Any, api: Model) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    proxy = ModelProxy(Upstream(f"http://127.0.0.1:{port}"), lambda: KEY, folder=None)
    assert ask(proxy).status_code == 502
    proxy.close()


def test_a_provider_that_says_nothing(api: Model, opened: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        upstream = Upstream(f"http://127.0.0.1:{silent.getsockname()[1]}")
        proxy = ModelProxy(upstream, lambda: KEY, folder=None, limits=Limits(silence=0.3))
        assert ask(proxy).status_code == 504
        proxy.close()


def test_without_a_key_nothing_is_asked(api: Model, opened: Any) -> None:
    answer = ask(opened(key=lambda: None))
    assert (answer.status_code, api.asked) == (403, [])


def test_the_key_is_asked_for_with_every_call(api: Model, opened: Any) -> None:
    keys = iter(["first-key", "second-key"])
    proxy = opened(key=lambda: next(keys))
    ask(proxy)
    ask(proxy)
    assert [headers["x-api-key"] for _, _, headers, _ in api.asked] == ["first-key", "second-key"]


def test_a_cap_in_tokens_ends_it(api: Model, opened: Any) -> None:
    proxy = opened(tokens=20)
    assert [ask(proxy).status_code for _ in range(3)] == [200, 200, 402]
    assert len(api.asked) == 2


def test_a_cap_in_dollars_ends_it_and_an_unknown_price_begins_nothing(api: Model, opened: Any) -> None:
    proxy = opened(price=lambda model, used: used.output * 0.01, usd=0.08)
    assert [ask(proxy).status_code for _ in range(3)] == [200, 200, 402]
    assert proxy.usage().usd == pytest.approx(0.1)
    unknown = opened(price=lambda model, used: None, usd=100)
    assert ask(unknown).status_code == 402
    assert len(api.asked) == 2


def test_only_models_that_are_allowed(api: Model, opened: Any) -> None:
    proxy = opened(models=("claude-sonnet-*", "claude-haiku-*"))
    assert ask(proxy).status_code == 200
    assert ask(proxy, {**ASK, "model": "claude-opus-5"}).status_code == 403


def test_an_answer_without_a_count_is_estimated_from_its_size(api: Model, opened: Any) -> None:
    api.pieces = [b"data: {}\n\n" * 30]
    proxy = opened()
    ask(proxy)
    used = proxy.usage()
    assert used.estimated == 1
    assert used.total.all > 100


def test_more_calls_at_once_than_allowed_are_told_to_come_again(api: Model, opened: Any) -> None:
    api.go.clear()
    proxy = opened(at_once=1)
    with stream(proxy):
        answer = ask(proxy)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        api.go.set()
    eventually(lambda: ask(proxy).status_code == 200)


def test_one_connection_serves_many_calls(api: Model, opened: Any) -> None:
    proxy = opened()
    with httpx.Client(headers={"x-api-key": proxy.placeholder}) as client:
        for _ in range(3):
            assert client.post(f"{proxy.base_url}/v1/messages", json=ASK).status_code == 200
            assert client.post(f"{proxy.base_url}/v1/none", json=ASK).status_code == 403
    assert proxy.usage().calls == 3


@pytest.mark.parametrize(
    "said_first",
    [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", b"x" * 200_000,
     b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /"],
    ids=["TLS", "no HTTP", "CONNECT", "endless line", "two lengths"],
)  # fmt: skip
def test_what_is_no_request_is_answered_with_an_error_or_an_end(api: Model, opened: Any, said_first: bytes) -> None:
    proxy = opened()
    with socket.create_connection(("127.0.0.1", proxy._listener.port), timeout=10) as raw:
        raw.sendall(said_first)
        raw.shutdown(socket.SHUT_WR)
        try:
            answer = raw.recv(1000)
        except ConnectionResetError:
            answer = b""
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 431", b"HTTP/1.1 501"))
    assert api.asked == []


def test_a_compressed_answer_is_counted_and_readable(api: Model, opened: Any) -> None:
    import gzip

    api.headers, api.pieces = {"content-encoding": "gzip"}, [gzip.compress(b"".join(said()))]
    proxy = opened()
    answer = ask(proxy)
    assert answer.content == b"".join(said())
    assert proxy.usage().total == Tokens(10, 5)


def test_a_socket_in_a_folder_with_a_long_path(api: Model, tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120) / ("y" * 120)
    proxy = ModelProxy(Upstream(api.url), lambda: KEY, folder=folder)
    (door,) = proxy.doors
    assert proxy.base_url == "http://127.0.0.1:4141"
    assert door.socket.stat().st_mode & 0o777 == 0o600
    proxy.close()
    assert not door.socket.exists()


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


def test_closing_is_quick_with_an_idle_connection(opened: Any, api: Model) -> None:
    proxy = opened()
    with socket.create_connection(("127.0.0.1", proxy._listener.port)):
        started = time.monotonic()
        proxy.close()
        assert time.monotonic() - started < 1.5
