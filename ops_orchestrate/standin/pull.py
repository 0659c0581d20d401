"""Pull requests with their reviews and threads, and what GitHub has computed about them so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ops_orchestrate.standin.issue import Comment, Label
from ops_orchestrate.standin.people import User

if TYPE_CHECKING:
    from ops_orchestrate.standin.repository import Repository


@dataclass(eq=False)
class Review:
    """One review; `state` in GitHub's capitals, DISMISSED once it no longer counts."""

    id: int
    node_id: str
    author: User
    state: str
    body: str
    commit: str
    at: float


@dataclass(eq=False)
class ThreadComment:
    """A comment at a place of the diff."""

    id: int
    node_id: str
    author: User
    body: str
    at: float
    commit: str
    review: Review | None = None
    reply_to: ThreadComment | None = None
    thread: Thread | None = None


@dataclass(eq=False)
class Thread:
    """A conversation at a place of the diff."""

    id: int
    node_id: str
    pull: Pull
    path: str
    line: int | None
    comments: list[ThreadComment] = field(default_factory=list)
    resolved_by: User | None = None
    outdated: bool = False

    @property
    def resolved(self) -> bool:
        """Whether somebody has resolved it."""
        return self.resolved_by is not None


@dataclass(eq=False)
class AutoMerge:
    """A standing order to merge once everything required is there."""

    by: User
    method: str
    at: float
    title: str | None = None
    message: str | None = None


@dataclass(eq=False)
class QueueEntry:
    """A pull request's place in the merge queue; `group` is the commit that is tested for it."""

    id: int
    node_id: str
    pull: Pull
    by: User
    at: float
    base: str = ""
    group: str = ""
    branch: str = ""


@dataclass(eq=False)
class Pull:
    """A pull request. `mergeable` None: not computed yet, GitHub does that only after it was asked.

    `base_sha` is the base as it was when the head last came or moved; the base's own branch may be further.
    """

    id: int
    node_id: str
    repository: Repository
    number: int
    title: str
    body: str
    author: User
    base_ref: str
    base_sha: str
    head_repository: Repository | None
    head_ref: str
    head_sha: str
    created_at: float
    updated_at: float
    draft: bool = False
    open: bool = True
    closed_at: float | None = None
    merged_at: float | None = None
    merged_by: User | None = None
    merge_commit: str | None = None
    mergeable: bool | None = None
    computed_for: tuple[str, str] = ("", "")
    asked: int = 0
    claims: list[bool | None] = field(default_factory=list)
    """What the next reads answer instead of the truth: GitHub does show stale values."""
    maintainer_can_modify: bool = True
    labels: list[Label] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    reviewers: list[User] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    auto_merge: AutoMerge | None = None
    queued: QueueEntry | None = None

    @property
    def merged(self) -> bool:
        """Whether it was merged."""
        return self.merged_at is not None

    @property
    def cross_repository(self) -> bool:
        """Whether it comes from a fork (or from one that is gone)."""
        return self.head_repository is not self.repository
