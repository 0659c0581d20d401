"""What GitHub demands before anything gets into a branch: rulesets, and the older branch protection beside them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.standing import Method
from ops_orchestrate.adapters.github.trouble import Denied, Missing
from ops_orchestrate.core.merge.pull import BranchRules, RequiredCheck
from ops_orchestrate.core.names import one_line

#: What GitHub says with 404 to somebody who may know that there is no protection; anybody else gets "Not Found".
_NONE = "branch not protected"


class _Demands:
    """What was found so far."""

    def __init__(self, methods: frozenset[Method]) -> None:
        self.known = True
        self.protected = False
        self.checks: dict[tuple[str, int | None], RequiredCheck] = {}
        self.strict = False
        self.approvals = 0
        self.queue = False
        self.methods = methods

    def require(self, name: object, app: object) -> None:
        number = app if isinstance(app, int) and app > 0 else None  # -1: any app
        text = one_line(str(name), 200)
        self.checks[text, number] = RequiredCheck(name=text, app=number)


def branch_rules(
    client: GitHubClient, slug: str, branch: str, methods: frozenset[Method], outsiders: set[str]
) -> BranchRules:
    """The demands of a branch; `known` is False where somebody with our rights can't see them.

    `methods`: what the repository allows. `outsiders`: repositories whose classic protection we were not shown, as only
    an administrator is; they are remembered there. Raises SourceUnavailable where GitHub does not answer.
    """
    found = _Demands(methods)
    place = quote(branch, safe="")
    try:
        for rule in client.pages(f"/repos/{slug}/rules/branches/{place}", Purpose.SHIP):
            _add_rule(found, rule if isinstance(rule, dict) else {})
    except (Missing, Denied):
        found.known = False
    _add_protection(client, slug, place, found, outsiders)
    return BranchRules(
        known=found.known,
        protected=found.protected,
        required_checks=tuple(found.checks.values()),
        strict=found.strict,
        required_approvals=found.approvals,
        merge_queue=found.queue,
        methods=found.methods,
    )


def _add_rule(found: _Demands, rule: dict[str, Any]) -> None:
    found.protected = True
    given = rule.get("parameters")
    terms: dict[str, Any] = given if isinstance(given, dict) else {}
    match rule.get("type"):
        case "required_status_checks":
            found.strict = found.strict or terms.get("strict_required_status_checks_policy") is True
            for one in terms.get("required_status_checks") or []:
                found.require(one.get("context"), one.get("integration_id"))
        case "pull_request":
            found.approvals = max(found.approvals, int(terms.get("required_approving_review_count") or 0))
            allowed = terms.get("allowed_merge_methods")
            if isinstance(allowed, list):
                found.methods &= frozenset(allowed)
        case "merge_queue":
            found.queue = True
        case "required_linear_history":
            found.methods -= {"merge"}


def _add_protection(client: GitHubClient, slug: str, place: str, found: _Demands, outsiders: set[str]) -> None:
    """Classic protection. Only an administrator is shown it; whether there is any, everybody is."""
    if slug.lower() in outsiders and _has_none(_branch(client, slug, place)):
        return
    try:
        _add_demands(found, client.get(f"/repos/{slug}/branches/{place}/protection", Purpose.SHIP).data)
    except (Missing, Denied) as error:
        if isinstance(error, Missing) and _NONE in str(error).lower():
            return
        outsiders.add(slug.lower())
        branch = _branch(client, slug, place)
        if not _has_none(branch):
            found.known = False
            found.protected = found.protected or branch.get("protected") is True


def _add_demands(found: _Demands, body: Any) -> None:
    if not isinstance(body, dict):
        found.known = False
        return
    found.protected = True
    checks = body.get("required_status_checks") or {}
    found.strict = found.strict or checks.get("strict") is True
    for one in checks.get("checks") or [{"context": name} for name in checks.get("contexts") or []]:
        found.require(one.get("context"), one.get("app_id"))
    reviews = body.get("required_pull_request_reviews") or {}
    found.approvals = max(found.approvals, int(reviews.get("required_approving_review_count") or 0))
    if (body.get("required_linear_history") or {}).get("enabled") is True:
        found.methods -= {"merge"}


def _branch(client: GitHubClient, slug: str, place: str) -> dict[str, Any]:
    """A branch as everybody sees it; nothing where we see none."""
    try:
        body = client.get(f"/repos/{slug}/branches/{place}", Purpose.SHIP).data
    except (Missing, Denied):
        return {}
    return body if isinstance(body, dict) else {}


def _has_none(branch: dict[str, Any]) -> bool:
    """Whether GitHub says that no classic protection stands in front of it."""
    protection = branch.get("protection")
    return isinstance(protection, dict) and protection.get("enabled") is False
