"""Issues, their labels and comments, and how they hang together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ops_orchestrate.standin.people import User

if TYPE_CHECKING:
    from ops_orchestrate.standin.repository import Repository


@dataclass(eq=False)
class Label:
    """A label of a repository."""

    id: int
    node_id: str
    repository: Repository
    name: str
    color: str = "ededed"
    description: str = ""


@dataclass(eq=False)
class Comment:
    """A comment in the conversation of an issue or a pull request."""

    id: int
    node_id: str
    author: User
    body: str
    at: float


@dataclass(eq=False)
class Issue:
    """An issue. Relations point to issues of any repository."""

    id: int
    node_id: str
    repository: Repository
    number: int
    title: str
    body: str
    author: User
    created_at: float
    updated_at: float
    open: bool = True
    closed_at: float | None = None
    state_reason: str | None = None
    labels: list[Label] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    parent: Issue | None = None
    sub_issues: list[Issue] = field(default_factory=list)
    blocked_by: list[Issue] = field(default_factory=list)
    blocking: list[Issue] = field(default_factory=list)

    @property
    def progress(self) -> tuple[int, int, int]:
        """How many parts it has, how many of them are done, and how many percent that is."""
        total, done = len(self.sub_issues), sum(not sub.open for sub in self.sub_issues)
        return total, done, 100 * done // total if total else 0
