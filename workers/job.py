"""How a job runs a step: who holds the claim, what an error means, whether the chain goes on.

Celery retries nothing by itself. Whatever a step could not finish stays due in the ledger, and the reconciler drives
it on; so an unexpected error here is logged and ends the job, and loses nothing.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from contextvars import ContextVar
from dataclasses import replace
from functools import cached_property
from inspect import Signature, signature
from typing import Any

from celery import Task, signals
from celery.exceptions import Ignore
from kombu.exceptions import OperationalError

from ops_orchestrate.celery import app
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.names import one_line
from ops_orchestrate.engine.step import Next
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError
from ops_orchestrate.log import about
from ops_orchestrate.wiring import toolbox
from workers import traces
from workers.consumer import is_watched
from workers.progress import progress_of

log = logging.getLogger("ops_orchestrate.job")

#: Acknowledged when done: a lost worker's message comes back. Every such job stays under 45 minutes.
LATE: dict[str, Any] = {"acks_late": True, "reject_on_worker_lost": True}

#: Acknowledged when received: a blip of the connection must never start a second agent beside the first
#: (measured: with late acknowledgement a killed connection redelivered a running agent within 40 ms).
EARLY: dict[str, Any] = {"acks_late": False}


class Job(Task):  # the name of the library's class is theirs; "task" means something else here
    """A job whose log lines and spans say which run, task and attempt it works at."""

    Request = "workers.delivery:Delivery"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the job's body."""
        with traces.span(self.name, self.subject(args, kwargs)):
            return super().__call__(*args, **kwargs)

    def subject(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, str | int]:
        """What its arguments name; nothing where they do not fit: the call itself says so."""
        try:
            given = self._body.bind(*args, **kwargs).arguments
        except TypeError:
            return {}
        key = given.get("key")
        facts = key if isinstance(key, dict) else given
        return {name: facts[name] for name in ("run", "task", "attempt") if isinstance(facts.get(name), str | int)}

    @cached_property
    def _body(self) -> Signature:
        return signature(self.run)


#: What the lines of this thread's job are about.
_LINES: ContextVar[ExitStack | None] = ContextVar("lines", default=None)


@signals.task_prerun.connect
def _begin_lines(task: Task, args: Any, kwargs: Any, **_: Any) -> None:
    """From before the body to after it: that it has failed, Celery says when it is over."""
    lines = ExitStack()
    if isinstance(task, Job):
        lines.enter_context(about(**task.subject(tuple(args or ()), dict(kwargs or {}))))
    _LINES.set(lines)


@signals.task_postrun.connect
def _end_lines(**_: Any) -> None:
    if lines := _LINES.get():
        lines.close()


def job(name: str, options: dict[str, Any]) -> Callable[[Callable[..., Any]], Task]:
    """Register a job under a fixed name. `bind` gives it its own request."""
    decorate: Callable[[Callable[..., Any]], Task] = app.task(name=name, bind=True, base=Job, **options)
    return decorate


def holder(task: Task) -> str:
    """A name for this very delivery: a second delivery of the same message is somebody else."""
    return f"{toolbox().host}:{os.getpid()}:{task.request.id}:{uuid.uuid4().hex[:8]}"


def run_stage(task: Task, key: dict[str, Any], step: Callable[[StageKey, str, Toolbox], Next]) -> str:
    """Run one stage; where the chain must not go on, end the job without publishing its successor."""
    began = time.monotonic()
    tools = toolbox()
    with progress_of(task, tools.secrets.redact) as progress:
        outcome = step(StageKey.model_validate(key), holder(task), replace(tools, doing=progress))
        progress.stays = outcome is Next.DROP
    log.info("%s: %s after %.1f s", task.name, outcome, time.monotonic() - began)
    if outcome is Next.DROP:
        if is_watched():  # without it the job would seem to run for ever
            task.update_state(state="SET_ASIDE")
            with suppress(OperationalError):
                task.send_event("task-set-aside", result=progress.last, retry=False)
        raise Ignore
    return (is_watched() and _came_of(StageKey.model_validate(key), tools)) or str(outcome)


def _came_of(key: StageKey, tools: Toolbox) -> str:
    """How the attempt stands, for whoever looks at the job's result; nothing goes by it."""
    with suppress(OpsError):
        if outcome := tools.ledger.attempts.outcome(key):
            return _shown(outcome.kind, outcome.summary, tools)
    return ""


def state_of(key: StageKey, tools: Toolbox) -> str:
    """Where the task stands, likewise; empty where nobody looks, or that cannot be asked."""
    if not is_watched():
        return ""
    with suppress(OpsError):
        record = tools.ledger.tasks.get(key.run, key.task)
        return _shown(record.state, record.reason, tools)
    return ""


def _shown(word: str, reason: str, tools: Toolbox) -> str:
    return one_line(tools.secrets.redact(f"{word}: {reason}".removesuffix(": ")))
