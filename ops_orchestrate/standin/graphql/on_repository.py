"""Repositories, refs and commits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ops_orchestrate.standin.call import Call
from ops_orchestrate.standin.check import rolled_up
from ops_orchestrate.standin.git import Commit as GitCommit
from ops_orchestrate.standin.graphql.fields import connection, field, problem, simple, time
from ops_orchestrate.standin.people import at_least
from ops_orchestrate.standin.pull import Pull
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.rest.shape import known_user, utc


@dataclass(frozen=True)
class Commit:
    """A commit of a repository."""

    repository: Repository
    git: GitCommit


@dataclass(frozen=True)
class Ref:
    """A branch or tag."""

    repository: Repository
    ref: str
    sha: str


def commit_of(repository: Repository, sha: str | None) -> Commit | None:
    """The commit, or None."""
    found = repository.bare.resolve(sha) if sha else None
    return Commit(repository, repository.bare.commit(found)) if found else None


def ref_of(repository: Repository, ref: str) -> Ref | None:
    """The ref by its full name, or None."""
    sha = repository.refs.get(ref)
    return Ref(repository, ref, sha) if sha else None


simple(
    "Repository",
    {
        "id": lambda r, c: r.node_id,
        "databaseId": lambda r, c: r.id,
        "name": lambda r, c: r.name,
        "nameWithOwner": lambda r, c: r.full_name,
        "owner": lambda r, c: r.owner,
        "url": lambda r, c: f"{c.links.html}/{r.full_name}",
        "description": lambda r, c: r.description,
        "isPrivate": lambda r, c: r.private,
        "visibility": lambda r, c: "PRIVATE" if r.private else "PUBLIC",
        "isArchived": lambda r, c: r.archived,
        "isFork": lambda r, c: r.parent is not None,
        "isEmpty": lambda r, c: not r.refs,
        "isDisabled": lambda r, c: False,
        "parent": lambda r, c: r.parent,
        "hasIssuesEnabled": lambda r, c: True,
        "pushedAt": lambda r, c: time(r.pushed_at),
        "createdAt": lambda r, c: time(r.created_at),
        "updatedAt": lambda r, c: time(r.pushed_at),
        "defaultBranchRef": lambda r, c: ref_of(r, f"refs/heads/{r.default_branch}"),
        "viewerPermission": lambda r, c: {"none": None}.get(c.level(r), c.level(r).upper()),
        "viewerCanAdminister": lambda r, c: c.level(r) == "admin",
        "viewerCanUpdateTopics": lambda r, c: at_least(c.level(r), "write"),
        "viewerDefaultMergeMethod": lambda r, c: "MERGE",
        "mergeCommitAllowed": lambda r, c: "merge" in r.allow,
        "squashMergeAllowed": lambda r, c: "squash" in r.allow,
        "rebaseMergeAllowed": lambda r, c: "rebase" in r.allow,
        "autoMergeAllowed": lambda r, c: r.allow_auto_merge,
        "deleteBranchOnMerge": lambda r, c: r.delete_branch_on_merge,
    },
)


@field("Repository", "ref")
def ref(source: Repository, _: Call, **args: Any) -> Ref | None:
    """A ref, with or without refs/heads/."""
    name = args["qualifiedName"]
    return ref_of(source, name) or ref_of(source, f"refs/heads/{name}")


@field("Repository", "refs")
def refs(source: Repository, _: Call, query: str | None = None, **args: Any) -> dict[str, Any]:
    """Refs by prefix."""
    names = sorted(name for name in source.refs if name.startswith(args["refPrefix"]) and (query or "") in name)
    return connection([ref_of(source, name) for name in names], args)


@field("Repository", "object")
def thing(source: Repository, _: Call, oid: str | None = None, expression: str | None = None) -> Commit | None:
    """A commit by SHA or name."""
    return commit_of(source, oid or expression)


@field("Repository", "pullRequest")
def pull(source: Repository, _: Call, number: int) -> Pull:
    """A pull request."""
    if number not in source.pulls:
        raise problem("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
    return source.pulls[number]


@field("Repository", "pullRequests")
def pulls(source: Repository, _: Call, **args: Any) -> dict[str, Any]:
    """Pull requests, oldest first unless ordered."""
    wanted = [one for one in source.pulls.values() if _wanted(one, args)]
    return connection(ordered(wanted, args.get("orderBy")), args)


def _wanted(one: Pull, args: dict[str, Any]) -> bool:
    labels = args.get("labels")
    return (
        (args.get("states") is None or state(one) in args["states"])
        and args.get("headRefName") in {None, one.head_ref}
        and args.get("baseRefName") in {None, one.base_ref}
        and (labels is None or bool(set(labels) & {label.name for label in one.labels}))
    )


def state(one: Pull) -> str:
    """OPEN, CLOSED or MERGED."""
    return "OPEN" if one.open else "MERGED" if one.merged else "CLOSED"


def ordered(items: list[Any], order: dict[str, str] | None) -> list[Any]:
    """By the order asked for; by number without one."""
    by, direction = (order["field"], order["direction"]) if order else ("", "ASC")
    keys = {"UPDATED_AT": lambda x: x.updated_at, "COMMENTS": lambda x: len(x.comments)}
    return sorted(items, key=keys.get(by, lambda x: x.number), reverse=direction == "DESC")


@field("Repository", "labels")
def labels(source: Repository, _: Call, **args: Any) -> dict[str, Any]:
    """Its labels."""
    return connection(source.labels.values(), args)


@field("Repository", "mergeQueue")
def merge_queue(source: Repository, _: Call, branch: str | None = None) -> dict[str, Any] | None:
    """The queue in front of a branch, where its rules have one."""
    name = branch or source.default_branch
    if not any(rule.merge_queue for rule in source.rules_of(name)):
        return None
    return {"__typename": "MergeQueue", "id": f"MQ_{source.id}:{name}", "repository": source, "branch": name}


@field("MergeQueue", "entries")
def entries(source: dict[str, Any], _: Call, **args: Any) -> dict[str, Any]:
    """Who stands in it."""
    return connection([e for e in source["repository"].queue if e.pull.base_ref == source["branch"]], args)


simple("MergeQueue", {"url": lambda q, c: f"{c.links.html}/{q['repository'].full_name}/queue/{q['branch']}"})

simple(
    "Ref",
    {
        "id": lambda r, c: f"REF_{r.repository.id}:{r.ref}",
        "name": lambda r, c: r.ref.split("/", 2)[2],
        "prefix": lambda r, c: "/".join(r.ref.split("/", 2)[:2]) + "/",
        "target": lambda r, c: commit_of(r.repository, r.sha),
        "repository": lambda r, c: r.repository,
        "branchProtectionRule": lambda r, c: None,
    },
)
simple(
    "Commit",
    {
        "id": lambda x, c: f"C_{x.git.sha}",
        "oid": lambda x, c: x.git.sha,
        "abbreviatedOid": lambda x, c: x.git.sha[:7],
        "message": lambda x, c: x.git.message,
        "messageHeadline": lambda x, c: x.git.message.split("\n")[0],
        "messageBody": lambda x, c: x.git.message.partition("\n")[2].strip(),
        "committedDate": lambda x, c: utc(x.git.committer[2]),
        "authoredDate": lambda x, c: utc(x.git.author[2]),
        "pushedDate": lambda x, c: None,
        "url": lambda x, c: f"{c.links.html}/{x.repository.full_name}/commit/{x.git.sha}",
        "tree": lambda x, c: {"__typename": "Tree", "oid": x.git.tree, "id": f"T_{x.git.tree}"},
        "repository": lambda x, c: x.repository,
        "author": lambda x, c: _actor(c, x.git.author),
        "committer": lambda x, c: _actor(c, x.git.committer),
        "statusCheckRollup": lambda x, c: rollup_of(x.repository, x.git.sha),
    },
)


def _actor(call: Call, who: tuple[str, str, str]) -> dict[str, Any]:
    found = known_user(call.world, who[1])
    return {
        "name": who[0],
        "email": who[1],
        "date": utc(who[2]),
        "user": found if found and found.kind == "User" else None,
    }


def rollup_of(repository: Repository, sha: str) -> dict[str, Any] | None:
    """The sum of a commit's checks, or None where there are none."""
    total = rolled_up(repository.checks_of(sha), repository.statuses_of(sha))
    if total is None:
        return None
    return {"__typename": "StatusCheckRollup", "id": f"SCR_{sha}", "state": total, "repository": repository, "sha": sha}


@field("Commit", "parents")
def parents(source: Commit, _: Call, **args: Any) -> dict[str, Any]:
    """Its parents."""
    return connection([commit_of(source.repository, sha) for sha in source.git.parents], args)


@field("Commit", "authors")
def authors(source: Commit, call: Call, **args: Any) -> dict[str, Any]:
    """Who wrote it."""
    return connection([_actor(call, source.git.author)], args)


@field("Commit", "associatedPullRequests")
def associated(source: Commit, _: Call, **args: Any) -> dict[str, Any]:
    """Pull requests with it as head, or merged by it."""
    pulls = source.repository.pulls.values()
    sha = source.git.sha
    return connection([p for p in pulls if sha == p.head_sha or (p.merged and sha == p.merge_commit)], args)
