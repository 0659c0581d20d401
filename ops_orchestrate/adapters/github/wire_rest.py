"""Workflow runs and jobs, as REST gives them."""

from __future__ import annotations

from pydantic import Field

from ops_orchestrate.adapters.github.wire import Rest


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
    run_attempt: int = 1
    name: str = ""
    status: str | None = None
    conclusion: str | None = None
    html_url: str | None = ""
    steps: list[StepRest] = Field(default_factory=list)
