"""GitHub's published schemas, where `make schemas` has fetched them, and replies held against them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from ops_orchestrate.standin.exchange import Reply, Request

FOLDER = Path(__file__).parents[2] / ".schemas"
GRAPHQL = FOLDER / "schema.graphql"
OPENAPI = FOLDER / "api.github.com.json"
MISSING = "GitHub's published schemas are not here: run `make schemas` (needs npm)"
_HTTP_OK = range(200, 400)
_FORMATS = jsonschema.FormatChecker([])


@_FORMATS.checks("date-time")
def _is_time(value: object) -> bool:
    """As GitHub writes times; the library checks this format only with another one installed."""
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value) is not None


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(OPENAPI.read_text(encoding="utf-8"))
    return document


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Every path as a pattern, the most exact first; a parameter may hold a slash, as branches do."""
    found = []
    for path in _document()["paths"]:
        parts = re.split(r"\{[^}]*\}", path)
        found.append((re.compile("(.+?)".join(re.escape(part) for part in parts)), path))
    return sorted(found, key=lambda pair: (pair[1].count("{"), -len(pair[1])))


def _exact(pattern: re.Pattern[str], path: str) -> int | None:
    match = pattern.fullmatch(path)
    return sum(word.count("/") for word in match.groups()) if match else None


def template_of(path: str) -> str | None:
    """The documented path that a request's path is, or None."""
    fits = [(slashes, index) for index, (p, _) in enumerate(_paths()) if (slashes := _exact(p, path)) is not None]
    return _paths()[min(fits)[1]][1] if fits else None


def _plain(schema: Any) -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema: `nullable` becomes a type, discriminators go."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {k: _plain(v) for k, v in schema.items() if k not in {"nullable", "discriminator", "example", "examples"}}
    return {"anyOf": [kept, {"type": "null"}]} if schema.get("nullable") is True else kept


def _needed(schema: Any, into: dict[str, Any]) -> None:
    if isinstance(schema, dict):
        ref = schema.get("$ref")
        if isinstance(ref, str) and (name := ref.rsplit("/", 1)[1]) not in into:
            into[name] = _plain(_document()["components"]["schemas"][name])
            _needed(into[name], into)
    for one in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _needed(one, into)


def _response(template: str, method: str, status: int) -> dict[str, Any] | None:
    operation = _document()["paths"][template].get(method.lower())
    found = operation["responses"].get(str(status)) if operation else None
    if found and "$ref" in found:
        found = _document()["components"]["responses"][found["$ref"].rsplit("/", 1)[1]]
    return found


@cache
def _validator(template: str, method: str, status: int) -> jsonschema.Draft202012Validator | None:
    content = (_response(template, method, status) or {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is None:
        return None
    used: dict[str, Any] = {}
    whole = _plain(schema)
    _needed(whole, used)
    root = {**whole, "components": {"schemas": used}}
    return jsonschema.Draft202012Validator(root, format_checker=_FORMATS)


class Watcher:
    """Holds every REST reply against the OpenAPI document and remembers what does not fit."""

    def __init__(self) -> None:
        self.checked = 0
        self.problems: list[str] = []

    def __call__(self, request: Request, reply: Reply) -> None:
        """Look at one exchange."""
        if isinstance(reply.body, bytes) or request.path in {"/graphql", "/"} or reply.status == 304:
            return
        if reply.status in {301, 307}:  # of a renamed repository, on any route
            return
        template = template_of(request.path)
        where = f"{request.method} {template or request.path} {reply.status}"
        if template is None or request.method.lower() not in _document()["paths"][template]:
            if reply.status in _HTTP_OK:
                self.problems.append(f"{where}: GitHub documents no such operation")
            return
        if _response(template, request.method, reply.status) is None and reply.status in _HTTP_OK:
            self.problems.append(f"{where}: GitHub documents no such status")
            return
        validator = _validator(template, request.method, reply.status)
        if validator is None:
            return
        self.checked += 1
        for error in validator.iter_errors(json.loads(reply.payload() or b"null")):
            self.problems.append(f"{where}: {error.json_path}: {_short(error)}")


def _short(error: jsonschema.ValidationError) -> str:
    best = jsonschema.exceptions.best_match([error]) or error
    return f"{best.json_path}: {best.message[:300]}"
