"""Issues, labels, comments and how issues hang together."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.standin.call import Call
from ops_orchestrate.standin.graphql.fields import connection, field, problem, simple, time
from ops_orchestrate.standin.graphql.on_repository import ordered
from ops_orchestrate.standin.issue import Issue
from ops_orchestrate.standin.pull import Pull
from ops_orchestrate.standin.refs import closing
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.rest.shape_pull import association, issue_html


@field("Repository", "issues")
def issues(source: Repository, _: Call, **args: Any) -> dict[str, Any]:
    """Issues, without pull requests."""
    asked = args.get("filterBy") or {}
    states, labels = args.get("states") or asked.get("states"), args.get("labels") or asked.get("labels")
    wanted = [
        one
        for one in source.issues.values()
        if (states is None or ("OPEN" if one.open else "CLOSED") in states)
        and (labels is None or bool(set(labels) & {label.name for label in one.labels}))
        and asked.get("createdBy") in {None, one.author.login}
        and asked.get("assignee") in {None, "*", *(user.login for user in one.assignees)}
        and (asked.get("since") is None or (time(one.updated_at) or "") >= asked["since"])
    ]
    return connection(ordered(wanted, args.get("orderBy")), args)


@field("Repository", "issue")
def issue(source: Repository, _: Call, number: int) -> Issue:
    """An issue."""
    if number not in source.issues:
        raise problem("NOT_FOUND", f"Could not resolve to an Issue with the number of {number}.")
    return source.issues[number]


@field("Repository", "issueOrPullRequest")
def either(source: Repository, _: Call, number: int) -> Issue | Pull:
    """Whatever has that number."""
    found = source.issues.get(number) or source.pulls.get(number)
    if found is None:
        raise problem("NOT_FOUND", f"Could not resolve to an issue or pull request with the number of {number}.")
    return found


def _url(one: Issue | Pull, call: Call) -> str:
    return issue_html(call.links, one)


simple(
    "Issue",
    {
        "id": lambda i, c: i.node_id,
        "databaseId": lambda i, c: i.id,
        "fullDatabaseId": lambda i, c: str(i.id),
        "number": lambda i, c: i.number,
        "title": lambda i, c: i.title,
        "body": lambda i, c: i.body,
        "bodyText": lambda i, c: i.body,
        "url": _url,
        "state": lambda i, c: "OPEN" if i.open else "CLOSED",
        "stateReason": lambda i, c: i.state_reason.upper() if i.state_reason else None,
        "closed": lambda i, c: not i.open,
        "locked": lambda i, c: False,
        "author": lambda i, c: i.author,
        "authorAssociation": lambda i, c: association(c.world, i.author, i.repository),
        "repository": lambda i, c: i.repository,
        "createdAt": lambda i, c: time(i.created_at),
        "updatedAt": lambda i, c: time(i.updated_at),
        "closedAt": lambda i, c: time(i.closed_at),
        "milestone": lambda i, c: None,
        "parent": lambda i, c: i.parent,
        "subIssuesSummary": lambda i, c: dict(zip(("total", "completed", "percentCompleted"), i.progress, strict=True)),
        "isPinned": lambda i, c: False,
        "reactionGroups": lambda i, c: [],
    },
)


def _list(name: str, attribute: str) -> None:
    field("Issue", name)(lambda source, call, **args: connection(getattr(source, attribute), args))


for _name, _attribute in {"labels": "labels", "assignees": "assignees", "subIssues": "sub_issues"}.items():
    _list(_name, _attribute)


@field("Issue", "comments")
def comments(source: Issue, _: Call, **args: Any) -> dict[str, Any]:
    """The conversation."""
    return connection([(one, source) for one in source.comments], args)


@field("Issue", "closedByPullRequestsReferences")
def closers(source: Issue, call: Call, **args: Any) -> dict[str, Any]:
    """Open pull requests that say they close it; others too where asked for."""
    repositories, closed_too = call.world.repositories.values(), bool(args.get("includeClosedPrs"))
    pulls = [p for r in repositories for p in r.pulls.values() if p.open or closed_too]
    return connection([p for p in pulls if source in closing(call.world, p)], args)


simple(
    "Label",
    {
        "id": lambda x, c: x.node_id,
        "name": lambda x, c: x.name,
        "color": lambda x, c: x.color,
        "description": lambda x, c: x.description or None,
        "isDefault": lambda x, c: False,
        "url": lambda x, c: f"{c.links.html}/{x.repository.full_name}/labels/{x.name}",
    },
)
simple(
    "IssueComment",
    {
        "id": lambda s, c: s[0].node_id,
        "databaseId": lambda s, c: s[0].id,
        "author": lambda s, c: s[0].author,
        "authorAssociation": lambda s, c: association(c.world, s[0].author, s[1].repository),
        "body": lambda s, c: s[0].body,
        "bodyText": lambda s, c: s[0].body,
        "createdAt": lambda s, c: time(s[0].at),
        "updatedAt": lambda s, c: time(s[0].at),
        "url": lambda s, c: f"{_url(s[1], c)}#issuecomment-{s[0].id}",
        "includesCreatedEdit": lambda s, c: False,
        "isMinimized": lambda s, c: False,
        "minimizedReason": lambda s, c: None,
        "reactionGroups": lambda s, c: [],
        "viewerDidAuthor": lambda s, c: s[0].author is c.who.user,
    },
)
