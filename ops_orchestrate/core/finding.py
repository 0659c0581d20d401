"""Findings: what the audit noticed. Everything textual in them may come from outside and is data."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from ops_orchestrate.core.mark import Merged, OpenWork
from ops_orchestrate.core.project import Skipped
from ops_orchestrate.core.task import Priority
from ops_orchestrate.core.value import Value


class FindingKind(StrEnum):
    """Where a finding comes from. Only those with `actionable` set become tasks; the others are reported."""

    REQUESTED = "requested"  #: a task of the `--tasks` file
    RED_BASELINE = "red-baseline"  #: the quality gate fails on the integration branch's head
    CI_FAILURE = "ci-failure"  #: a workflow fails on a branch that matters
    ISSUE = "issue"  #: an open issue of the forge
    ERROR = "error"  #: an unresolved error in production (Sentry)
    TICKET = "ticket"  #: a ticket of the current cycle (Linear)
    CHANGE = "change"  #: an open pull request of ours that needs work
    PHASE = "phase"  #: an open phase of `.planning/ROADMAP.md`
    UNCOMMITTED = "uncommitted"  #: the user's own uncommitted work: reported, never touched
    UNPUSHED = "unpushed"  #: the user's own unpushed commits: reported, never touched
    STATE_DRIFT = "state-drift"  #: `.planning` files that contradict each other
    NOTICE = "notice"  #: anything else worth a line in the report


class Finding(Value):
    """One thing the audit noticed about one repository."""

    kind: FindingKind
    project: str
    repo: str
    """The repository's key."""
    fingerprint: str
    """Stable over runs and over sources: the same defect has the same one."""
    title: str
    detail: str = ""
    source: str
    """Who noticed it: `git`, `planning`, `tasks-file`, later `github`, `sentry`, `linear`."""
    actionable: bool = False
    priority: Priority | None = None
    label: str | None = None
    """The seed's long form of a priority, such as `P1-revenue`."""
    task_id: str | None = None
    """The id a person chose for it (tasks file)."""
    acceptance: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    blocked_by: tuple[str, ...] = ()
    """Ids (tasks file) or fingerprints of what must be completed first."""
    human: str | None = None
    """Why only a person can do it (a human gate of the roadmap); such a task is never dispatched."""
    names: tuple[str, ...] = ()
    """Every name that this defect has at its sources, such as `github:o/r#7`, `sentry:API-3`, `linear:ENG-12`,
    `ci:o/r:build.yml:push:main`. Findings of one repository that share a name are one defect."""
    hold: str = ""
    """Why a person has to say yes before it is dispatched (its author is not trusted); empty: none has to."""
    change: str = ""
    """With CHANGE, and where a pull request of ours for it exists: its number. The work goes on there."""
    change_branch: str = ""
    """With `change`: the branch of ours that it is open for."""
    closes: tuple[str, ...] = ()
    """What the merge closes at its sources: `owner/name#7` for issues, `linear:ENG-12`, `sentry:4711`."""
    rerun: int = 0
    """A workflow run that is red through no fault of the code: it is run again once, and no agent is paid. 0: none."""
    cause: str = ""
    """What it rests on (a SHA, a status): when it changes, the task's description is updated."""


class AuditPart(Value):
    """What one part of the audit brought back. A part that failed is *unknown*, never *nothing found*."""

    part: str
    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unknown: tuple[Skipped, ...] = ()
    read_only: dict[str, str] = Field(default_factory=dict)
    """Repository key to why nothing may be pushed there: whatever is found of it is reported and not worked on."""
    merged: tuple[Merged, ...] = ()
    """Earlier work of ours that git or the forge remember as merged, the newest first."""
    opened: tuple[OpenWork, ...] = ()
    """Open pull requests of ours that say which findings they cover."""
    heads: dict[str, str] = Field(default_factory=dict)
    """Repository key to the integration branch's head that was looked at."""
    branches: dict[str, str] = Field(default_factory=dict)
    """Repository key to the name of its integration branch."""
    red: dict[str, str] = Field(default_factory=dict)
    """Repository key to the tail of its gate's log, where the gate fails on that head."""
