"""What CI says of a commit: check runs in suites, workflow runs with attempts, and plain statuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ops_orchestrate.standin.people import App, User

if TYPE_CHECKING:
    from ops_orchestrate.standin.profile import JobPlan, Profile
    from ops_orchestrate.standin.repository import Repository

#: What a required check may end with and still let a merge through: GitHub counts these three as success.
PASSING = frozenset({"success", "neutral", "skipped"})


@dataclass(eq=False)
class Suite:
    """The check runs of one app for one commit; Actions makes one for every workflow run."""

    id: int
    node_id: str
    repository: Repository
    app: App
    head_sha: str
    head_branch: str
    run: Run | None = None
    profile: Profile | None = None
    created_at: float = 0.0


@dataclass(eq=False)
class CheckRun:
    """One check; of Actions it is a job as well, under the same number."""

    id: int
    node_id: str
    suite: Suite
    name: str
    status: str
    conclusion: str | None
    created_at: float
    started_at: float | None = None
    completed_at: float | None = None
    attempt: int = 1
    log: str | None = ""
    steps: list[tuple[str, str]] = field(default_factory=list)
    annotations: list[dict[str, object]] = field(default_factory=list)
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    runner: bool = True
    plan: JobPlan | None = None

    @property
    def head_sha(self) -> str:
        """The commit it is about."""
        return self.suite.head_sha


@dataclass(eq=False)
class Run:
    """A workflow run; `attempts` holds the jobs of each attempt. `forced`: an end without any job."""

    id: int
    node_id: str
    suite: Suite
    workflow_id: int
    name: str
    path: str
    event: str
    number: int
    actor: User
    title: str
    created_at: float
    pulls: tuple[int, ...] = ()
    attempts: list[list[CheckRun]] = field(default_factory=list)
    started: list[float] = field(default_factory=list)
    forced: str | None = None
    updated_at: float = 0.0

    @property
    def jobs(self) -> list[CheckRun]:
        """Of the newest attempt."""
        return self.attempts[-1]

    def status_of(self, attempt: int) -> tuple[str, str | None]:
        """Status and conclusion of one attempt (from 1)."""
        jobs = self.attempts[attempt - 1]
        if self.forced:
            return "completed", self.forced
        if any(job.status != "completed" for job in jobs) or not jobs:
            return ("queued" if all(job.status == "queued" for job in jobs) else "in_progress"), None
        return "completed", _conclude([job.conclusion or "" for job in jobs])


def _conclude(conclusions: list[str]) -> str:
    if any(one in {"failure", "timed_out"} for one in conclusions):
        return "failure"
    for one in ("cancelled", "action_required"):
        if one in conclusions:
            return one
    return "skipped" if all(one == "skipped" for one in conclusions) else "success"


@dataclass(eq=False)
class Status:
    """A commit status, which anybody with write access may set."""

    id: int
    node_id: str
    repository: Repository
    sha: str
    context: str
    state: str
    creator: User
    at: float
    description: str | None = None
    target_url: str | None = None


def latest_runs(runs: list[CheckRun]) -> list[CheckRun]:
    """The newest of each name in each suite: a rerun replaces, another workflow's twin does not."""
    newest: dict[tuple[int, str], CheckRun] = {}
    for run in runs:
        key = (run.suite.id, run.name)
        if key not in newest or newest[key].id < run.id:
            newest[key] = run
    return sorted(newest.values(), key=lambda run: run.id)


def latest_statuses(statuses: list[Status]) -> list[Status]:
    """The newest of each context."""
    newest = {one.context: one for one in sorted(statuses, key=lambda one: one.id)}
    return sorted(newest.values(), key=lambda one: one.id)


def in_rollup(runs: list[CheckRun]) -> list[CheckRun]:
    """What GraphQL's rollup shows: the newest ones, but never those of a run that somebody started by hand."""
    return [run for run in latest_runs(runs) if run.suite.run is None or run.suite.run.event != "workflow_dispatch"]


def rolled_up(runs: list[CheckRun], statuses: list[Status]) -> str | None:
    """GitHub's summary of a commit: SUCCESS, PENDING, FAILURE, ERROR; None where nothing was ever reported."""
    states = [run.conclusion if run.status == "completed" else "pending" for run in in_rollup(runs)]
    states += [one.state for one in latest_statuses(statuses)]
    if not states:
        return None
    bad = {"failure", "timed_out", "cancelled", "action_required", "startup_failure", "stale"}
    if any(state in bad for state in states):
        return "FAILURE"
    if "error" in states:
        return "ERROR"
    return "PENDING" if "pending" in states else "SUCCESS"
