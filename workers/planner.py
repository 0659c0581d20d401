"""The planner pool's jobs: plan, admit, settle, reconcile, finish. Nothing here touches a repository."""

from __future__ import annotations

from typing import Any

from celery import Task

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.engine import admit as admission
from ops_orchestrate.engine import begin as beginning
from ops_orchestrate.engine import finish as finishing
from ops_orchestrate.engine import keep as keeping
from ops_orchestrate.engine import reconcile as reconciling
from ops_orchestrate.engine import settle as settling
from ops_orchestrate.engine import structure as structuring
from ops_orchestrate.wiring import toolbox
from workers import night, traces
from workers.job import LATE, job, state_of


@job("planner.begin", LATE)
def begin(_task: Task, run: str) -> None:
    """Publish the audit of a run."""
    beginning.begin(run, toolbox())


@job("planner.plan", LATE)
def plan(_task: Task, run: str) -> None:
    """Make the plan of what the audit found; the body of the audit's chord."""
    structuring.plan(run, toolbox())


@job("planner.admit", LATE)
def admit(_task: Task, run: str, task: str = "") -> None:
    """Offer a task and fill the free slots; the body of a join's chord."""
    admission.admit(run, task, toolbox())


@job("planner.settle", LATE)
def settle(_task: Task, key: dict[str, Any]) -> str:
    """Move the task of an attempt on."""
    about = StageKey.model_validate(key)
    settling.settle(about, toolbox())
    traces.task_settled(about, toolbox().ledger)
    return state_of(about, toolbox())


@job("planner.reconcile", LATE)
def reconcile(_task: Task) -> None:
    """Drive on what was lost."""
    reconciling.reconcile(toolbox())


@job("planner.finish", LATE)
def finish(_task: Task, run: str) -> None:
    """Ask whether the run has ended."""
    finishing.finish(run, toolbox())


@job("planner.nightly", LATE)
def nightly(_task: Task) -> str:
    """Begin tonight's run if it is due, and send the digest of one that has ended."""
    return night.look(toolbox())


@job("planner.upkeep", LATE)
def upkeep(_task: Task) -> int:
    """Forget runs that are over for good; how many."""
    return keeping.forget_runs(toolbox())
