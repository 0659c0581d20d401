"""Pull requests, their reviews and threads."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.standin import refs, rules
from ops_orchestrate.standin.call import Call
from ops_orchestrate.standin.graphql.fields import connection, field, simple, time, upper
from ops_orchestrate.standin.graphql.on_repository import commit_of, ref_of, rollup_of, state
from ops_orchestrate.standin.people import at_least
from ops_orchestrate.standin.pull import Pull, Thread
from ops_orchestrate.standin.rest.shape_pull import association, issue_html


def _url(pull: Pull, call: Call) -> str:
    return issue_html(call.links, pull)


def _mergeable(pull: Pull, call: Call) -> str:
    found = rules.look_mergeable(call.world, pull)
    return "UNKNOWN" if found is None or not pull.open else "MERGEABLE" if found else "CONFLICTING"


def _merge_state(pull: Pull, call: Call) -> str:
    rules.look_mergeable(call.world, pull)
    return rules.merge_state(call.world, pull)


def _common(pull: Pull) -> str:
    return pull.repository.bare.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha


def _may_write(pull: Pull, call: Call) -> bool:
    return at_least(call.level(pull.repository), "write")


simple(
    "PullRequest",
    {
        "id": lambda p, c: p.node_id,
        "databaseId": lambda p, c: p.id,
        "fullDatabaseId": lambda p, c: str(p.id),
        "number": lambda p, c: p.number,
        "title": lambda p, c: p.title,
        "body": lambda p, c: p.body,
        "bodyText": lambda p, c: p.body,
        "url": _url,
        "state": lambda p, c: state(p),
        "closed": lambda p, c: not p.open,
        "merged": lambda p, c: p.merged,
        "isDraft": lambda p, c: p.draft,
        "locked": lambda p, c: False,
        "author": lambda p, c: p.author,
        "authorAssociation": lambda p, c: association(c.world, p.author, p.repository),
        "repository": lambda p, c: p.repository,
        "baseRepository": lambda p, c: p.repository,
        "headRepository": lambda p, c: p.head_repository,
        "headRepositoryOwner": lambda p, c: p.head_repository.owner if p.head_repository else None,
        "isCrossRepository": lambda p, c: p.cross_repository,
        "maintainerCanModify": lambda p, c: p.maintainer_can_modify and p.cross_repository,
        "headRefName": lambda p, c: p.head_ref,
        "headRefOid": lambda p, c: p.head_sha,
        "baseRefName": lambda p, c: p.base_ref,
        "baseRefOid": lambda p, c: p.base_sha,
        "headRef": lambda p, c: ref_of(p.head_repository or p.repository, f"refs/heads/{p.head_ref}"),
        "baseRef": lambda p, c: ref_of(p.repository, f"refs/heads/{p.base_ref}"),
        "createdAt": lambda p, c: time(p.created_at),
        "updatedAt": lambda p, c: time(p.updated_at),
        "closedAt": lambda p, c: time(p.closed_at),
        "mergedAt": lambda p, c: time(p.merged_at),
        "mergedBy": lambda p, c: p.merged_by,
        "mergeCommit": lambda p, c: commit_of(p.repository, p.merge_commit) if p.merged else None,
        "potentialMergeCommit": lambda p, c: None if p.merged else commit_of(p.repository, p.merge_commit),
        "mergeable": _mergeable,
        "mergeStateStatus": _merge_state,
        "canBeRebased": lambda p, c: bool(p.mergeable),
        "reviewDecision": lambda p, c: rules.review_decision(c.world, p),
        "statusCheckRollup": lambda p, c: rollup_of(p.repository, p.head_sha),
        "autoMergeRequest": lambda p, c: p.auto_merge,
        "mergeQueueEntry": lambda p, c: p.queued,
        "isInMergeQueue": lambda p, c: p.queued is not None,
        "isMergeQueueEnabled": lambda p, c: any(r.merge_queue for r in p.repository.rules_of(p.base_ref)),
        "additions": lambda p, c: sum(x.additions for x in p.repository.bare.changes(_common(p), p.head_sha)),
        "deletions": lambda p, c: sum(x.deletions for x in p.repository.bare.changes(_common(p), p.head_sha)),
        "changedFiles": lambda p, c: len(p.repository.bare.changes(_common(p), p.head_sha)),
        "milestone": lambda p, c: None,
        "totalCommentsCount": lambda p, c: len(p.comments) + sum(len(t.comments) for t in p.threads),
        "viewerDidAuthor": lambda p, c: p.author is c.who.user,
        "viewerCanUpdate": lambda p, c: _may_write(p, c) or p.author is c.who.user,
        "viewerCanUpdateBranch": lambda p, c: _may_write(p, c) and p.open and rules.behind(p),
        "viewerCanEnableAutoMerge": lambda p, c: _may_write(p, c) and p.repository.allow_auto_merge,
        "viewerCanMergeAsAdmin": lambda p, c: c.level(p.repository) == "admin",
    },
)


@field("PullRequest", "commits")
def commits(source: Pull, _: Call, **args: Any) -> dict[str, Any]:
    """Its commits."""
    shas = source.repository.bare.between(source.base_sha, source.head_sha)
    found = [{"id": f"PURC_{sha}", "commit": commit_of(source.repository, sha), "pullRequest": source} for sha in shas]
    return connection(found, args)


@field("PullRequest", "files")
def files(source: Pull, _: Call, **args: Any) -> dict[str, Any]:
    """The files it changes."""
    changes = source.repository.bare.changes(_common(source), source.head_sha)
    items = [
        {
            "path": x.path, "additions": x.additions, "deletions": x.deletions,
            "changeType": {"removed": "DELETED", "added": "ADDED"}.get(x.status, x.status.upper()),
        }
        for x in changes
    ]  # fmt: skip
    return connection(items, args)


@field("PullRequest", "labels")
def labels(source: Pull, _: Call, **args: Any) -> dict[str, Any]:
    """Its labels."""
    return connection(source.labels, args)


@field("PullRequest", "assignees")
def assignees(source: Pull, _: Call, **args: Any) -> dict[str, Any]:
    """Who is to work on it."""
    return connection(source.assignees, args)


@field("PullRequest", "participants")
def participants(source: Pull, _: Call, **args: Any) -> dict[str, Any]:
    """Everybody who took part."""
    return connection(dict.fromkeys([source.author, *(review.author for review in source.reviews)]), args)


@field("PullRequest", "comments")
def comments(source: Pull, _: Call, **args: Any) -> dict[str, Any]:
    """The conversation."""
    return connection([(one, source) for one in source.comments], args)


@field("PullRequest", "reviews")
def reviews(source: Pull, _: Call, states: list[str] | None = None, **args: Any) -> dict[str, Any]:
    """Its reviews, oldest first."""
    return connection([(r, source) for r in source.reviews if states is None or r.state in states], args)


@field("PullRequest", "latestReviews")
@field("PullRequest", "latestOpinionatedReviews")
def latest_reviews(source: Pull, _: Call, **args: Any) -> dict[str, Any]:
    """The newest vote of everybody."""
    return connection([(vote, source) for vote in rules.votes(source)], args)


@field("PullRequest", "reviewThreads")
def threads(source: Pull, _: Call, **args: Any) -> dict[str, Any]:
    """Its review threads."""
    return connection(source.threads, args)


@field("PullRequest", "reviewRequests")
def review_requests(source: Pull, _: Call, **args: Any) -> dict[str, Any]:
    """Whose review is still asked for."""
    asked = [
        {"id": f"RR_{source.id}_{u.id}", "requestedReviewer": u, "asCodeOwner": False, "pullRequest": source}
        for u in source.reviewers
    ]
    return connection(asked, args)


@field("PullRequest", "closingIssuesReferences")
def closing(source: Pull, call: Call, **args: Any) -> dict[str, Any]:
    """The issues that its merge closes."""
    return connection(refs.closing(call.world, source), args)


@field("PullRequest", "projectCards")
@field("PullRequest", "reactionGroups")
def nothing(source: Pull, _: Call, **args: Any) -> Any:
    """Not kept here."""
    return connection([], args) if args else []


@field("PullRequestReview", "comments")
def review_comments(source: Any, _: Call, **args: Any) -> dict[str, Any]:
    """The comments that came with a review."""
    review, pull = source
    return connection([c for t in pull.threads for c in t.comments if c.review is review], args)


simple(
    "PullRequestReview",
    {
        "id": lambda s, c: s[0].node_id,
        "databaseId": lambda s, c: s[0].id,
        "author": lambda s, c: s[0].author,
        "authorAssociation": lambda s, c: association(c.world, s[0].author, s[1].repository),
        "authorCanPushToRepository": lambda s, c: at_least(c.world.level(s[0].author, s[1].repository), "write"),
        "state": lambda s, c: s[0].state,
        "body": lambda s, c: s[0].body,
        "submittedAt": lambda s, c: time(s[0].at),
        "createdAt": lambda s, c: time(s[0].at),
        "commit": lambda s, c: commit_of(s[1].repository, s[0].commit),
        "url": lambda s, c: f"{_url(s[1], c)}#pullrequestreview-{s[0].id}",
        "includesCreatedEdit": lambda s, c: False,
        "pullRequest": lambda s, c: s[1],
        "reactionGroups": lambda s, c: [],
    },
)
simple(
    "PullRequestReviewThread",
    {
        "id": lambda t, c: t.node_id,
        "isResolved": lambda t, c: t.resolved,
        "isOutdated": lambda t, c: t.outdated,
        "isCollapsed": lambda t, c: t.resolved,
        "path": lambda t, c: t.path,
        "line": lambda t, c: t.line,
        "originalLine": lambda t, c: t.line,
        "diffSide": lambda t, c: "RIGHT",
        "resolvedBy": lambda t, c: t.resolved_by,
        "pullRequest": lambda t, c: t.pull,
        "repository": lambda t, c: t.pull.repository,
        "viewerCanReply": lambda t, c: True,
        "viewerCanResolve": lambda t, c: _may_write(t.pull, c) and not t.resolved,
        "viewerCanUnresolve": lambda t, c: _may_write(t.pull, c) and t.resolved,
    },
)


@field("PullRequestReviewThread", "comments")
def thread_comments(source: Thread, _: Call, **args: Any) -> dict[str, Any]:
    """Its comments, oldest first."""
    return connection(source.comments, args)


simple(
    "PullRequestReviewComment",
    {
        "id": lambda x, c: x.node_id,
        "databaseId": lambda x, c: x.id,
        "fullDatabaseId": lambda x, c: str(x.id),
        "author": lambda x, c: x.author,
        "authorAssociation": lambda x, c: association(c.world, x.author, x.thread.pull.repository),
        "body": lambda x, c: x.body,
        "bodyText": lambda x, c: x.body,
        "createdAt": lambda x, c: time(x.at),
        "updatedAt": lambda x, c: time(x.at),
        "path": lambda x, c: x.thread.path,
        "line": lambda x, c: x.thread.line,
        "diffHunk": lambda x, c: "@@ -1 +1 @@",
        "outdated": lambda x, c: x.thread.outdated,
        "url": lambda x, c: f"{_url(x.thread.pull, c)}#discussion_r{x.id}",
        "replyTo": lambda x, c: x.reply_to,
        "commit": lambda x, c: commit_of(x.thread.pull.repository, x.commit),
        "pullRequest": lambda x, c: x.thread.pull,
        "viewerDidAuthor": lambda x, c: x.author is c.who.user,
    },
)
simple(
    "AutoMergeRequest",
    {
        "enabledBy": lambda a, c: a.by,
        "enabledAt": lambda a, c: time(a.at),
        "mergeMethod": lambda a, c: upper(a.method),
        "commitHeadline": lambda a, c: a.title,
        "commitBody": lambda a, c: a.message,
        "authorEmail": lambda a, c: None,
    },
)
simple(
    "MergeQueueEntry",
    {
        "id": lambda e, c: e.node_id,
        "position": lambda e, c: e.pull.repository.queue.index(e) + 1,
        "state": lambda e, c: "AWAITING_CHECKS" if e.group else "QUEUED",
        "enqueuedAt": lambda e, c: time(e.at),
        "enqueuer": lambda e, c: e.by,
        "pullRequest": lambda e, c: e.pull,
        "headCommit": lambda e, c: commit_of(e.pull.repository, e.group),
        "baseCommit": lambda e, c: commit_of(e.pull.repository, e.base),
        "jump": lambda e, c: False,
        "solo": lambda e, c: False,
        "estimatedTimeToMerge": lambda e, c: None,
    },
)
