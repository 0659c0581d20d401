"""Where queries begin: repositories, nodes by name, the caller, the limit."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.standin.call import Call
from ops_orchestrate.standin.graphql.fields import connection, field, problem, simple, time, visible
from ops_orchestrate.standin.people import User
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.rest.issues import search as rest_search


@field("Query", "repository")
def repository(_: Any, call: Call, owner: str, name: str, **__: Any) -> Repository:
    """A repository; also by a name that it had once."""
    full = f"{owner}/{name}".lower()
    found = call.world.find(call.world.renamed.get(full, full))
    if found is None or not visible(call, found):
        raise problem("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")
    return found


@field("Query", "viewer")
def viewer(_: Any, call: Call) -> User:
    """The caller."""
    return call.user


@field("Query", "rateLimit")
def rate_limit(_: Any, call: Call, **__: Any) -> dict[str, Any]:
    """What is left after this query."""
    window = call.world.limits.window(call.who.key, "graphql", call.world.now())
    left = max(0, window.remaining - call.price)
    return {
        "limit": window.limit, "cost": call.price, "remaining": left, "used": window.limit - left,
        "resetAt": time(window.reset), "nodeCount": 0,
    }  # fmt: skip


@field("Query", "node")
def node(_: Any, call: Call, id: str) -> Any:
    """A thing by its global name."""
    found = call.world.nodes.get(id)
    where = found if isinstance(found, Repository) else _where(found)
    if found is None or (where is not None and not visible(call, where)):
        raise problem("NOT_FOUND", f"Could not resolve to a node with the global id of '{id}'")
    return found


def _where(thing: Any) -> Repository | None:
    for name in ("repository", "pull", "suite"):
        inner = getattr(thing, name, None)
        if isinstance(inner, Repository):
            return inner
        if inner is not None:
            return _where(inner)
    return None


@field("Query", "nodes")
def nodes(_: Any, call: Call, ids: list[str]) -> list[Any]:
    """Things by their global names."""
    return [node(None, call, id=one) for one in ids]


@field("Query", "user")
def user(_: Any, call: Call, login: str) -> User:
    """A user."""
    found = call.world.users.get(login.lower())
    if found is None or found.kind != "User":
        raise problem("NOT_FOUND", f"Could not resolve to a User with the login of '{login}'.")
    return found


@field("Query", "search")
def search(_: Any, call: Call, query: str, **page: Any) -> dict[str, Any]:
    """Issues and pull requests, as REST finds them."""
    found = rest_search(call, query)
    return connection(found, page, issueCount=len(found))


for _kind in ("User", "Bot", "Organization"):
    simple(
        _kind,
        {
            "id": lambda u, c: u.node_id,
            "databaseId": lambda u, c: u.id,
            "login": lambda u, c: u.login.removesuffix("[bot]"),
            "name": lambda u, c: u.name or None,
            "url": lambda u, c: f"{c.links.html}/{u.login}",
            "resourcePath": lambda u, c: f"/{u.login}",
            "avatarUrl": lambda u, c: f"{c.links.html}/avatars/{u.id}",
        },
    )
simple("User", {"email": lambda u, c: "", "isViewer": lambda u, c: u is c.who.user})


simple(
    "App",
    {
        "id": lambda a, c: a.node_id,
        "databaseId": lambda a, c: a.id,
        "slug": lambda a, c: a.slug,
        "name": lambda a, c: a.slug,
        "url": lambda a, c: f"{c.links.html}/apps/{a.slug}",
    },
)
