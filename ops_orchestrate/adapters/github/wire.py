"""GitHub's answers as far as we use them. What is more is ignored; what is missing or of another kind is an error."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from ops_orchestrate.core.names import one_line
from ops_orchestrate.errors import SourceUnavailable

N = TypeVar("N")
M = TypeVar("M", bound=BaseModel)


class Wire(BaseModel):
    """A part of a GraphQL answer."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Rest(BaseModel):
    """A part of a REST answer."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PageInfo(Wire):
    """Where a list goes on."""

    has_next_page: bool = False
    end_cursor: str | None = None


class Connection(Wire, Generic[N]):
    """One page of a list. GitHub leaves null in the place of what we may not see."""

    nodes: list[N | None] = Field(default_factory=list)
    total_count: int | None = None
    page_info: PageInfo = PageInfo()

    @property
    def items(self) -> list[N]:
        """What can be seen of it."""
        return [node for node in self.nodes if node is not None]

    @property
    def whole(self) -> bool:
        """Whether this page is all there is."""
        cut = self.total_count is not None and self.total_count != len(self.nodes)
        return not self.page_info.has_next_page and not cut and None not in self.nodes


class Actor(Wire):
    """Somebody; GraphQL names bots without the ending that REST and people use."""

    login: str = ""
    typename: str = Field("", alias="__typename")

    @property
    def name(self) -> str:
        """The login as `merge_authors` has it: `dependabot[bot]`."""
        login = one_line(self.login, 100)
        return f"{login}[bot]" if self.typename == "Bot" and not login.endswith("[bot]") else login


class Oid(Wire):
    """A commit's id."""

    oid: str = ""


class NameWithOwner(Wire):
    """A repository's name."""

    name_with_owner: str


class Label(Wire):
    """A label."""

    name: str


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


class BaseRef(Wire):
    """The base branch."""

    target: Oid | None = None


class ReviewNode(Wire):
    """A review."""

    state: str | None = None
    submitted_at: str | None = None
    author: Actor | None = None
    author_can_push_to_repository: bool = False
    commit: Oid | None = None


class CommentNode(Wire):
    """A comment in a thread."""

    body: str = ""
    created_at: str | None = None
    author: Actor | None = None
    author_association: str = ""
    viewer_did_author: bool = False


class ThreadNode(Wire):
    """A review thread."""

    id: str = ""
    is_resolved: bool
    path: str = ""
    line: int | None = None
    comments: Connection[CommentNode] | None = None


class Reviewer(Wire):
    """A person or a team."""

    login: str = ""
    combined_slug: str = ""


class ReviewRequest(Wire):
    """Somebody whose review is asked for."""

    requested_reviewer: Reviewer | None = None


class IssueRef(Wire):
    """An issue by its number."""

    number: int
    repository: NameWithOwner
    state: str = ""


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
    base_ref: BaseRef | None = None
    head_ref: HeadRef | None = None
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
    closing_issues_references: Connection[IssueRef] | None = None
    reviews: Connection[ReviewNode] | None = None
    review_threads: Connection[ThreadNode] | None = None


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
    head_ref_oid: str = ""
    head_ref_name: str = ""
    base_ref_name: str = ""
    is_cross_repository: bool = True
    mergeable: str | None = None
    review_decision: str | None = None
    updated_at: str | None = None
    author: Actor | None = None
    status_check_rollup: StateNode | None = None
    closing_issues_references: Connection[IssueRef] | None = None
    review_threads: Connection[ThreadNode] | None = None


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
    issues: Connection[LookIssue] | None = None


class RunRest(Rest):
    """A workflow run, as REST lists it."""

    id: int
    name: str | None = None
    path: str | None = None
    event: str = ""
    status: str | None = None
    conclusion: str | None = None
    workflow_id: int = 0
    run_attempt: int = 1
    head_branch: str | None = None
    head_sha: str = ""
    created_at: str | None = None
    run_started_at: str | None = None
    updated_at: str | None = None
    html_url: str = ""


class StepRest(Rest):
    """A step of a job."""

    name: str = ""
    status: str | None = None
    conclusion: str | None = None


class JobRest(Rest):
    """A job of a run."""

    id: int
    run_id: int = 0
    run_attempt: int = 1
    name: str = ""
    status: str | None = None
    conclusion: str | None = None
    html_url: str | None = ""
    steps: list[StepRest] = Field(default_factory=list)


def read(model: type[M], data: Any, what: str) -> M:
    """`data` as the model. Raises SourceUnavailable where it is something else; values stay out of the message."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
    raise SourceUnavailable(f"GitHub's answer about {what} is not what it should be (at {one_line(where, 80)})")
