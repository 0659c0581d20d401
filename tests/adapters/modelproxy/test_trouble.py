"""What stands between an agent and its model is seen by the proxy, whatever the agent makes of it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.adapters.modelproxy.calls import ASK, ask
from tests.adapters.modelproxy.model import Model


def says(api: Model, status: int, body: Any, **headers: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    api.status, api.kind, api.pieces, api.headers = status, "application/json", [text.encode()], headers


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (429, {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down."}}, "Slow down."),
        (500, {"error": {"message": "Broken."}}, "Broken."),
        (503, [{"error": {"message": "Gemini's way."}}], "Gemini's way."),
        (400, {"error": "plain"}, "plain"),
        (400, {"detail": 1}, '{"detail": 1}'),
        (529, "no JSON\x1b[31m", "no JSON [31m"),
        (401, {"error": {"message": "bad key sk-ant-the..."}}, ""),
    ],
)
def test_a_refusal_is_kept_with_its_words(api: Model, opened: Any, status: int, body: Any, words: str) -> None:
    says(api, status, body)
    proxy = opened()
    assert proxy.trouble() is None
    ask(proxy)
    found = proxy.trouble()
    assert (found.status, found.words, found.times, found.again_at, found.ours) == (status, words, 1, 0.0, False)


def test_refusals_are_counted_until_one_is_answered(api: Model, opened: Any) -> None:
    good = api.pieces
    says(api, 529, {}, **{"retry-after": "600"})
    proxy = opened()
    for _ in range(3):
        ask(proxy)
    found = proxy.trouble()
    assert found.times == 3
    assert found.again_at == pytest.approx(time.time() + 600, abs=60)
    api.status, api.kind, api.pieces = 200, "text/event-stream", good
    ask(proxy)
    assert proxy.trouble() is None


@pytest.mark.parametrize("said", ["soon", "-1", "1e9", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999"])
def test_a_time_that_makes_no_sense_is_none(api: Model, opened: Any, said: str) -> None:
    says(api, 429, {}, **{"retry-after": said})
    proxy = opened()
    ask(proxy)
    assert proxy.trouble().again_at == 0.0


def test_a_limit_of_ours_is_called_so(api: Model, opened: Any) -> None:
    proxy = opened(tokens=1)
    ask(proxy)
    ask(proxy)
    assert (proxy.trouble().status, proxy.trouble().ours) == (402, True)


def test_what_does_not_count_as_a_call_is_no_trouble(api: Model, opened: Any) -> None:
    says(api, 404, {})
    proxy = opened()
    ask(proxy, path="/v1/messages/count_tokens")
    ask(proxy, body=b"", path="/v1/models", method="GET")
    assert proxy.trouble() is None


def test_a_key_that_nobody_knows_is_trouble(api: Model, opened: Any) -> None:
    proxy = opened(key=lambda: None)
    ask(proxy)
    assert proxy.trouble().status == 403


def test_what_another_model_answers_does_not_mend_it(api: Model, opened: Any) -> None:
    """Agents ask a small model for titles beside their work: both are seen, and which came last."""
    good = api.pieces
    says(api, 429, {})
    proxy = opened()
    ask(proxy, body={**ASK, "model": "big"})
    api.status, api.kind, api.pieces = 200, "text/event-stream", good
    ask(proxy, body={**ASK, "model": "small"})
    assert (proxy.trouble().status, proxy.trouble().last) == (429, False)
    says(api, 429, {})
    ask(proxy, body={**ASK, "model": "big"})
    assert (proxy.trouble().times, proxy.trouble().last) == (2, True)
