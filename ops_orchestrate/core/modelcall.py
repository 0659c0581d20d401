"""What an agent may ask of a model's API through our proxy: which calls, which headers, and nothing that reaches on.

An agent that has no network can still make the *provider* go out for it: a tool that the provider runs (web search,
fetching, code, MCP servers), or a picture given by its address. Each of them would carry whatever the agent has read
to anybody, so a call that asks for one is refused unless the owner allows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl

#: Anthropic's messages; OpenAI's chat completions and responses, and whatever is like them; Gemini's contents.
_CALLS = {
    "POST": re.compile(
        r"(?:/v1)?/(?:messages(?:/count_tokens)?|chat/completions|responses(?:/compact)?)"
        r"|/v1(?:beta|alpha)?/models/[\w.-]{1,100}:(?:generateContent|streamGenerateContent|countTokens)",
        re.ASCII,
    ),
    "GET": re.compile(r"(?:/v1(?:beta)?)?/models(?:/(?!\.{1,2}\Z)[\w.:@-]{1,100})?", re.ASCII),
}
_QUERY = frozenset({"beta", "alt", "api-version", "limit", "after_id", "before_id", "client_version"})
_VALUE = re.compile(r"[\w.:-]{0,100}")
_MOST_FIELDS = 20

_SENT = frozenset({"accept", "user-agent", "anthropic-version", "anthropic-beta", "openai-beta", "x-app"})
_SENT_LIKE = ("x-stainless-", "x-claude-code-")
_ANSWERED = frozenset({"content-type", "retry-after", "retry-after-ms", "x-should-retry", "request-id", "x-request-id"})
_ANSWERED_LIKE = ("anthropic-ratelimit-", "x-ratelimit-")
#: Headers that an agent may show its placeholder in, as the CLIs do.
CREDENTIALS = ("x-api-key", "authorization", "x-goog-api-key", "api-key")

#: Kinds of tools that run where the agent runs. A provider's own kinds come with a date or a number behind them.
_LOCAL_TOOLS = re.compile(
    r"custom|function|local_shell|apply_patch|(?:bash|text_editor|computer|memory)_[0-9]{8}"
    r"|tool_search_tool_(?:regex|bm25)_[0-9]{8}"
)
_REACHING = (
    *("mcp_servers", "container", "web_search_options", "plugins", "connector_id", "server_url"),
    *("fileUri", "file_uri", "vector_store_ids", "data_sources", "dataSources"),
    # Gemini's own tools, which a tool that has a name beside them must not hide.
    *("googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval"),
    *("urlContext", "url_context", "codeExecution", "code_execution"),
)
#: Models that search the web unasked: OpenRouter's `:online`, OpenAI's `…-search-preview` and `…-search-api`.
_SEARCHING = re.compile(r":online(?::|\Z)|-search-(?:preview|api)\b", re.IGNORECASE)
#: Below these stand words of the agent's own tools, in any shape.
_OPAQUE = frozenset(
    {"input_schema", "parameters", "parametersJsonSchema", "schema", "output_schema", "input_examples", "args"}
)
_OPAQUE_DICTS = frozenset({"input", "response", "arguments"})
_THEMSELVES = "Give files and pictures themselves, not their addresses."
_ADDRESSES = ("image_url", "file_url", "audio_url", "video_url", "document_url")
_JUDGED = frozenset(
    {*_REACHING, *_ADDRESSES, "model", "models", "tools", "type", "name", "background", "file_data", "url"}
    | {"functionDeclarations", "function_declarations"}
)
_FOLDED = frozenset(map(str.casefold, _JUDGED))


def refuse_call(method: str, path: str, query: str = "") -> str:
    """Why that call is none of the model's API, in words; empty where it is one. `path` is below the base URL."""
    allowed = _CALLS.get(method)
    if allowed is None or not allowed.fullmatch(path):
        return "Only calls of the model's API go through here."
    fields = parse_qsl(query, keep_blank_values=True) if query.count("&") < _MOST_FIELDS else [("", "")]
    if any(name not in _QUERY or not _VALUE.fullmatch(value) for name, value in fields):
        return "That part of the query does not go through here."
    return ""


