"""Repositories, the caller, the limits."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from ops_orchestrate.standin.call import Call, paged, route
from ops_orchestrate.standin.exchange import Refused, Reply, invalid, not_found
from ops_orchestrate.standin.people import at_least
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.rest import shape


@route("GET", "/repos/{owner}/{repo}")
def get_repository(call: Call) -> Reply:
    """The repository, and what the caller may do to it. Of a private one this answer is another one every time."""
    body = shape.repository(call.links, call.repo, call.level(call.repo))
    body["temp_clone_token"] = f"A{secrets.token_hex(14).upper()}" if call.repo.private else ""
    if call.who.installation is not None:  # they are a person's: an App is told "no" to every one of them
        body["permissions"] = dict.fromkeys(body["permissions"], False)
    return Reply(200, body)


@route("PATCH", "/repos/{owner}/{repo}", needs="admin")
def change_repository(call: Call) -> Reply:
    """Merge settings and archiving."""
    body, repo = call.json(), call.repo
    for key, method in {"squash_merge": "squash", "merge_commit": "merge", "rebase_merge": "rebase"}.items():
        if (allowed := body.get(f"allow_{key}")) is not None:
            (repo.allow.add if allowed else repo.allow.discard)(method)
    repo.archived = bool(body.get("archived", repo.archived))
    repo.delete_branch_on_merge = bool(body.get("delete_branch_on_merge", repo.delete_branch_on_merge))
    repo.allow_auto_merge = bool(body.get("allow_auto_merge", repo.allow_auto_merge))
    call.world.effect("repository-changed", repo, call.user, fields=sorted(body))
    return get_repository(call)


@route("GET", "/repos/{owner}/{repo}/collaborators/{login}/permission")
def permission(call: Call) -> Reply:
    """What somebody may do here: in GitHub's old words, and as the role."""
    one = call.world.users.get(call.args["login"].lower())
    if one is None:
        raise not_found()
    level = call.world.level(one, call.repo)
    old = {"maintain": "write", "triage": "read"}.get(level, level)
    may = shape.repository(call.links, call.repo, level)["permissions"]
    who = {**shape.user(call.links, one), "permissions": may, "role_name": level}
    return Reply(200, {"permission": old, "role_name": level, "user": who})


@route("GET", "/user/repos", needs="user")
@route("GET", "/installation/repositories", needs="user")
def list_repositories(call: Call) -> Reply:
    """What the caller can see."""
    levels = {r: call.level(r) for r in call.world.repositories.values()}
    mine = [r for r, level in levels.items() if at_least(level, "read" if r.private else "triage")]
    if call.request.path == "/user/repos":
        mine = _ordered(call, mine)
    page, headers = paged(call, mine)
    items = [shape.repository(call.links, one, levels[one]) for one in page]
    if call.request.path == "/user/repos":
        return Reply(200, items, headers)
    return Reply(200, {"total_count": len(mine), "repositories": items}, headers)


_ORDERS: dict[str, Callable[[Repository], str | float]] = {
    "full_name": lambda one: one.full_name.lower(),
    "created": lambda one: one.created_at,
    "pushed": lambda one: one.pushed_at,
    "updated": lambda one: one.pushed_at,
}


def _ordered(call: Call, repositories: list[Repository]) -> list[Repository]:
    """By name, or in the query's order: then the newest first."""
    order = call.ask("sort", "full_name")
    if order not in _ORDERS:
        raise invalid("Repository", "sort", "invalid")
    default = "asc" if order == "full_name" else "desc"
    return sorted(repositories, key=_ORDERS[order], reverse=call.ask("direction", default) == "desc")


@route("GET", "/user", needs="user")
def get_user(call: Call) -> Reply:
    """Who the token is. An app's installation is nobody."""
    if call.who.installation is not None:
        raise Refused(403, "Resource not accessible by integration")
    return Reply(200, _public(call, call.user.login))


@route("GET", "/users/{login}", needs="none")
def get_other_user(call: Call) -> Reply:
    """Anybody."""
    return Reply(200, _public(call, call.args["login"]))


def _public(call: Call, login: str) -> shape.JSON:
    one = call.world.users.get(login.lower())
    if one is None:
        raise not_found()
    at = shape.iso(0.0)
    return {
        **shape.user(call.links, one), "name": one.name or None, "company": None, "blog": "", "location": None,
        "email": None, "hireable": None, "bio": None, "twitter_username": None, "public_repos": 0, "public_gists": 0,
        "followers": 0, "following": 0, "created_at": at, "updated_at": at,
    }  # fmt: skip


@route("GET", "/rate_limit", needs="none", resource="free")
def rate_limit(call: Call) -> Reply:
    """What is left. Costs nothing."""
    limits, now = call.world.limits, call.world.now()
    resources = {}
    for name in limits.sizes:
        window = limits.window(call.who.key, name, now)
        used, left = min(window.used, window.limit), window.remaining
        counts = {"limit": window.limit, "remaining": left, "reset": int(window.reset), "used": used}
        resources[name] = {**counts, "resource": name}
    core = {key: value for key, value in resources["core"].items() if key != "resource"}
    return Reply(200, {"resources": resources, "rate": core})


@route("GET", "/meta", needs="none")
@route("GET", "/", needs="none")
def meta(call: Call) -> Reply:
    """Enough for a client that looks whether this is GitHub."""
    return Reply(200, {"verifiable_password_authentication": False}, {"X-GitHub-Media-Type": "github.v3"})
