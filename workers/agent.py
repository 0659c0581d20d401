"""The agent pool's jobs: run one agent. Nothing here pushes or merges."""

from __future__ import annotations

from typing import Any

from celery import Task

from ops_orchestrate.engine.review import review as review_step
from ops_orchestrate.engine.work import implement as implement_step
from workers.job import EARLY, job, run_stage


@job("agent.implement", EARLY)
def implement(task: Task, key: dict[str, Any]) -> str:
    """One attempt of one task."""
    return run_stage(task, key, implement_step)


@job("agent.review", EARLY)
def review(task: Task, key: dict[str, Any]) -> str:
    """One security review of one attempt."""
    return run_stage(task, key, review_step)
