"""`POST /graphql`: check, price, execute, and answer 200 whatever came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops_orchestrate.standin.call import Call, route
from ops_orchestrate.standin.exchange import Refused, Reply
from ops_orchestrate.standin.graphql import schema
from ops_orchestrate.standin.people import User

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo


@route("POST", "/graphql", needs="none", resource="graphql")
def graphql(call: Call) -> Reply:
    """Execute a query. Raises Refused 401 without a token: GraphQL has no anonymous use."""
    if call.who.user is None:
        raise Refused(401, "This endpoint requires you to be authenticated.")
    body = call.json()
    window = call.world.limits.window(call.who.key, "graphql", call.world.now())
    if window.remaining <= 0:
        text = f"API rate limit exceeded for user ID {call.user.id}."
        return Reply(200, {"errors": [{"type": "RATE_LIMITED", "message": text}]}, {"X-Standin-Points": "0"})
    return _execute(call, call.world.published or schema.OWN, body)


def _execute(call: Call, path: Path, body: dict[str, Any]) -> Reply:
    from graphql import execute

    from ops_orchestrate.standin.graphql.cost import Price

    query, variables = str(body.get("query", "")), body.get("variables") or {}
    document = schema.checked(path, query)
    if isinstance(document, list):
        return Reply(200, {"errors": [schema.as_json(error) for error in document]})
    price = Price(document, variables)
    if price.errors:
        return Reply(200, {"errors": [schema.as_json(error) for error in price.errors]})
    load_resolvers()
    call.price = price.points
    result = execute(
        schema.load(path),
        document,
        context_value=call,
        variable_values=variables,
        operation_name=body.get("operationName") or None,
        field_resolver=_resolve,
        type_resolver=lambda value, *_: _typename(value),
    )
    assert not hasattr(result, "__await__")
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [schema.as_json(error) for error in result.errors]
    return Reply(200, answer, {"X-Standin-Points": str(price.points)})


def load_resolvers() -> None:
    """Fill the table of resolvers (late, with graphql-core)."""
    from ops_orchestrate.standin.graphql import (  # noqa: F401 - each fills the table
        mutations,
        on_checks,
        on_issues,
        on_pulls,
        on_query,
        on_repository,
    )


def _typename(value: Any) -> str:
    if isinstance(value, dict):
        return str(value["__typename"])
    if isinstance(value, User):
        return value.kind
    thing = value[0] if isinstance(value, tuple) else value
    return _NAMES.get(type(thing).__name__, type(thing).__name__)


#: Types of ours that GraphQL calls otherwise. A comment or review comes with what it is about, as a pair.
_NAMES = {
    "Pull": "PullRequest", "Thread": "PullRequestReviewThread", "ThreadComment": "PullRequestReviewComment",
    "Review": "PullRequestReview", "Comment": "IssueComment", "Status": "StatusContext", "Suite": "CheckSuite",
    "Run": "WorkflowRun", "QueueEntry": "MergeQueueEntry",
}  # fmt: skip


def _resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    from ops_orchestrate.standin.graphql.fields import FIELDS, problem

    kind, name = info.parent_type.name, info.field_name
    resolver = FIELDS.get((kind, name))
    if resolver is not None:
        _refuse_unknown(info, arguments)
        try:
            return resolver(source, info.context, **arguments)
        except Refused as refused:
            word = {404: "NOT_FOUND", 403: "FORBIDDEN"}.get(refused.status, "UNPROCESSABLE")
            raise problem(word, refused.message) from None
    if isinstance(source, dict) and name in source:
        return source[name]
    raise problem("STANDIN", f"The stand-in does not know {kind}.{name}.")


_PAGE = frozenset({"first", "after", "last", "before"})
#: Arguments that the resolvers of a field obey beside its page. Any other is refused, lest a filter be ignored unseen.
_OBEYED: dict[str, frozenset[str]] = {
    "avatarUrl": frozenset({"size"}),
    "closedByPullRequestsReferences": frozenset({"includeClosedPrs"}),
    "isRequired": frozenset({"pullRequestId", "pullRequestNumber"}),
    "issue": frozenset({"number"}),
    "issueOrPullRequest": frozenset({"number"}),
    "issues": frozenset({"filterBy", "labels", "orderBy", "states"}),
    "mergeQueue": frozenset({"branch"}),
    "node": frozenset({"id"}),
    "nodes": frozenset({"ids"}),
    "object": frozenset({"expression", "oid"}),
    "pullRequest": frozenset({"number"}),
    "pullRequests": frozenset({"baseRefName", "headRefName", "labels", "orderBy", "states"}),
    "ref": frozenset({"qualifiedName"}),
    "refs": frozenset({"query", "refPrefix"}),
    "repository": frozenset({"followRenames", "name", "owner"}),
    "reviews": frozenset({"states"}),
    "search": frozenset({"query", "type"}),
    "user": frozenset({"login"}),
}


def obeyed(kind: str, field: str) -> frozenset[str]:
    """The arguments that a field of a type obeys."""
    return frozenset({"input"}) if kind == "Mutation" else _PAGE | _OBEYED.get(field, frozenset())


def _refuse_unknown(info: GraphQLResolveInfo, arguments: dict[str, Any]) -> None:
    from ops_orchestrate.standin.graphql.fields import problem

    kind, name = info.parent_type, info.field_name
    known, fine = kind.fields[name].args, obeyed(kind.name, name)
    for argument, value in arguments.items():
        if argument not in fine and value is not None and value != known[argument].default_value:
            raise problem("STANDIN", f"The stand-in does not know {kind.name}.{name}({argument}).")
