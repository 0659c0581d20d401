"""Which schema serves, and how a query is parsed, checked and priced. graphql-core is an extra: imported late."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLError, GraphQLSchema

OWN = Path(__file__).with_name("schema.graphql")


@lru_cache(maxsize=4)
def load(path: Path) -> GraphQLSchema:
    """Build a schema; GitHub's whole one takes about two seconds, once a process."""
    from graphql import build_schema

    return build_schema(path.read_text(encoding="utf-8"), assume_valid=True)


@lru_cache(maxsize=512)
def checked(path: Path, query: str) -> DocumentNode | list[GraphQLError]:
    """The document, or what is wrong with it."""
    from graphql import GraphQLError, parse, validate

    try:
        document = parse(query)
    except GraphQLError as error:
        return [error]
    return validate(load(path), document) or document


def as_json(error: GraphQLError) -> dict[str, Any]:
    """An error as GitHub writes it: its type beside its message."""
    body = error.formatted
    extra: dict[str, Any] = dict(body.get("extensions") or {})
    kind = {"type": extra.pop("type")} if "type" in extra else {}
    plain = {key: value for key, value in body.items() if key != "extensions"}
    return {**kind, **plain, **({"extensions": extra} if extra else {})}
