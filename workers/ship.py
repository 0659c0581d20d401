"""The ship pool's jobs: the only ones that move a branch."""

from __future__ import annotations

from typing import Any

from celery import Task

from ops_orchestrate.engine import promote as promoting
from ops_orchestrate.engine.land import land as land_step
from ops_orchestrate.wiring import toolbox
from workers.job import LATE, holder, job, run_stage


@job("ship.land", LATE)
def land(task: Task, key: dict[str, Any]) -> str:
    """Merge a verified attempt into its integration branch."""
    return run_stage(task, key, land_step)


@job("ship.promote", LATE)
def promote(task: Task, run: str, repo: str) -> None:
    """Promote integration to main with a merge commit."""
    promoting.promote(run, repo, holder(task), toolbox())
