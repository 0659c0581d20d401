"""Calls of a proxy, as an agent makes them."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any

import httpx

from ops_orchestrate.adapters.modelproxy.proxy import ModelProxy

ASK = {"model": "claude-sonnet-5", "max_tokens": 10, "stream": True, "messages": [{"role": "user", "content": "hi"}]}


def ask(proxy: ModelProxy, body: Any = ASK, path: str = "/v1/messages?beta=true", **more: Any) -> httpx.Response:
    headers = {"x-api-key": proxy.placeholder, "anthropic-version": "2023-06-01", **more.pop("headers", {})}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.request(
        more.pop("method", "POST"), proxy.base_url + path, headers=headers, content=content, timeout=20
    )


def stream(proxy: ModelProxy) -> AbstractContextManager[httpx.Response]:
    """The same call, its answer read as it comes."""
    return httpx.stream("POST", f"{proxy.base_url}/v1/messages", json=ASK, headers={"x-api-key": proxy.placeholder})
