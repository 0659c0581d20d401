"""The audit pool's jobs: look at projects and sources, verify attempts, run gates. Nothing here writes to a forge."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from celery import Task

from ops_orchestrate.engine import audit as auditing
from ops_orchestrate.engine.promotion.check import check_head as check_head_step
from ops_orchestrate.engine.verify import verify as verify_step
from ops_orchestrate.errors import LedgerUnavailable
from ops_orchestrate.wiring import toolbox
from workers.job import LATE, holder, job, run_stage
from workers.progress import progress_of

log = logging.getLogger("ops_orchestrate.audit")


@job("audit.project", LATE)
def project(task: Task, run: str, part: str) -> str:
    """One batch of projects: a part of the audit's chord."""
    return _part(task, run, part)


@job("audit.source", LATE)
def source(task: Task, run: str, part: str) -> str:
    """One source of findings: a part of the audit's chord."""
    return _part(task, run, part)


@job("audit.verify", LATE)
def verify(task: Task, key: dict[str, Any]) -> str:
    """Judge what an attempt delivered."""
    return run_stage(task, key, verify_step)


@job("audit.check_head", LATE)
def check_head(_task: Task, run: str, key: str) -> None:
    """Run the gate on an integration head that is to be promoted, or on what a back-merge or a revert would make."""
    check_head_step(run, key, toolbox())


def _part(task: Task, run: str, part: str) -> str:
    """A part that fails is unknown; it must not take the chord with it."""
    tools = toolbox()
    try:
        with progress_of(task, tools.secrets.redact) as progress:
            auditing.audit_part(run, part, holder(task), replace(tools, doing=progress))
    except LedgerUnavailable as error:
        log.warning("part %s of run %s will be done again: %s", part, run, error)
        return "lost"
    except Exception as error:
        log.exception("part %s of run %s failed; it is unknown", part, run)
        auditing.give_up(run, part, f"auditing it failed: {error}", tools)
        return "unknown"
    return "done"
