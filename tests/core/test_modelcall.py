"""What an agent may ask of a model's API."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.modelcall import (
    answered_headers,
    refuse_call,
    refuse_model,
    refuse_reach,
    refuse_spelling,
    sent_headers,
)


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("POST", "/v1/messages", "beta=true"),
        ("POST", "/v1/messages/count_tokens", ""),
        ("POST", "/messages", ""),
        ("POST", "/v1/chat/completions", ""),
        ("POST", "/responses", ""),
        ("POST", "/v1beta/models/gemini-3-pro:streamGenerateContent", "alt=sse"),
        ("GET", "/v1/models", "limit=100"),
        ("GET", "/v1/models/claude-sonnet-5", ""),
    ],
)
def test_calls_of_a_models_api(method: str, path: str, query: str) -> None:
    assert refuse_call(method, path, query) == ""


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("POST", "/v1/files", ""),
        ("POST", "/v1/messages/batches", ""),
        ("GET", "/v1/messages", ""),
        ("PUT", "/v1/messages", ""),
        ("POST", "/v1/../admin", ""),
        ("POST", "/v1/messages/../files", ""),
        ("POST", "/v1/%6dessages", ""),
        ("POST", "//evil.example/v1/messages", ""),
        ("POST", "http://evil.example/v1/messages", ""),
        ("POST", "@evil.example/v1/messages", ""),
        ("POST", ".evil.example/v1/messages", ""),
        ("POST", "/v1/messages\n", ""),
        ("POST", "", ""),
        ("GET", "/v1/organizations/usage", ""),
        ("GET", "/v1/models/..", ""),
        ("GET", "/models/.", ""),
        ("GET", "/v1/models/caf\u00e9", ""),
        ("GET", "/v1/models", "&".join(["limit=1"] * 30)),
        ("POST", "/v1/messages", "webhook=https://evil.example"),
        ("POST", "/v1/messages", "beta=https://evil.example/?x"),
        ("CONNECT", "evil.example:443", ""),
    ],
)
def test_everything_else(method: str, path: str, query: str) -> None:
    assert refuse_call(method, path, query)


USER = {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [USER], "tools": [{"name": "Bash", "description": "d", "input_schema": {"type": "object"}}]},
        {"messages": [USER], "tools": [{"type": "custom", "name": "x"}, {"type": "bash_20250124", "name": "bash"}]},
        {"messages": [USER], "tools": [{"type": "function", "function": {"name": "x", "parameters": {"type": "url"}}}]},
        {"input": [USER], "tools": [{"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "x"}]}]},
        {"input": "text", "tools": []},
        {"contents": [], "tools": [{"functionDeclarations": [{"name": "x", "parameters": {"fileUri": 1}}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "input": {"type": "url", "url": "x"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;,x"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "x"}}]}]},
        {"messages": [{"role": "user", "content": "see https://example.com and mcp_servers"}], "container": None},
        {"messages": [USER], "mcp_servers": [], "model": "claude-online-research"},
        {"input": [{"content": [{"type": "input_file", "file_data": "data:application/pdf;base64,AAAA"}]}]},
    ],
)
def test_what_the_provider_does_by_itself_is_fine(body: dict[str, Any]) -> None:
    assert (refuse_reach(body), refuse_spelling(body)) == ("", "")


URL = "https://evil.example/?stolen"


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]},
        {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
        {"tools": [{"type": "mcp", "server_label": "x"}]},
        {"tools": [{"type": "namespace", "tools": [{"type": "web_search"}]}]},
        {"tools": [{"type": ["custom"]}]},
        {"tools": [{"googleSearch": {}}]},
        {"tools": [{"functionDeclarations": [], "urlContext": {}}]},
        {"tools": [{"name": "x", "googleSearch": {}}]},
        {"tools": {"type": "web_search"}},
        {"tools": ["web_search"]},
        {"mcp_servers": [{"url": URL}]},
        {"container": "c"},
        {"web_search_options": {"x": 1}},
        {"web_search_options": {}},
        {"data_sources": [{"type": "azure_search", "parameters": {"endpoint": URL}}]},
        {"plugins": [{"id": "web"}]},
        {"model": "openai/gpt-5:online"},
        {"model": "openai/gpt-5:online:nitro"},
        {"model": "openai/gpt-5", "models": ["openai/gpt-5:online"]},
        {"model": "gpt-5-search-api"},
        {"model": "gpt-4o-search-preview-2025-03-11"},
        {"messages": [{"content": [{"type": "image", "source": {"type": "url", "url": URL}}]}]},
        {"messages": [{"content": [{"type": "tool_result", "content": [{"source": {"type": "url", "url": URL}}]}]}]},
        {"messages": [{"content": [{"type": "image_url", "image_url": {"url": URL}}]}]},
        {"input": [{"content": [{"type": "input_image", "image_url": URL}]}]},
        {"input": [{"content": [{"type": "input_file", "file_url": URL}]}]},
        {"input": {"content": [{"type": "input_file", "file_url": URL}]}},
        {"contents": [{"parts": [{"fileData": {"fileUri": URL}}]}]},
        {"messages": [{"content": [{"type": "document_url", "document_url": URL}]}]},
        {"messages": [{"content": [{"type": "file", "file": {"filename": "x.pdf", "file_data": URL}}]}]},
        {"system": [{"type": "document", "source": {"type": "url", "url": URL}}]},
    ],
)
def test_what_would_have_the_provider_reach_out(body: dict[str, Any]) -> None:
    assert refuse_reach(body)


@pytest.mark.parametrize(
    ("name", "allowed", "fine"),
    [
        ("claude-sonnet-5", (), True),
        ("claude-sonnet-5", ("claude-sonnet-*",), True),
        ("claude-opus-5", ("claude-sonnet-*",), False),
        (None, (), False),
        (7, (), False),
    ],
)
def test_models(name: object, allowed: tuple[str, ...], fine: bool) -> None:
    assert (refuse_model(name, allowed) == "") is fine


def test_headers_pass_by_name_or_not_at_all() -> None:
    given = [
        ("anthropic-beta", "a"),
        ("x-stainless-os", "b"),
        ("x-api-key", "k"),
        ("authorization", "k"),
        ("host", "h"),
    ]
    assert sent_headers([*given, ("cookie", "c"), ("content-length", "1")]) == given[:2]
    back = [("content-type", "t"), ("x-ratelimit-limit", "1"), ("set-cookie", "s"), ("anthropic-organization-id", "o")]
    assert answered_headers(back) == back[:2]


@pytest.mark.parametrize(
    "body",
    [
        {"model": "small", "Model": "large"},
        {"model": "m", "Tools": [{"type": "web_search_20250305"}]},
        {"model": "m", "tool\u017f": []},
        {"model": "m", "bac\u212aground": True},
        {"model": "m", "messages": [{"content": [{"Type": "url", "URL": "https://evil.example"}]}]},
        {"model": "m", "MCP_Servers": [{}]},
        {"contents": [{"parts": [{"fileData": {"FileUri": "https://evil.example"}}]}]},
    ],
)
def test_a_key_in_other_letters_is_refused_as_some_servers_read_it_all_the_same(body: dict[str, Any]) -> None:
    assert "is not written as" in refuse_spelling(body)


def test_words_of_the_agents_own_tools_may_be_written_as_it_likes() -> None:
    schema = {"type": "object", "properties": {"Model": {"Type": "x"}, "URL": {"type": "string"}}}
    assert refuse_spelling({"model": "m", "tools": [{"name": "t", "input_schema": schema}]}) == ""


@pytest.mark.parametrize("name", ["openai/gpt-5:ONLINE", "GPT-5-Search-API"])
def test_a_model_that_searches_is_known_in_any_letters(name: str) -> None:
    assert refuse_reach({"model": name})


def test_an_address_is_known_in_any_letters() -> None:
    assert refuse_reach({"messages": [{"content": [{"source": {"type": "URL", "x": "https://evil.example"}}]}]})
