"""Branches, refs, and the rules that stand in front of them."""

from __future__ import annotations

from ops_orchestrate.standin.call import Call, check_level, paged, route
from ops_orchestrate.standin.exchange import Refused, Reply, not_found
from ops_orchestrate.standin.git import ZERO
from ops_orchestrate.standin.repository import Protection
from ops_orchestrate.standin.rest import shape
from ops_orchestrate.standin.rules import bypasses

_BRANCH = "/repos/{owner}/{repo}/branches/{branch*}"
_SAFE = "refs/heads/", "refs/tags/"


@route("GET", "/repos/{owner}/{repo}/branches")
def list_branches(call: Call) -> Reply:
    """Every branch."""
    names = [ref.removeprefix("refs/heads/") for ref in call.repo.refs if ref.startswith("refs/heads/")]
    page, headers = paged(call, sorted(names))
    return Reply(200, [_short(call, name) for name in page], headers)


def _short(call: Call, name: str) -> shape.JSON:
    sha, api = call.repo.branch(name), shape.repo_api(call.links, call.repo)
    commit = {"sha": sha, "url": f"{api}/commits/{sha}"}
    return {"name": name, "commit": commit, "protected": bool(call.repo.rules_of(name))}


@route("GET", f"{_BRANCH}/protection")
def get_protection(call: Call) -> Reply:
    """The classic protection. Without administration it is "Not Found", as where there is none."""
    try:
        check_level(call, "admin")
    except Refused:
        raise not_found() from None
    rules = [rule for rule in call.repo.rules_of(call.args["branch"]) if rule.classic]
    if not rules:
        raise Refused(404, "Branch not protected")
    url = f"{shape.repo_api(call.links, call.repo)}/branches/{call.args['branch']}/protection"
    return Reply(200, _protection(url, rules[0]))


def _protection(url: str, rule: Protection) -> shape.JSON:
    body: shape.JSON = {
        "url": url,
        "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": rule.enforce_admins},
        "required_linear_history": {"enabled": rule.linear},
        "allow_force_pushes": {"enabled": rule.allow_force},
        "allow_deletions": {"enabled": rule.allow_deletion},
        "block_creations": {"enabled": False},
        "required_conversation_resolution": {"enabled": rule.resolve_threads},
        "lock_branch": {"enabled": False},
        "allow_fork_syncing": {"enabled": False},
        "required_signatures": {"url": f"{url}/required_signatures", "enabled": False},
    }
    if rule.checks:
        body["required_status_checks"] = {
            "url": f"{url}/required_status_checks",
            "strict": rule.strict,
            "contexts": [name for name, _ in rule.checks],
            "contexts_url": f"{url}/required_status_checks/contexts",
            "checks": [{"context": name, "app_id": app} for name, app in rule.checks],
        }
    if rule.pull_request or rule.approvals:
        body["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": rule.dismiss_stale,
            "require_code_owner_reviews": False,
            "require_last_push_approval": False,
            "required_approving_review_count": rule.approvals,
        }
    return body


@route("GET", _BRANCH)
def get_branch(call: Call) -> Reply:
    """One branch with its commit."""
    name = call.args["branch"]
    sha = call.repo.branch(name)
    if sha is None:
        raise Refused(404, "Branch not found")
    api, html = shape.repo_api(call.links, call.repo), f"{call.links.html}/{call.repo.full_name}"
    checks = [check for rule in call.repo.rules_of(name) if rule.classic for check in rule.checks]
    required = {
        "enforcement_level": "everyone" if checks else "off",
        "contexts": [context for context, _ in checks],
        "checks": [{"context": context, "app_id": app} for context, app in checks],
    }
    body = {
        "name": name,
        "commit": shape.commit(call.links, call.world, call.repo, call.repo.bare.commit(sha)),
        "_links": {"self": f"{api}/branches/{name}", "html": f"{html}/tree/{name}"},
        "protected": bool(call.repo.rules_of(name)),
        "protection": {"enabled": bool(checks), "required_status_checks": required},
        "protection_url": f"{api}/branches/{name}/protection",
    }
    return Reply(200, body)


@route("GET", "/repos/{owner}/{repo}/rules/branches/{branch*}")
def get_rules(call: Call) -> Reply:
    """Every rule of every ruleset on a branch; classic protections are not among them."""
    rules = [
        {"type": kind, **({"parameters": given} if given else {}), **_ruleset(call, rule)}
        for rule in call.repo.rules_of(call.args["branch"])
        if not rule.classic
        for kind, given in _rules(rule)
    ]
    page, headers = paged(call, rules)
    return Reply(200, page, headers)


def _ruleset(call: Call, rule: Protection) -> shape.JSON:
    source = {"ruleset_source_type": "Repository", "ruleset_source": call.repo.full_name}
    return {**source, "ruleset_id": rule.id}


