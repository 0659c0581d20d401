"""Looks at one repository for the audit: one GraphQL query, more where its lists go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ops_orchestrate.adapters.github import queries, words
from ops_orchestrate.adapters.github.address import host_of
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.pull_of import TRUSTED, name_of
from ops_orchestrate.adapters.github.trouble import Missing
from ops_orchestrate.adapters.github.wire import read
from ops_orchestrate.adapters.github.wire_look import LookIssue, LookMerged, LookNode, LookPull
from ops_orchestrate.core.forge_look import ForgeLook, IssueSeen, MergedSeen, PullRef, PullSeen
from ops_orchestrate.core.issue_text import closed_by, issue_name
from ops_orchestrate.core.mark import mark_of_branch
from ops_orchestrate.core.merge.pull import Conclusion, is_ours
from ops_orchestrate.core.names import clean_text, one_line
from ops_orchestrate.core.project import Repository
from ops_orchestrate.errors import SourceUnavailable

_WRITING = frozenset({"ADMIN", "MAINTAIN", "WRITE"})
_MAX_PAGES = 10
_LONGEST_BODY = 10_000
_HEADS = ("defaultBranchRef", "integration", "main", "master")


class Seen(NamedTuple):
    """A look without its runs, and what to remember of it."""

    look: ForgeLook
    trace: str
    newest: float
    """When an issue or a pull request there was last updated, in seconds since 1970; 0: there is none."""


def look_at(client: GitHubClient, repository: Repository) -> Seen:
    """The repository as GraphQL shows it, every list to its end (or to what is said). Raises SourceUnavailable."""
    owner, name = str(repository.slug).split("/", 1)
    variables: dict[str, Any] = {
        "owner": owner,
        "name": name,
        **branches_asked(repository),
        "pulls": None,
        "issues": None,
    }
    pulls: list[LookPull] = []
    issues: list[LookIssue] = []
    notes: list[str] = []
    first: dict[str, Any] | None = None
    variables |= {"withPulls": True, "withIssues": True, "withMerged": True}
    for _ in range(_MAX_PAGES):
        data, viewer = _ask(client, str(repository.slug), variables)
        first = first or data
        node = read(LookNode, data, str(repository.slug))
        pulls += node.pull_requests.items if node.pull_requests else []
        issues += node.issues.items if node.issues else []
        variables |= _next(node)
        if not (variables["withPulls"] or variables["withIssues"]):
            break
    else:
        notes.append(f"only {len(issues)} issues and {len(pulls)} pull requests of {repository.slug} were looked at")
    node = read(LookNode, first, str(repository.slug))
    if node.name_with_owner.lower() != str(repository.slug).lower():
        notes.append(
            f"{repository.slug} is called {one_line(node.name_with_owner, 140)} now: change its registry entry"
        )
    look = _look(node, repository, pulls=pulls, issues=issues, viewer=viewer, notes=notes, host=host_of(client.address))
    times = [one.updated_at for one in pulls] + [one.updated_at for one in issues]
    return Seen(look, trace_of(first or {}), max(map(words.time_of, times), default=0.0))


def branches_asked(repository: Repository) -> dict[str, str]:
    """The refs of the branches that matter, before anybody knows whether they are there."""
    return {
        "integration": f"refs/heads/{repository.integration or 'dev'}",
        "main": f"refs/heads/{repository.main or 'main'}",
    }


def trace_of(data: Mapping[str, Any]) -> str:
    """What tells that a repository has changed, from either query; equal traces mean equal findings.

    It has the heads, and the times of the newest issue and of pull requests. What those of others have in checks and
    merge state is in no finding, and where there is one of ours no trace is asked for.
    """
    pulls = data.get("pullRequests") or {}
    issues = data.get("issues") or {}
    newest = [(one or {}).get("updatedAt") for one in (issues.get("nodes") or [])[:1]]
    heads = [_path(data, name, "target", "oid") for name in _HEADS]
    rows = [
        [one.get(key) for key in ("number", "updatedAt", "headRefOid")]
        for one in (pulls.get("nodes") or [])[:20]
        if one
    ]
    who = [data.get(name) for name in ("nameWithOwner", "isArchived", "isDisabled", "viewerPermission")]
    who.append(_path(data, "defaultBranchRef", "name"))
    return repr([who, heads, issues.get("totalCount"), newest, pulls.get("totalCount"), rows])


def _ask(client: GitHubClient, slug: str, variables: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    answer = client.ask(queries.LOOK, variables, Purpose.AUDIT)
    found = answer.data.get("repository")
    if not isinstance(found, dict):
        raise Missing(f"GitHub does not have, or does not show us, {slug}")
    if answer.problem:
        raise SourceUnavailable(f"GitHub told only a part of {slug}: {answer.problem}")
    return found, client.own_name(answer.data.get("viewer"))


def _next(node: LookNode) -> dict[str, Any]:
    """The variables of the next page, only with what goes on."""
    lists = {"Pulls": node.pull_requests, "Issues": node.issues}
    more = {name: page.page_info for name, page in lists.items() if page and page.page_info.has_next_page}
    flags: dict[str, Any] = {f"with{name}": name in more for name in lists} | {"withMerged": False}
    return flags | {name.lower(): info.end_cursor for name, info in more.items()}


def _look(
    node: LookNode,
    repository: Repository,
    *,
    pulls: Sequence[LookPull],
    issues: Sequence[LookIssue],
    viewer: str,
    notes: Sequence[str],
    host: str,
) -> ForgeLook:
    slug = one_line(node.name_with_owner, 140)
    return ForgeLook(
        slug=slug,
        host=host,
        writable=node.viewer_permission in _WRITING,
        archived=node.is_archived or node.is_disabled,
        branches=_branches(node, repository),
        issues=tuple(_issue(one, viewer, slug) for one in issues),
        pulls=tuple(_pull(one, viewer, slug, host) for one in pulls),
        merged=tuple(_merged(node, viewer)),
        notes=tuple(notes),
    )


def _branches(node: LookNode, repository: Repository) -> tuple[str, ...]:
    """Integration as everybody here finds it (the owner's, else `dev`, else the default), and main."""
    main = node.main or (None if repository.main else node.master)
    found = (node.integration or node.default_branch_ref, main)
    return tuple(dict.fromkeys(one_line(ref.name, 200) for ref in found if ref is not None))


def _merged(node: LookNode, viewer: str) -> Iterator[MergedSeen]:
    """Only of ours is the text believed: we opened it, for a branch of this very repository whose name it confirms."""
    for one in node.merged.items if node.merged else ():
        mark = mark_of_branch(one.body, one.head_ref_name) if _is_ours(one, viewer) else None
        if mark is not None:
            yield MergedSeen(number=one.number, base_ref=one_line(one.base_ref_name, 300), mark=mark)


def _is_ours(node: LookPull | LookMerged, viewer: str) -> bool:
    return is_ours(name_of(node.author), node.head_ref_name, viewer=viewer, foreign=node.is_cross_repository)


def _pull(node: LookPull, viewer: str, slug: str, host: str) -> PullSeen:
    ours = _is_ours(node, viewer)
    threads = node.review_threads.items if node.review_threads else []
    closes = node.closing_issues_references.items if node.closing_issues_references else []
    linked = [issue_name(ref.repository.name_with_owner, ref.number) for ref in closes]
    rollup = node.status_check_rollup
    return PullSeen(
        number=node.number,
        title=one_line(node.title),
        url=one_line(node.url, 500),
        author=name_of(node.author),
        ours=ours,
        state=words.pull_state_of(node.state),
        draft=node.is_draft,
        head=one_line(node.head_ref_oid, 64),
        head_ref=one_line(node.head_ref_name, 300),
        base_ref=one_line(node.base_ref_name, 300),
        mergeable=words.mergeable_of(node.mergeable),
        decision=words.decision_of(node.review_decision),
        checks=words.status_of(rollup.state) if rollup else Conclusion.NEUTRAL,
        unresolved=tuple(
            one_line(f"{one.path}:{one.line}" if one.line else one.path, 300) for one in threads if not one.is_resolved
        ),
        closes=tuple(dict.fromkeys((*linked, *closed_by(node.body, slug, host=host)))),
        mark=mark_of_branch(node.body, node.head_ref_name) if ours else None,
    )


def _issue(node: LookIssue, viewer: str, slug: str) -> IssueSeen:
    closing = node.closed_by_pull_requests_references
    subs = node.sub_issues.items if node.sub_issues else []
    return IssueSeen(
        number=node.number,
        title=one_line(node.title),
        body=clean_text(node.body, _LONGEST_BODY),
        url=one_line(node.url, 500),
        author=name_of(node.author),
        trusted=node.author_association in TRUSTED,
        labels=tuple(one_line(label.name, 100) for label in (node.labels.items if node.labels else [])),
        sub_issues=tuple(issue_name(one.repository.name_with_owner, one.number) for one in subs if one.state == "OPEN"),
        pulls=tuple(
            PullRef(
                number=one.number,
                author=name_of(one.author),
                url=one_line(one.url, 500),
                ours=is_ours(
                    name_of(one.author),
                    one.head_ref_name,
                    viewer=viewer,
                    foreign=one.is_cross_repository or one.repository.name_with_owner.lower() != slug.lower(),
                ),
                slug=one_line(one.repository.name_with_owner, 140),
            )
            for one in (closing.items if closing else [])
            if one.state == "OPEN"
        ),
    )


def _path(data: Any, *names: str) -> Any:
    for name in names:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data