def sent_headers(given: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers that go on to the provider: a list of what does, so that nothing else can.

    The type of the body is none of them: what was judged as JSON is sent as JSON, whatever the agent calls it.
    """
    return [
        (name, value) for name, value in given if (name in _SENT or name.startswith(_SENT_LIKE)) and value.isascii()
    ]


def answered_headers(given: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of the provider's answer that go back to the agent; none that tells whose account it is."""
    return [(name, value) for name, value in given if name in _ANSWERED or name.startswith(_ANSWERED_LIKE)]


def refuse_model(name: object, allowed: Sequence[str]) -> str:
    """Why that model may not be used; `allowed` are globs, none of them means any model."""
    if not isinstance(name, str):
        return "The call names no model."
    if allowed and not any(fnmatchcase(name, glob) for glob in allowed):
        return "That model is not one of those that the owner allows."
    return ""


def refuse_spelling(body: Mapping[str, Any]) -> str:
    """Which key of a call is one of those judged here in other letters; empty where none is.

    Some servers read `Tools` as `tools`, and take the last one where both are there.
    """
    for found in _objects(body):
        for key in found:
            if key not in _JUDGED and key.casefold() in _FOLDED:
                return f"The key {key[:60]!r} is not written as the model's API has it."
    return ""


def refuse_unwatched(body: Mapping[str, Any]) -> str:
    """What in a call would go on after its answer has ended, where nobody counts it; empty where nothing would."""
    if body.get("background"):
        return "A call that runs in the background is not allowed: its tokens are not counted."
    return ""


def refuse_reach(body: Mapping[str, Any]) -> str:
    """What in a call would have the provider's servers reach out; empty where nothing would."""
    others = body.get("models")  # OpenRouter's: asked in place of `model` where that does not answer
    for name in (body.get("model"), *(others if isinstance(others, list) else [others])):
        if _SEARCHING.search(str(name)):
            return "A model that searches the web is not allowed."
    for found in _objects(body):
        if (problem := _refuse_object(found)) or (problem := _refuse_tools(found.get("tools"))):
            return problem
    return ""


def _refuse_object(found: Mapping[str, Any]) -> str:
    for key in _REACHING:
        if found.get(key) not in (None, []):  # an empty object asks for it too, with nothing set
            return f"{key} is not allowed: the model's provider would reach out for it."
    if str(found.get("type")).casefold() == "url":
        return _THEMSELVES
    for key in _ADDRESSES:
        given = found.get(key)
        address = given.get("url") if isinstance(given, Mapping) else given
        if address is not None and not (isinstance(address, str) and address.startswith("data:")):
            return _THEMSELVES
    data = found.get("file_data")  # base64, bare or behind `data:`; OpenRouter takes an address in its place
    return _THEMSELVES if isinstance(data, str) and "://" in data[:100] else ""


def _refuse_tools(tools: object) -> str:
    if not isinstance(tools, list):
        return "" if tools is None else "The tools are no list."
    for tool in tools:
        if not isinstance(tool, Mapping):
            return "A tool is no object."
        kind = tool.get("type", "custom")
        gemini = "type" not in tool and "name" not in tool
        local = set(tool) <= {"functionDeclarations", "function_declarations"} if gemini else _is_local(kind)
        if not local:
            name = kind if not gemini else ", ".join(sorted(map(str, tool)))
            return f"The tool {str(name)[:60]} is not allowed: the model's provider would run it."
    return ""


def _is_local(kind: object) -> bool:
    """A namespace is judged by the tools in it, which are objects of their own."""
    return kind is None or kind == "namespace" or (isinstance(kind, str) and bool(_LOCAL_TOOLS.fullmatch(kind)))


def _objects(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every object of a call that the provider reads as a part of it."""
    waiting: list[Any] = [body]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting += found
        elif isinstance(found, Mapping):
            yield found
            for key, value in found.items():
                opaque = key in _OPAQUE or (key in _OPAQUE_DICTS and isinstance(value, Mapping))
                if not opaque or found is body:  # no tool's words stand at the top
                    waiting.append(value)
