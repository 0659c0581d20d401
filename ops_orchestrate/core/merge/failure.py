"""What a red check looked like from inside, and what kind of failure it is. Closed by default: in doubt it is code.

A kind that is nobody's work is only believed where *every* red job shows it, and a step that failed genuinely
vetoes it: a change must not be able to call its own failure an outage.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from ops_orchestrate.core.merge.checks import BROKEN_OFF
from ops_orchestrate.core.merge.pull import Check, Conclusion
from ops_orchestrate.core.value import Value


class FailureClass(StrEnum):
    """Why a check is red. Only CODE is work for an agent."""

    NEVER_STARTED = "never-started"  #: no job of it ever ran
    BILLING = "billing"  #: the account may not run anything: only its owner can mend that
    INFRASTRUCTURE = "infrastructure"  #: the runner or the network broke, not the change
    FLAKY = "flaky"  #: the same commit has passed the same job before
    CODE = "code"


class JobStep(Value):
    """One step of a job."""

    name: str
    conclusion: Conclusion


class FailedJob(Value):
    """One red job of a workflow run, as far as the forge tells. All text is from outside and cleaned."""

    id: int
    run: int
    attempt: int
    name: str
    conclusion: Conclusion
    steps: tuple[JobStep, ...] = ()
    annotations: tuple[str, ...] = ()
    log: str = ""
    """The end of its log."""
    log_missing: bool = False
    """The forge has no log of it (404): it never wrote one."""
    passed_before: bool = False
    """The same job of the same commit has passed in another attempt."""
    url: str = ""


_BILLING = re.compile(r"recent account payments have failed|spending limit|billing (?:issue|&|and)", re.IGNORECASE)
_NOT_STARTED = re.compile(
    r"job was not (?:started|acquired)|no runner|runner .{0,80}could not be found|failed to queue", re.IGNORECASE
)
_RUNNER_LOST = re.compile(
    r"lost communication with the server|received a shutdown signal|runner .{0,80}(?:went offline|was lost)",
    re.IGNORECASE,
)
_OUT_OF_TIME = re.compile(r"exceeded the maximum execution time", re.IGNORECASE)

_FAILED_STEP = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT, Conclusion.ACTION_REQUIRED, Conclusion.UNKNOWN})

#: Of several kinds the first one found says what to do.
_ORDER = (
    FailureClass.CODE,
    FailureClass.BILLING,
    FailureClass.NEVER_STARTED,
    FailureClass.FLAKY,
    FailureClass.INFRASTRUCTURE,
)


def classify(jobs: Sequence[FailedJob], check: Check | None = None) -> FailureClass:
    """The kind of failure behind a red check, from its red jobs.

    Jobs skipped behind a failure are not among them. Without any job (a commit status, another app's check) the
    check's own conclusion is all there is: only one that was broken off or never started is not code.
    """
    if not jobs:
        return _bare(check)
    kinds = {_kind(job) for job in jobs}
    return next(kind for kind in _ORDER if kind in kinds)


def genuine_steps(job: FailedJob) -> tuple[JobStep, ...]:
    """The steps that failed by themselves."""
    return tuple(step for step in job.steps if step.conclusion in _FAILED_STEP)


def _bare(check: Check | None) -> FailureClass:
    if check is None or check.kind == "status":
        return FailureClass.CODE
    if check.conclusion in BROKEN_OFF:
        return FailureClass.INFRASTRUCTURE
    return FailureClass.NEVER_STARTED if check.conclusion is Conclusion.STARTUP_FAILURE else FailureClass.CODE


def _kind(job: FailedJob) -> FailureClass:
    if genuine_steps(job) or _says(job, _OUT_OF_TIME):
        return FailureClass.FLAKY if job.passed_before else FailureClass.CODE
    if not job.steps:
        return _without_steps(job)
    # From here on every step succeeded, was skipped or was broken off.
    if job.conclusion in BROKEN_OFF or job.log_missing or _says(job, _RUNNER_LOST):
        return FailureClass.INFRASTRUCTURE
    return FailureClass.FLAKY if job.passed_before else FailureClass.CODE


def _without_steps(job: FailedJob) -> FailureClass:
    if _says(job, _BILLING):
        return FailureClass.BILLING
    if job.conclusion is Conclusion.STARTUP_FAILURE or job.log_missing or _says(job, _NOT_STARTED):
        return FailureClass.NEVER_STARTED
    if job.conclusion in BROKEN_OFF or _says(job, _RUNNER_LOST):
        return FailureClass.INFRASTRUCTURE
    return FailureClass.CODE


def _says(job: FailedJob, pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(text) for text in job.annotations)
