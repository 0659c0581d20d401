"""CI by plan: what runs after a push, a pull request or in a merge queue, when it ends, and how.

A result is a conclusion (`"failure"`), a list of them by attempt (`["failure", "success"]` is a flaky job), a rule on
the commit's content (`{"path": "BROKEN", "then": "failure", "else": "success"}`, optionally with `contains`), or in
process a function of the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ops_orchestrate.standin.git import Bare

Result = str | Sequence[str] | Mapping[str, Any] | Callable[["Content"], str]


@dataclass(frozen=True, slots=True)
class Content:
    """A commit to judge."""

    bare: Bare
    sha: str

    def read(self, path: str) -> str | None:
        """The text of a file, or None."""
        data = self.bare.read(self.sha, path)
        return None if data is None else data.decode("utf-8", errors="replace")

    def files(self) -> list[str]:
        """Every path."""
        return self.bare.files(self.sha)


@dataclass(frozen=True)
class JobPlan:
    """One job. `hold`: it ends only when released; else after `seconds`."""

    name: str
    result: Result = "success"
    needs: tuple[str, ...] = ()
    log: str | None = None
    """What its log says; None: something fitting the result. Empty: no log was ever stored (404)."""
    steps: tuple[str, ...] = ("Set up job", "Run tests", "Complete job")
    seconds: float = 0.0
    hold: bool = False
    runner: bool = True
    """False: no machine ever took it."""
    annotation: str | None = None
    """What GitHub says about it; None: the usual words where it fails."""


@dataclass(frozen=True)
class StatusPlan:
    """One commit status by somebody's bot, pending first."""

    context: str
    result: Result = "success"
    creator: str = "ci-bot"
    description: str = ""
    target_url: str | None = None
    seconds: float = 0.0
    hold: bool = False


@dataclass
class Profile:
    """A workflow file and what else reports: on which events and branches, with which jobs and statuses.

    `app`: the slug of another app than Actions, which has check runs and no workflow run. `register_hold`,
    `register_seconds`: the checks themselves appear late. `startup_failure`: the run ends without a job.
    """

    workflow: str = "CI"
    path: str = ".github/workflows/ci.yml"
    on: tuple[str, ...] = ("push",)
    branches: tuple[str, ...] = ("*",)
    jobs: tuple[JobPlan, ...] = (JobPlan("test"),)
    statuses: tuple[StatusPlan, ...] = ()
    app: str | None = None
    register_seconds: float = 0.0
    register_hold: bool = False
    startup_failure: bool = False

    def wants(self, event: str, branch: str) -> bool:
        """Whether an event on a branch (of a pull request: its base) starts it."""
        return event in self.on and any(fnmatchcase(branch, pattern) for pattern in self.branches)


def judged(result: Result, content: Content, attempt: int) -> str:
    """What a result comes to for a commit and an attempt (from 1)."""
    if isinstance(result, str):
        return result
    if isinstance(result, Mapping):
        text = content.read(str(result["path"]))
        hit = text is not None and str(result.get("contains", "")) in text
        return str(result.get("then", "failure") if hit else result.get("else", "success"))
    if callable(result):
        return result(content)
    return result[min(attempt, len(result)) - 1]
