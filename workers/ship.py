"""The ship pool's jobs: the only ones that move a branch."""

from __future__ import annotations

from typing import Any

from celery import Task

from ops_orchestrate.engine.landing.step import land as land_step
from ops_orchestrate.engine.promotion.own import pursue_own
from ops_orchestrate.engine.promotion.step import promote as promote_step
from ops_orchestrate.engine.promotion.watch import watch_once
from ops_orchestrate.engine.rerun import rerun as rerun_step
from ops_orchestrate.wiring import toolbox
from workers.job import LATE, holder, job, run_stage


@job("ship.land", LATE)
def land(task: Task, key: dict[str, Any]) -> str:
    """Merge a verified attempt into its integration branch."""
    return run_stage(task, key, land_step)


@job("ship.promote", LATE)
def promote(task: Task, run: str, repo: str) -> None:
    """Promote integration to main with a merge commit."""
    promote_step(run, repo, holder(task), toolbox())


@job("ship.pursue", LATE)
def pursue(task: Task, run: str, key: str) -> None:
    """Bring a back-merge or a revert a step further."""
    pursue_own(run, key, holder(task), toolbox())


@job("ship.watch", LATE)
def watch(task: Task, run: str, repo: str) -> None:
    """Look once at what is deployed after a merge."""
    watch_once(run, repo, holder(task), toolbox())


@job("ship.rerun", LATE)
def rerun(_task: Task, run: str, repo: str, number: int) -> None:
    """Run a workflow run of the forge once more."""
    rerun_step(run, repo, number, toolbox())
