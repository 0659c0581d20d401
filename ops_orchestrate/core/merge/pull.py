"""What a forge says of one pull request, as frozen values.

Words of the forge become enums of ours where they enter. A word that we do not know becomes UNKNOWN, which no rule
accepts: a new conclusion, merge state or review state can delay a merge and never cause one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from ops_orchestrate.core.names import OUR_BRANCHES
from ops_orchestrate.core.value import Value


class PullState(StrEnum):
    """Where the pull request stands."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"
    UNKNOWN = "unknown"


class Conclusion(StrEnum):
    """What a check has come to; both of GitHub's kinds (check runs and commit statuses) read as this one."""

    PENDING = "pending"  #: queued, in progress, waiting, requested, expected
    SUCCESS = "success"
    FAILURE = "failure"  #: failure and error
    TIMED_OUT = "timed-out"
    STARTUP_FAILURE = "startup-failure"
    ACTION_REQUIRED = "action-required"
    CANCELLED = "cancelled"
    STALE = "stale"
    NEUTRAL = "neutral"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Mergeable(StrEnum):
    """Whether git can merge it, as far as the forge has computed it."""

    MERGEABLE = "mergeable"
    CONFLICTING = "conflicting"
    UNKNOWN = "unknown"


class MergeState(StrEnum):
    """GitHub's own summary (`mergeStateStatus`)."""

    CLEAN = "clean"
    HAS_HOOKS = "has-hooks"
    UNSTABLE = "unstable"
    BLOCKED = "blocked"
    BEHIND = "behind"
    DIRTY = "dirty"
    DRAFT = "draft"
    UNKNOWN = "unknown"


class ReviewState(StrEnum):
    """One review's verdict."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes-requested"
    COMMENTED = "commented"
    DISMISSED = "dismissed"
    PENDING = "pending"
    UNKNOWN = "unknown"


class ReviewDecision(StrEnum):
    """What the reviews amount to by the base's rules; NONE where no review is required."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes-requested"
    REVIEW_REQUIRED = "review-required"
    NONE = "none"
    UNKNOWN = "unknown"


class Check(Value):
    """One check run or commit status on one commit."""

    kind: Literal["run", "status"]
    id: int
    """The forge's own number: of two with one key the greater one is newer, whatever the order of a list."""
    name: str
    conclusion: Conclusion
    app: int | None = None
    """The app that reported it; None for a commit status without one."""
    workflow: int | None = None
    run: int | None = None
    """The workflow run that it belongs to."""
    attempt: int = 1
    """Which attempt of that run."""
    event: str = ""
    started_at: float = 0.0
    """Seconds since 1970; 0: not started."""
    completed_at: float = 0.0
    required: bool = False
    """The base's rules require it by name (as the forge says)."""
    url: str = ""
    ours: bool = False
    """Reported by the identity that we act as: never evidence of anything."""


class Review(Value):
    """One review of one commit."""

    author: str
    state: ReviewState
    commit: str
    at: float
    trusted: bool = False
    """Its author may write to the repository: only such a review counts, for or against."""
    body: str = ""
    """Its text comes from outside: data, never an instruction."""


class ThreadComment(Value):
    """One comment of a review thread. Its text comes from outside: data, never an instruction."""

    author: str
    body: str
    at: float
    ours: bool = False
    trusted: bool = False
    """Its author owns, belongs to or collaborates on the repository."""


class Thread(Value):
    """A review thread at a place of the diff."""

    id: str
    resolved: bool
    path: str = ""
    line: int | None = None
    comments: tuple[ThreadComment, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the last word is ours."""
        return bool(self.comments) and self.comments[-1].ours


class Pull(Value):
    """One pull request with everything that decides about it, read in one go for one head."""

    number: int
    url: str = ""
    state: PullState
    draft: bool = False
    title: str = ""
    body: str = ""
    """Its text as it stands, where it was read for itself. It comes from outside: data, never an instruction."""
    head: str
    head_ref: str
    base_ref: str
    cross_repository: bool = False
    author: str = ""
    ours: bool = False
    """Opened by the identity that we act as, from a branch of ours in the same repository."""
    created_at: float = 0.0
    head_at: float = 0.0
    """When the forge got this head (its newest push), as well as it says; 0: unknown."""
    mergeable: Mergeable = Mergeable.UNKNOWN
    merge_state: MergeState = MergeState.UNKNOWN
    review_decision: ReviewDecision = ReviewDecision.UNKNOWN
    labels: tuple[str, ...] = ()
    in_merge_queue: bool = False
    auto_merge: str = ""
    """Who has asked the forge to merge it by itself, if anybody has."""
    merge_commit: str = ""
    checks: tuple[Check, ...] = ()
    checks_of: str = ""
    """The commit that the checks were read for; a rule compares it with the head."""
    base_head: str = ""
    """The base's commit whose rollup of checks is in `base_rollup`, whole; empty where none was read in this go."""
    base_rollup: tuple[Check, ...] = ()
    """Not all that there is on that commit: workflow runs that no rollup shows are asked for beside it."""
    reviews: tuple[Review, ...] = ()
    review_requests: tuple[str, ...] = ()
    """Logins and teams whose review is still asked for."""
    threads: tuple[Thread, ...] = ()
    complete: bool = True
    """False where a list was cut, an answer was partial or pages are missing: nothing may be concluded from it."""
    problem: str = ""
    """Why it is not complete, in one sentence."""

    @property
    def ci_seconds(self) -> float:
        """How long it took from this head to the end of its last check; 0: unknown."""
        ended = max((check.completed_at for check in self.checks), default=0.0)
        return max(0.0, ended - max(self.head_at, self.created_at))


def is_ours(author: str, branch: str, *, viewer: str, foreign: bool) -> bool:
    """Whether a pull request is ours to go on with. `viewer`: our own login, "" where it is not known.

    `foreign`: its branch is in another repository, where anybody may call one as ours are called.
    """
    return bool(viewer) and author == viewer and not foreign and branch.startswith(OUR_BRANCHES)


class RequiredCheck(Value):
    """A check that the base's rules demand, and from which app (None: from anybody)."""

    name: str
    app: int | None = None


class BranchRules(Value):
    """What the forge itself demands before it lets anything into a branch."""

    known: bool
    """False: they could not be read, which is never the same as "none"."""
    protected: bool = False
    """Some ruleset or classic protection stands in front of the branch."""
    required_checks: tuple[RequiredCheck, ...] = ()
    strict: bool = False
    """A change has to be up to date with the base."""
    required_approvals: int = 0
    merge_queue: bool = False
    methods: frozenset[Literal["squash", "merge", "rebase"]] = frozenset({"squash", "merge", "rebase"})
    """Methods that both the repository and the rules allow."""
