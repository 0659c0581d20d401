"""Pull requests, issues, reviews and comments as GitHub's JSON has them."""

from __future__ import annotations

from ops_orchestrate.standin.exchange import Links
from ops_orchestrate.standin.issue import Comment, Issue, Label
from ops_orchestrate.standin.people import User
from ops_orchestrate.standin.pull import Pull, Review, ThreadComment
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.rest.shape import JSON, iso, repo_api, repository, user
from ops_orchestrate.standin.world import World


def association(world: World, one: User, where: Repository) -> str:
    """How somebody stands to a repository, as `author_association` says."""
    if one is where.owner:
        return "OWNER"
    if one.login.lower() in where.members:
        return "MEMBER" if where.owner.kind == "Organization" else "COLLABORATOR"
    return "CONTRIBUTOR" if any(p.author is one and p.merged for p in where.pulls.values()) else "NONE"


def issue_html(links: Links, one: Issue | Pull) -> str:
    """The page of an issue or a pull request."""
    return f"{links.html}/{one.repository.full_name}/{'pull' if isinstance(one, Pull) else 'issues'}/{one.number}"


def label(links: Links, one: Label) -> JSON:
    """A label."""
    return {
        "id": one.id, "node_id": one.node_id, "url": f"{repo_api(links, one.repository)}/labels/{one.name}",
        "name": one.name, "color": one.color, "default": False, "description": one.description,
    }  # fmt: skip


def _side(links: Links, ref: str, sha: str, where: Repository | None) -> JSON:
    if where is None:
        return {"label": f"unknown:{ref}", "ref": ref, "sha": sha, "user": None, "repo": None}
    name, body = f"{where.owner.login}:{ref}", repository(links, where, "read")
    return {"label": name, "ref": ref, "sha": sha, "user": user(links, where.owner), "repo": body}


def pull_simple(links: Links, world: World, one: Pull) -> JSON:
    """A pull request as lists have it: nothing that has to be computed."""
    api, html = repo_api(links, one.repository), issue_html(links, one)
    url, issue = f"{api}/pulls/{one.number}", f"{api}/issues/{one.number}"
    urls = {
        "comments": f"{issue}/comments", "commits": f"{url}/commits", "statuses": f"{api}/statuses/{one.head_sha}",
        "html": html, "issue": issue, "review_comments": f"{url}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}", "self": url,
    }  # fmt: skip
    return {
        "url": url, "id": one.id, "node_id": one.node_id, "html_url": html, "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch", "issue_url": issue, "commits_url": urls["commits"],
        "review_comments_url": urls["review_comments"], "review_comment_url": urls["review_comment"],
        "comments_url": urls["comments"], "statuses_url": urls["statuses"], "number": one.number,
        "state": "open" if one.open else "closed", "locked": False, "active_lock_reason": None, "title": one.title,
        "user": user(links, one.author), "body": one.body or None, "labels": [label(links, x) for x in one.labels],
        "milestone": None, "created_at": iso(one.created_at), "updated_at": iso(one.updated_at),
        "closed_at": iso(one.closed_at), "merged_at": iso(one.merged_at), "merge_commit_sha": one.merge_commit,
        "assignee": user(links, one.assignees[0]) if one.assignees else None,
        "assignees": [user(links, x) for x in one.assignees],
        "requested_reviewers": [user(links, x) for x in one.reviewers], "requested_teams": [], "draft": one.draft,
        "head": _side(links, one.head_ref, one.head_sha, one.head_repository),
        "base": _side(links, one.base_ref, one.base_sha, one.repository),
        "_links": {name: {"href": href} for name, href in urls.items()},
        "author_association": association(world, one.author, one.repository), "auto_merge": _auto(links, one),
    }  # fmt: skip


def _auto(links: Links, one: Pull) -> JSON | None:
    order = one.auto_merge
    if order is None:
        return None
    text = {"commit_title": order.title or one.title, "commit_message": order.message or ""}
    return {"enabled_by": user(links, order.by), "merge_method": order.method, **text}


def comment(links: Links, world: World, where: Repository, number: int, one: Comment) -> JSON:
    """A comment in a conversation."""
    api, html = repo_api(links, where), f"{links.html}/{where.full_name}/issues/{number}#issuecomment-{one.id}"
    return {
        "url": f"{api}/issues/comments/{one.id}", "html_url": html, "issue_url": f"{api}/issues/{number}",
        "id": one.id, "node_id": one.node_id, "user": user(links, one.author), "created_at": iso(one.at),
        "updated_at": iso(one.at), "body": one.body, "author_association": association(world, one.author, where),
        "performed_via_github_app": None,
    }  # fmt: skip


