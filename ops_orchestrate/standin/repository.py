"""A repository: its bare git repository and everything GitHub keeps around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ops_orchestrate.standin.check import CheckRun, Run, Status, Suite
from ops_orchestrate.standin.git import Bare
from ops_orchestrate.standin.issue import Issue, Label
from ops_orchestrate.standin.people import User
from ops_orchestrate.standin.pull import Pull, QueueEntry

if TYPE_CHECKING:
    from ops_orchestrate.standin.profile import Profile


@dataclass(eq=False)
class Protection:
    """Rules in front of branches: a classic protection, or a ruleset (`classic` False)."""

    pattern: str
    id: int = 0
    classic: bool = False
    checks: list[tuple[str, int | None]] = field(default_factory=list)
    """Required contexts, each with the app that has to report it (None: anybody)."""
    strict: bool = False
    pull_request: bool = True
    """Nothing gets in but by a pull request."""
    approvals: int = 0
    dismiss_stale: bool = False
    resolve_threads: bool = False
    linear: bool = False
    merge_queue: bool = False
    methods: list[str] = field(default_factory=lambda: ["merge", "squash", "rebase"])
    enforce_admins: bool = True
    """Classic: whether administrators are held to it as well."""
    bypass: list[str] = field(default_factory=list)
    """Logins that a ruleset does not hold back."""
    allow_force: bool = False
    allow_deletion: bool = False


@dataclass(eq=False)
class Repository:
    """One repository on the stand-in."""

    id: int
    node_id: str
    owner: User
    name: str
    bare: Bare
    created_at: float
    pushed_at: float
    default_branch: str = "main"
    private: bool = True
    archived: bool = False
    description: str | None = None
    parent: Repository | None = None
    allow: set[str] = field(default_factory=lambda: {"merge", "squash", "rebase"})
    allow_auto_merge: bool = True
    delete_branch_on_merge: bool = False
    members: dict[str, str] = field(default_factory=dict)
    """Login (lower case) to level."""
    protections: list[Protection] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)
    """As the stand-in last saw them; `Refs.notice` finds out what has changed since."""
    numbers: int = 0
    pulls: dict[int, Pull] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    suites: list[Suite] = field(default_factory=list)
    runs: dict[int, Run] = field(default_factory=dict)
    check_runs: dict[int, CheckRun] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    workflows: dict[str, int] = field(default_factory=dict)
    queue: list[QueueEntry] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """owner/name."""
        return f"{self.owner.login}/{self.name}"

    def number(self) -> int:
        """The next number of an issue or pull request: they share one row."""
        self.numbers += 1
        return self.numbers

    def branch(self, name: str) -> str | None:
        """The commit of a branch, or None."""
        return self.refs.get(f"refs/heads/{name}")

    def rules_of(self, branch: str) -> list[Protection]:
        """Every protection and ruleset that stands in front of a branch."""
        return [one for one in self.protections if fnmatchcase(branch, one.pattern)]

    def checks_of(self, sha: str) -> list[CheckRun]:
        """Every check run of a commit, all attempts."""
        return [run for run in self.check_runs.values() if run.head_sha == sha]

    def statuses_of(self, sha: str) -> list[Status]:
        """Every status of a commit, old ones too."""
        return [one for one in self.statuses if one.sha == sha]
