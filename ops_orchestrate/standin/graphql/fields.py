"""The table of resolvers and what they share: connections, times, errors in GitHub's form."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphql import GraphQLError

from ops_orchestrate.standin.call import Call
from ops_orchestrate.standin.exchange import not_found
from ops_orchestrate.standin.people import at_least
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.rest.shape import iso

Resolver = Callable[..., Any]
#: (type, field) to what answers it: a function of the source, the call and the field's arguments.
FIELDS: dict[tuple[str, str], Resolver] = {}


def field(kind: str, name: str) -> Callable[[Resolver], Resolver]:
    """Answer this field."""

    def add(resolver: Resolver) -> Resolver:
        FIELDS[kind, name] = resolver
        return resolver

    return add


def simple(kind: str, table: Mapping[str, Callable[[Any, Call], Any]]) -> None:
    """Answer fields without arguments."""
    for name, read in table.items():
        FIELDS[kind, name] = lambda source, call, _read=read, **_: _read(source, call)


def problem(kind: str, message: str) -> GraphQLError:
    """An error with GitHub's `type`."""
    return GraphQLError(message, extensions={"type": kind})


def visible(call: Call, repository: Repository) -> bool:
    """Whether the caller may see it."""
    return at_least(call.level(repository), "read")


def must_write(call: Call, repository: Repository) -> None:
    """Raise what a mutation answers those who may not."""
    if not visible(call, repository):
        raise not_found()
    if not at_least(call.level(repository), "write"):
        raise problem("FORBIDDEN", f"{call.who.login} does not have the correct permissions to execute this mutation")


def connection(items: Iterable[Any], args: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A page of a list, by offset cursors."""
    everything = list(items)
    start = _offset(args.get("after"), -1) + 1
    end = _offset(args.get("before"), len(everything))
    if args.get("first") is not None:
        end = min(end, start + args["first"])
    elif args.get("last") is not None:
        start = max(start, end - args["last"])
    chosen = everything[start:end]
    cursors = [_cursor(start + index) for index in range(len(chosen))]
    page = {
        "hasNextPage": end < len(everything),
        "hasPreviousPage": start > 0,
        "startCursor": cursors[0] if cursors else None,
        "endCursor": cursors[-1] if cursors else None,
    }
    edges = [{"node": node, "cursor": cursor} for node, cursor in zip(chosen, cursors, strict=True)]
    return {"nodes": chosen, "edges": edges, "pageInfo": page, "totalCount": len(everything), **more}


def _cursor(index: int) -> str:
    return base64.b64encode(f"cursor:v2:{index}".encode()).decode()


def _offset(cursor: str | None, default: int) -> int:
    if cursor is None:
        return default
    try:
        return int(base64.b64decode(cursor).decode().rsplit(":", 1)[1])
    except (ValueError, IndexError, binascii.Error):
        raise problem("INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor.") from None


def time(at: float | None) -> str | None:
    """As GraphQL writes a time."""
    return iso(at)


def upper(word: str | None) -> str | None:
    """REST's word in GraphQL's capitals."""
    return word.upper() if word else None
