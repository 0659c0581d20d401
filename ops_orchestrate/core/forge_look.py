"""What an audit sees of one repository on its forge, as frozen values. Every text comes from outside and is cleaned."""

from __future__ import annotations

from pydantic import Field

from ops_orchestrate.core.mark import Mark
from ops_orchestrate.core.merge.failure import FailureClass
from ops_orchestrate.core.merge.pull import Conclusion, Mergeable, PullState, ReviewDecision
from ops_orchestrate.core.merge.regression import WorkflowRun
from ops_orchestrate.core.value import Value


class PullRef(Value):
    """A pull request as an issue names it."""

    number: int
    author: str
    url: str = ""
    ours: bool = False
    slug: str = ""
    """Where it is; an issue may be closed from another repository."""


class IssueSeen(Value):
    """An open issue."""

    number: int
    title: str
    body: str = ""
    url: str = ""
    author: str = ""
    trusted: bool = False
    """Its author owns, belongs to or collaborates on the repository."""
    labels: tuple[str, ...] = ()
    sub_issues: tuple[str, ...] = ()
    """Names of its sub-issues that are open."""
    pulls: tuple[PullRef, ...] = ()
    """Open pull requests that will close it; those whose text alone says so come by `with_closers`."""


class PullSeen(Value):
    """An open pull request."""

    number: int
    title: str
    url: str = ""
    author: str = ""
    ours: bool = False
    state: PullState = PullState.OPEN
    draft: bool = False
    head: str = ""
    head_ref: str = ""
    base_ref: str = ""
    mergeable: Mergeable = Mergeable.UNKNOWN
    decision: ReviewDecision = ReviewDecision.UNKNOWN
    checks: Conclusion = Conclusion.UNKNOWN
    """What all its checks amount to, as the forge sums them up; NEUTRAL where it has none."""
    unresolved: tuple[str, ...] = ()
    """Places of review threads that are not resolved."""
    closes: tuple[str, ...] = ()
    """Names of the issues that it closes, linked by the forge or said in its text: a forge links nothing with one into
    another branch than the default."""
    mark: Mark | None = None
    """What its text says of its own branch, where it is ours."""


class MergedSeen(Value):
    """A merged pull request of ours that says of its own branch which work it was."""

    number: int
    base_ref: str
    mark: Mark


class FailedRun(Value):
    """What a red workflow run looked like from inside."""

    kind: FailureClass
    words: str
    """The failed jobs, their steps and the ends of their logs."""


class ForgeLook(Value):
    """Everything that one look at a repository showed."""

    slug: str
    """Its name as the forge has it now."""
    host: str = "github.com"
    """Where its pages are: an address of another host names none of its issues."""
    writable: bool
    """The forge lets us push; it is asked again right before every write."""
    archived: bool = False
    branches: tuple[str, ...] = ()
    """Branches whose workflows matter: integration first, then main."""
    issues: tuple[IssueSeen, ...] = ()
    pulls: tuple[PullSeen, ...] = ()
    merged: tuple[MergedSeen, ...] = ()
    """Ours among those that were merged lately, the newest first."""
    runs: tuple[WorkflowRun, ...] = ()
    failures: dict[int, FailedRun] = Field(default_factory=dict)
    """Red runs that were looked into, by their number."""
    notes: tuple[str, ...] = ()
    """What a person should know of the look itself: a new name, a list that was cut."""