def review(links: Links, world: World, pull: Pull, one: Review) -> JSON:
    """A review."""
    url = f"{repo_api(links, pull.repository)}/pulls/{pull.number}"
    html = f"{issue_html(links, pull)}#pullrequestreview-{one.id}"
    return {
        "id": one.id, "node_id": one.node_id, "user": user(links, one.author), "body": one.body, "state": one.state,
        "html_url": html, "pull_request_url": url, "submitted_at": iso(one.at), "commit_id": one.commit,
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "author_association": association(world, one.author, pull.repository),
    }  # fmt: skip


def review_comment(links: Links, world: World, one: ThreadComment) -> JSON:
    """A comment at a place of the diff. REST says nothing of whether its thread is resolved."""
    thread = one.thread
    assert thread is not None
    pull = thread.pull
    api = repo_api(links, pull.repository)
    pull_url, url = f"{api}/pulls/{pull.number}", f"{api}/pulls/comments/{one.id}"
    html = f"{issue_html(links, pull)}#discussion_r{one.id}"
    body = {
        "url": url, "id": one.id, "node_id": one.node_id, "diff_hunk": "@@ -1 +1 @@", "path": thread.path,
        "pull_request_review_id": one.review.id if one.review else None, "position": thread.line,
        "original_position": thread.line or 1, "line": thread.line, "original_line": thread.line, "side": "RIGHT",
        "start_line": None, "original_start_line": None, "start_side": None, "subject_type": "line",
        "commit_id": one.commit, "original_commit_id": one.commit, "user": user(links, one.author), "body": one.body,
        "created_at": iso(one.at), "updated_at": iso(one.at), "html_url": html, "pull_request_url": pull_url,
        "author_association": association(world, one.author, pull.repository),
        "_links": {"self": {"href": url}, "html": {"href": html}, "pull_request": {"href": pull_url}},
    }  # fmt: skip
    return body | ({"in_reply_to_id": one.reply_to.id} if one.reply_to else {})


def issue(links: Links, world: World, one: Issue | Pull) -> JSON:
    """An issue; a pull request is one too, with a mark."""
    api, html = repo_api(links, one.repository), issue_html(links, one)
    url = f"{api}/issues/{one.number}"
    body: JSON = {
        "url": url, "repository_url": api, "labels_url": f"{url}/labels{{/name}}", "comments_url": f"{url}/comments",
        "events_url": f"{url}/events", "html_url": html, "id": one.id, "node_id": one.node_id, "number": one.number,
        "title": one.title, "user": user(links, one.author), "labels": [label(links, x) for x in one.labels],
        "state": "open" if one.open else "closed", "locked": False,
        "assignee": user(links, one.assignees[0]) if one.assignees else None,
        "assignees": [user(links, x) for x in one.assignees], "milestone": None, "comments": len(one.comments),
        "created_at": iso(one.created_at), "updated_at": iso(one.updated_at), "closed_at": iso(one.closed_at),
        "author_association": association(world, one.author, one.repository), "active_lock_reason": None,
        "body": one.body or None, "closed_by": None, "timeline_url": f"{url}/timeline",
        "performed_via_github_app": None, "state_reason": getattr(one, "state_reason", None),
    }  # fmt: skip
    return body | (_of_pull(links, one, api, html) if isinstance(one, Pull) else _relations(one))


def _of_pull(links: Links, one: Pull, api: str, html: str) -> JSON:
    urls = {"url": f"{api}/pulls/{one.number}", "html_url": html, "diff_url": f"{html}.diff"}
    return {"draft": one.draft, "pull_request": {**urls, "patch_url": f"{html}.patch", "merged_at": iso(one.merged_at)}}


def _relations(one: Issue) -> JSON:
    (total, done, share), by, to = one.progress, one.blocked_by, one.blocking
    return {
        "sub_issues_summary": {"total": total, "completed": done, "percent_completed": share},
        "issue_dependencies_summary": {
            "blocked_by": sum(x.open for x in by), "total_blocked_by": len(by),
            "blocking": sum(x.open for x in to), "total_blocking": len(to),
        },
    }  # fmt: skip
