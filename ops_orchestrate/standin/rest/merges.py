"""Merging and updating a pull request."""

from __future__ import annotations

from ops_orchestrate.standin.call import Call, route
from ops_orchestrate.standin.exchange import Reply, invalid, not_found
from ops_orchestrate.standin.merging import Order
from ops_orchestrate.standin.rest import shape

_PULL = "/repos/{owner}/{repo}/pulls/{number}"
_METHODS = {"merge", "squash", "rebase"}


@route("PUT", f"{_PULL}/merge", needs="write", creates=True)
def merge(call: Call) -> Reply:
    """Merge it: 200, or 405 (not now, not so), 409 (the head has moved), 422 (no such method)."""
    pull, body = call.pull(), call.json()
    method = body.get("merge_method", "merge")
    if method not in _METHODS:
        raise invalid("PullRequest", "merge_method", "invalid", f"{method} is not a merge method")
    order = Order(method, body.get("sha"), body.get("commit_title"), body.get("commit_message"))
    sha = call.tide.merging.merge(pull, call.user, order)
    return Reply(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@route("GET", f"{_PULL}/merge")
def is_merged(call: Call) -> Reply:
    """204: merged; 404: not."""
    if not call.pull().merged:
        raise not_found()
    return Reply(204)


@route("PUT", f"{_PULL}/update-branch", needs="write")
def update_branch(call: Call) -> Reply:
    """Merge the base into the head."""
    pull = call.pull()
    call.tide.merging.update(pull, call.user, call.json().get("expected_head_sha"))
    url = f"{shape.repo_api(call.links, call.repo)}/pulls/{pull.number}"
    return Reply(202, {"message": "Updating pull request branch.", "url": url})
