"""A pull request and its checks, as GraphQL gives them for a decision."""

from __future__ import annotations

from pydantic import Field

from ops_orchestrate.adapters.github.wire import Actor, Connection, Label, Oid, ThreadNode, Wire


class WorkflowNode(Wire):
    """A workflow file."""

    database_id: int | None = None


class WorkflowRunNode(Wire):
    """The run that a check belongs to."""

    database_id: int | None = None
    event: str = ""
    workflow: WorkflowNode = WorkflowNode()


class AppNode(Wire):
    """Who reports a check."""

    database_id: int | None = None


class SuiteNode(Wire):
    """A check's suite."""

    app: AppNode | None = None
    workflow_run: WorkflowRunNode | None = None
    created_at: str | None = None


class ContextNode(Wire):
    """A check run or a commit status: their fields differ, and are never read through each other's."""

    typename: str = Field("", alias="__typename")
    database_id: int | None = None
    name: str = ""
    status: str | None = None
    conclusion: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    url: str | None = None
    check_suite: SuiteNode | None = None
    context: str = ""
    state: str | None = None
    target_url: str | None = None
    created_at: str | None = None
    creator: Actor | None = None
    is_required: bool = False


class Rollup(Wire):
    """All checks of a commit."""

    contexts: Connection[ContextNode]


class CommitNode(Wire):
    """A commit with its checks."""

    oid: str = ""
    committed_date: str | None = None
    check_suites: Connection[SuiteNode] | None = None
    status_check_rollup: Rollup | None = None


class HeadRef(Wire):
    """A branch, at a commit."""

    target: CommitNode | None = None


class ReviewNode(Wire):
    """A review."""

    state: str | None = None
    body: str = ""
    submitted_at: str | None = None
    author: Actor | None = None
    author_can_push_to_repository: bool = False
    commit: Oid | None = None


class Reviewer(Wire):
    """A person or a team."""

    login: str = ""
    combined_slug: str = ""


class ReviewRequest(Wire):
    """Somebody whose review is asked for."""

    requested_reviewer: Reviewer | None = None


class AutoMerge(Wire):
    """Somebody's order to merge it as soon as it can be."""

    enabled_by: Actor | None = None


class PullNode(Wire):
    """A pull request."""

    number: int
    url: str = ""
    state: str
    is_draft: bool
    title: str = ""
    body: str = ""
    head_ref_oid: str
    head_ref_name: str
    base_ref_name: str
    head_ref: HeadRef | None = None
    base_ref: HeadRef | None = None
    is_cross_repository: bool
    created_at: str | None = None
    mergeable: str | None = None
    merge_state_status: str | None = None
    review_decision: str | None = None
    is_in_merge_queue: bool = False
    author: Actor | None = None
    auto_merge_request: AutoMerge | None = None
    merge_commit: Oid | None = None
    labels: Connection[Label] | None = None
    review_requests: Connection[ReviewRequest] | None = None
    reviews: Connection[ReviewNode] | None = None
    review_threads: Connection[ThreadNode] | None = None
