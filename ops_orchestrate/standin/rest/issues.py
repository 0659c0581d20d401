"""Issues, their labels, comments and relations, and the search over them."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from ops_orchestrate.standin.call import Call, paged, route
from ops_orchestrate.standin.exchange import Refused, Reply, invalid, not_found
from ops_orchestrate.standin.issue import Comment, Issue, Label
from ops_orchestrate.standin.people import at_least
from ops_orchestrate.standin.pull import Pull
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.rest import shape_pull
from ops_orchestrate.standin.world import World

_ISSUE = "/repos/{owner}/{repo}/issues/{number}"


def _all(repository: Repository) -> list[Issue | Pull]:
    found: list[Issue | Pull] = [*repository.issues.values(), *repository.pulls.values()]
    return sorted(found, key=lambda one: one.number, reverse=True)


def _either(call: Call) -> Issue | Pull:
    number = call.number()
    found = call.repo.issues.get(number) or call.repo.pulls.get(number)
    if found is None:
        raise not_found()
    return found


def _issue(call: Call) -> Issue:
    found = call.repo.issues.get(call.number())
    if found is None:
        raise not_found()
    return found


_ORDERS: dict[str, Callable[[Issue | Pull], float]] = {
    "created": lambda one: one.created_at,
    "updated": lambda one: one.updated_at,
    "comments": lambda one: len(one.comments),
}


@route("GET", "/repos/{owner}/{repo}/issues")
def list_issues(call: Call) -> Reply:
    """Issues and pull requests, newest first unless the query says otherwise: GitHub mixes them here."""
    state, order = call.ask("state", "open"), _ORDERS.get(call.ask("sort", "created"))
    if order is None:
        raise invalid("Issue", "sort", "invalid")
    labels = {name for name in call.ask("labels").split(",") if name}
    found = [
        one
        for one in _all(call.repo)
        if state in {"all", "open" if one.open else "closed"} and labels <= {label.name for label in one.labels}
    ]
    found.sort(key=lambda one: (int(order(one)), one.number), reverse=call.ask("direction", "desc") == "desc")
    page, headers = paged(call, found)
    return Reply(200, [shape_pull.issue(call.links, call.world, one) for one in page], headers)


@route("GET", _ISSUE)
def get_issue(call: Call) -> Reply:
    """One issue or pull request."""
    return Reply(200, shape_pull.issue(call.links, call.world, _either(call)))


@route("POST", "/repos/{owner}/{repo}/issues", creates=True)
def create_issue(call: Call) -> Reply:
    """Open an issue."""
    body = call.json()
    if not body.get("title"):
        raise invalid("Issue", "title", "missing_field")
    one = new_issue(call.world, call.repo, call.user.login, str(body["title"]), str(body.get("body") or ""))
    one.labels = [label_of(call.world, call.repo, str(name)) for name in body.get("labels", [])]
    return Reply(201, shape_pull.issue(call.links, call.world, one))


@route("PATCH", _ISSUE, needs="triage")
def change_issue(call: Call) -> Reply:
    """Change title, text, state or labels."""
    one, body = _issue(call), call.json()
    one.title, one.body = str(body.get("title", one.title)), str(body.get("body", one.body) or "")
    if "labels" in body:
        one.labels = [label_of(call.world, call.repo, str(name)) for name in body["labels"]]
    if body.get("state") in {"open", "closed"}:
        one.open = body["state"] == "open"
        one.closed_at = None if one.open else call.world.now()
        one.state_reason = body.get("state_reason") or (None if one.open else "completed")
    one.updated_at = call.world.now()
    call.world.effect("issue-changed", call.repo, call.user, number=one.number, fields=sorted(body))
    return Reply(200, shape_pull.issue(call.links, call.world, one))


def new_issue(world: World, repository: Repository, author: str, title: str, body: str) -> Issue:
    """An issue with the next number."""
    number, node = world.ids("I")
    at, by = world.now(), world.user(author)
    one = world.keep(Issue(number, node, repository, repository.number(), title, body, by, at, at))
    repository.issues[one.number] = one
    world.effect("issue-opened", repository, by, number=one.number, title=title)
    return one


def label_of(world: World, repository: Repository, name: str) -> Label:
    """The label of that name, made where there is none."""
    if name not in repository.labels:
        number, node = world.ids("LA")
        repository.labels[name] = world.keep(Label(number, node, repository, name))
    return repository.labels[name]


@route("GET", f"{_ISSUE}/labels")
def labels_of_issue(call: Call) -> Reply:
    """Its labels."""
    page, headers = paged(call, _either(call).labels)
    return Reply(200, [shape_pull.label(call.links, one) for one in page], headers)


@route("POST", f"{_ISSUE}/labels", needs="triage")
def add_labels(call: Call) -> Reply:
    """Add labels."""
    one, names = _either(call), call.json().get("labels", [])
    for name in names:
        label = label_of(call.world, call.repo, str(name))
        one.labels += [] if label in one.labels else [label]
    one.updated_at = call.world.now()
    call.world.effect("labels", call.repo, call.user, number=one.number, added=names)
    return Reply(200, [shape_pull.label(call.links, label) for label in one.labels])


@route("GET", "/repos/{owner}/{repo}/labels")
def list_labels(call: Call) -> Reply:
    """The repository's labels."""
    page, headers = paged(call, list(call.repo.labels.values()))
    return Reply(200, [shape_pull.label(call.links, one) for one in page], headers)


