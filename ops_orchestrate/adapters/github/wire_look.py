"""A repository, its issues and pull requests, as GraphQL gives them for the audit."""

from __future__ import annotations

from ops_orchestrate.adapters.github.wire import (
    Actor,
    Connection,
    IssueRef,
    Label,
    NameWithOwner,
    Oid,
    ThreadNode,
    Wire,
)


class StateNode(Wire):
    """What all checks of a pull request amount to."""

    state: str | None = None


class BranchRef(Wire):
    """A branch."""

    name: str
    target: Oid | None = None


class LookPull(Wire):
    """A pull request, as the audit sees it."""

    number: int
    url: str = ""
    state: str
    is_draft: bool = False
    title: str = ""
    updated_at: str | None = None
    head_ref_oid: str = ""
    head_ref_name: str = ""
    base_ref_name: str = ""
    is_cross_repository: bool = True
    mergeable: str | None = None
    review_decision: str | None = None
    author: Actor | None = None
    body: str = ""
    status_check_rollup: StateNode | None = None
    closing_issues_references: Connection[IssueRef] | None = None
    review_threads: Connection[ThreadNode] | None = None


class LookMerged(Wire):
    """A merged pull request, as the audit sees it."""

    number: int
    body: str = ""
    head_ref_name: str = ""
    base_ref_name: str = ""
    is_cross_repository: bool = True
    author: Actor | None = None


class ClosingPull(Wire):
    """A pull request that closes an issue."""

    number: int
    url: str = ""
    state: str
    head_ref_name: str = ""
    is_cross_repository: bool = True
    author: Actor | None = None
    repository: NameWithOwner


class LookIssue(Wire):
    """An issue, as the audit sees it."""

    number: int
    url: str = ""
    title: str = ""
    body: str = ""
    updated_at: str | None = None
    author: Actor | None = None
    author_association: str = ""
    labels: Connection[Label] | None = None
    sub_issues: Connection[IssueRef] | None = None
    closed_by_pull_requests_references: Connection[ClosingPull] | None = None


class LookNode(Wire):
    """A repository, as the audit sees it."""

    name_with_owner: str
    is_archived: bool
    is_disabled: bool = False
    viewer_permission: str | None = None
    default_branch_ref: BranchRef | None = None
    integration: BranchRef | None = None
    main: BranchRef | None = None
    master: BranchRef | None = None
    pull_requests: Connection[LookPull] | None = None
    merged: Connection[LookMerged] | None = None
    issues: Connection[LookIssue] | None = None
