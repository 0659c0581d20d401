"""The proxy against a model's API on loopback: what goes out, what comes back, what never passes."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops_orchestrate.adapters.modelproxy import Limits, Upstream
from ops_orchestrate.adapters.modelproxy.proxy import ModelProxy
from ops_orchestrate.core.modelusage import Tokens
from tests.adapters.foreign import eventually
from tests.adapters.modelproxy.calls import ASK, ask, stream
from tests.adapters.modelproxy.model import KEY, Model, said


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
    proxy = opened(price=lambda model, used: used.output * 10_000, usd=0.08)
    assert [ask(proxy).status_code for _ in range(3)] == [200, 200, 402]
    assert proxy.usage().usd == pytest.approx(0.1)
    unknown = opened(price=lambda model, used: None, usd=100)
    assert ask(unknown).status_code == 402
    assert len(api.asked) == 2


@pytest.mark.parametrize("cap", [{"tokens": 40}, {"price": lambda model, used: used.all, "usd": 0.000_040}])
def test_calls_that_begin_together_do_not_pass_a_cap_together(api: Model, opened: Any, cap: dict[str, Any]) -> None:
    """What one under way may come to counts until it has ended: the others are told to come again."""
    api.go.clear()
    proxy = opened(**cap)
    with stream(proxy) as held:  # may come to the size of its question and ten tokens: more than there is
        assert [ask(proxy).status_code for _ in range(3)] == [429] * 3
        api.go.set()
        held.read()  # it came to fifteen
    assert [ask(proxy).status_code for _ in range(3)] == [200, 200, 402]
    assert proxy.usage().total.all == 45, "one call over, not eight"


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


def test_connections_that_have_ended_are_forgotten(api: Model, opened: Any) -> None:
    api.headers = {"connection": "close"}
    proxy = opened()
    for _ in range(5):
        assert ask(proxy).status_code == 200
    assert len(proxy._provider._streams) <= 1


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


def test_closing_is_quick_with_an_idle_connection(opened: Any, api: Model) -> None:
    proxy = opened()
    with socket.create_connection(("127.0.0.1", proxy._listener.port)):
        started = time.monotonic()
        proxy.close()
        assert time.monotonic() - started < 1.5