def _rules(rule: Protection) -> list[tuple[str, shape.JSON]]:
    found: list[tuple[str, shape.JSON]] = []
    if not rule.allow_deletion:
        found.append(("deletion", {}))
    if not rule.allow_force:
        found.append(("non_fast_forward", {}))
    if rule.linear:
        found.append(("required_linear_history", {}))
    if rule.pull_request or rule.approvals:
        found.append(("pull_request", _pull_request(rule)))
    if rule.checks:
        checks = [{"context": c, **({"integration_id": app} if app else {})} for c, app in rule.checks]
        strict = {"strict_required_status_checks_policy": rule.strict, "do_not_enforce_on_create": False}
        found.append(("required_status_checks", {"required_status_checks": checks, **strict}))
    if rule.merge_queue:
        found.append(("merge_queue", _queue()))
    return found


def _pull_request(rule: Protection) -> shape.JSON:
    return {
        "required_approving_review_count": rule.approvals,
        "dismiss_stale_reviews_on_push": rule.dismiss_stale,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_review_thread_resolution": rule.resolve_threads,
        "allowed_merge_methods": list(rule.methods),
    }


def _queue() -> shape.JSON:
    return {
        "merge_method": "MERGE", "max_entries_to_build": 1, "min_entries_to_merge": 1, "max_entries_to_merge": 1,
        "min_entries_to_merge_wait_minutes": 0, "grouping_strategy": "ALLGREEN", "check_response_timeout_minutes": 60,
    }  # fmt: skip


@route("GET", "/repos/{owner}/{repo}/git/ref/{ref*}")
def get_ref(call: Call) -> Reply:
    """One ref by its full name without `refs/`."""
    name = f"refs/{call.args['ref']}"
    if name not in call.repo.refs:
        raise not_found()
    return Reply(200, _ref(call, name))


@route("GET", "/repos/{owner}/{repo}/git/matching-refs/{ref*}")
def matching_refs(call: Call) -> Reply:
    """Every ref that starts so."""
    names = sorted(name for name in call.repo.refs if name.startswith(f"refs/{call.args['ref']}"))
    page, headers = paged(call, names)
    return Reply(200, [_ref(call, name) for name in page], headers)


def _ref(call: Call, name: str) -> shape.JSON:
    api, sha = shape.repo_api(call.links, call.repo), call.repo.refs[name]
    thing = {"sha": sha, "type": "commit", "url": f"{api}/git/commits/{sha}"}
    return {"ref": name, "node_id": f"REF_{call.repo.id}:{name}", "url": f"{api}/git/{name}", "object": thing}


@route("POST", "/repos/{owner}/{repo}/git/refs", needs="write", creates=True)
def create_ref(call: Call) -> Reply:
    """A new branch or tag at a commit that is there."""
    body = call.json()
    name, sha = str(body.get("ref", "")), str(body.get("sha", ""))
    if not name.startswith(_SAFE):
        raise Refused(422, "Reference name must start with 'refs/heads/' or 'refs/tags/'.")
    if name in call.repo.refs:
        raise Refused(422, "Reference already exists")
    if call.repo.bare.resolve(sha) != sha:
        raise Refused(422, "Object does not exist")
    if not call.tide.refs.move(call.repo, name, sha, ZERO, by=call.user, how="api"):
        raise Refused(422, "Reference update failed")
    return Reply(201, _ref(call, name))


@route("PATCH", "/repos/{owner}/{repo}/git/refs/{ref*}", needs="write")
def move_ref(call: Call) -> Reply:
    """Move a ref; back or aside only with `force`, and past no rule."""
    body, name = call.json(), f"refs/{call.args['ref']}"
    old, new = call.repo.refs.get(name), str(body.get("sha", ""))
    if old is None:
        raise Refused(422, "Reference does not exist")
    if call.repo.bare.resolve(new) != new:
        raise Refused(422, "Object does not exist")
    forced = not call.repo.bare.is_ancestor(old, new)
    if forced and not body.get("force"):
        raise Refused(422, "Update is not a fast forward")
    _past_rules(call, name)
    if not call.tide.refs.move(call.repo, name, new, old, by=call.user, how="api"):
        raise Refused(422, "Reference update failed")
    return Reply(200, _ref(call, name))


@route("DELETE", "/repos/{owner}/{repo}/git/refs/{ref*}", needs="write")
def delete_ref(call: Call) -> Reply:
    """Remove a ref."""
    name = f"refs/{call.args['ref']}"
    old = call.repo.refs.get(name)
    if old is None or not name.startswith(_SAFE):
        raise Refused(422, "Reference does not exist")
    _past_rules(call, name)
    if name == f"refs/heads/{call.repo.default_branch}":
        raise Refused(422, "Cannot delete the default branch")
    call.tide.refs.move(call.repo, name, ZERO, old, by=call.user, how="api")
    return Reply(204)


def _past_rules(call: Call, name: str) -> None:
    rules = call.repo.rules_of(name.removeprefix("refs/heads/")) if name.startswith("refs/heads/") else []
    who = call.who
    if any(
        rule.pull_request and not bypasses(call.world, who.user, call.repo, rule, who.installation) for rule in rules
    ):
        raise Refused(422, "Repository rule violations found\n\nChanges must be made through a pull request.\n\n")
