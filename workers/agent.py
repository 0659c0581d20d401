"""The agent pool's job: run one agent. Nothing here pushes or merges."""

from __future__ import annotations

from typing import Any

from celery import Task

from ops_orchestrate.engine.work import implement as implement_step
from workers.job import EARLY, job, run_stage


@job("agent.implement", EARLY)
def implement(task: Task, key: dict[str, Any]) -> str:
    """One attempt of one task."""
    return run_stage(task, key, implement_step)