@route("GET", f"{_ISSUE}/comments")
def list_comments(call: Call) -> Reply:
    """The conversation."""
    one = _either(call)
    page, headers = paged(call, one.comments)
    shown = [shape_pull.comment(call.links, call.world, call.repo, one.number, comment) for comment in page]
    return Reply(200, shown, headers)


@route("POST", f"{_ISSUE}/comments", creates=True)
def create_comment(call: Call) -> Reply:
    """Say something."""
    one, text = _either(call), call.json().get("body")
    if not text:
        raise invalid("IssueComment", "body", "missing_field")
    number, node = call.world.ids("IC")
    comment = call.world.keep(Comment(number, node, call.user, str(text), call.world.now()))
    one.comments.append(comment)
    one.updated_at = call.world.now()
    call.world.effect("comment", call.repo, call.user, number=one.number, body=str(text))
    return Reply(201, shape_pull.comment(call.links, call.world, call.repo, one.number, comment))


@route("GET", f"{_ISSUE}/sub_issues")
def sub_issues(call: Call) -> Reply:
    """Its parts, of any repository."""
    return _listed(call, _issue(call).sub_issues)


@route("GET", f"{_ISSUE}/parent")
def parent(call: Call) -> Reply:
    """What it is part of."""
    found = _issue(call).parent
    if found is None:
        raise not_found()
    return Reply(200, shape_pull.issue(call.links, call.world, found))


@route("GET", f"{_ISSUE}/dependencies/blocked_by")
def blocked_by(call: Call) -> Reply:
    """What it waits for."""
    return _listed(call, _issue(call).blocked_by)


@route("GET", f"{_ISSUE}/dependencies/blocking")
def blocking(call: Call) -> Reply:
    """What waits for it."""
    return _listed(call, _issue(call).blocking)


def _listed(call: Call, issues: list[Issue]) -> Reply:
    page, headers = paged(call, issues)
    return Reply(200, [shape_pull.issue(call.links, call.world, one) for one in page], headers)


@route("GET", "/search/issues", needs="none", resource="search")
def search_issues(call: Call) -> Reply:
    """Issues and pull requests by words and by `repo:`, `is:`, `state:`, `label:`, `author:`, `head:`, `base:`."""
    if not call.ask("q").strip():
        raise Refused(422, "Validation Failed", errors=[{"resource": "Search", "field": "q", "code": "missing"}])
    found = search(call, call.ask("q"))
    page, headers = paged(call, found[:1000])
    shapes = [shape_pull.issue(call.links, call.world, one) for one in page]
    # A search leaves out a text that is not there, where the other routes say null.
    items = [{"score": 1.0, **{k: v for k, v in one.items() if (k, v) != ("body", None)}} for one in shapes]
    body = {"total_count": len(found), "incomplete_results": False, "items": items, "search_type": "lexical"}
    return Reply(200, body, headers)


def search(call: Call, query: str) -> list[Issue | Pull]:
    """What the caller may see and every word of the query fits."""
    try:
        words = shlex.split(query)
    except ValueError:
        words = query.split()
    return [
        one
        for repository in call.world.repositories.values()
        if at_least(call.level(repository), "read")
        for one in _all(repository)
        if all(_fits(one, word) for word in words)
    ]


def _fits(one: Issue | Pull, word: str) -> bool:
    key, colon, value = word.partition(":")
    pull = one if isinstance(one, Pull) else None
    facts: dict[str, set[str]] = {
        "repo": {one.repository.full_name}, "author": {one.author.login}, "label": {x.name for x in one.labels},
        "org": {one.repository.owner.login}, "user": {one.repository.owner.login}, "state": _states(one),
        "is": _states(one), "type": _states(one), "head": {pull.head_ref} if pull else set(),
        "base": {pull.base_ref} if pull else set(), "sha": {pull.head_sha} if pull else set(),
    }  # fmt: skip
    if colon and key in facts:
        return value.lower() in {fact.lower() for fact in facts[key]}
    return word.lower() in f"{one.title}\n{one.body}".lower()


def _states(one: Issue | Pull) -> set[str]:
    states = {"open" if one.open else "closed", "pr" if isinstance(one, Pull) else "issue"}
    if isinstance(one, Pull):
        states |= {"merged" if one.merged else "unmerged", "draft" if one.draft else "ready"}
    return states
