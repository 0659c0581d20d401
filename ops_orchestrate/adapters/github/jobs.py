"""What a red check looks like from inside: its jobs, their steps, annotations and the ends of their logs."""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.trouble import Missing
from ops_orchestrate.adapters.github.wire import read
from ops_orchestrate.adapters.github.wire_rest import JobRest
from ops_orchestrate.adapters.github.words import conclusion_of
from ops_orchestrate.core.forge_look import FailedRun
from ops_orchestrate.core.merge.failure import FailedJob, JobStep, classify
from ops_orchestrate.core.merge.pull import Check, Conclusion
from ops_orchestrate.core.merge.regression import WorkflowRun
from ops_orchestrate.core.merge.relevant import failure_tail
from ops_orchestrate.core.names import clean_text, one_line
from ops_orchestrate.errors import SourceUnavailable

_RED = frozenset(set(Conclusion) - {Conclusion.SUCCESS, Conclusion.NEUTRAL, Conclusion.SKIPPED, Conclusion.PENDING})
_MAX_JOBS = 10
_MAX_EARLIER = 3
LOG_TAIL = 20_000
"""Characters of a log's end; of a log without end, that of its first 50 MB."""


class Reading(NamedTuple):
    """Where jobs are read, and what for: an audit leaves the reserve of the rate limit alone."""

    client: GitHubClient
    slug: str
    purpose: Purpose


def failed_run(client: GitHubClient, slug: str, run: WorkflowRun) -> FailedRun:
    """What a red run of a branch looked like from inside, for an audit. Raises SourceUnavailable."""
    check = Check(
        kind="run", id=0, name=run.name, conclusion=run.conclusion, run=run.id, attempt=run.attempt, url=run.url
    )
    jobs = failed_jobs(Reading(client, slug, Purpose.AUDIT), check)
    return FailedRun(kind=classify(jobs, check), words=failure_tail(jobs))


def failed_jobs(reading: Reading, check: Check) -> tuple[FailedJob, ...]:
    """The red jobs behind a check; the check's own job alone where it is one. Raises SourceUnavailable.

    A commit status has nothing behind it, another app's check run only its annotations and its summary.
    """
    if check.kind == "status":
        return ()
    if check.run is None:
        return (_foreign(reading, check),)
    jobs = _jobs(reading, check.run, check.attempt)
    chosen = [job for job in jobs if job.id == check.id] or [job for job in jobs if _conclusion(job) in _RED]
    earlier = _passed_earlier(reading, check) if chosen else frozenset()
    return tuple(_told(reading, check, job, job.name in earlier) for job in chosen[:_MAX_JOBS])


def _jobs(reading: Reading, run: int, attempt: int) -> list[JobRest]:
    listed = reading.client.pages(
        f"/repos/{reading.slug}/actions/runs/{run}/attempts/{attempt}/jobs", reading.purpose, inside="jobs"
    )
    return [read(JobRest, one, f"a job of {reading.slug}") for one in listed]


def _passed_earlier(reading: Reading, check: Check) -> frozenset[str]:
    names: set[str] = set()
    for attempt in range(check.attempt - 1, max(0, check.attempt - 1 - _MAX_EARLIER), -1):
        with contextlib.suppress(Missing):  # old attempts are thrown away some day
            jobs = _jobs(reading, check.run or 0, attempt)
            names |= {job.name for job in jobs if _conclusion(job) is Conclusion.SUCCESS}
    return frozenset(names)


def _told(reading: Reading, check: Check, job: JobRest, passed_before: bool) -> FailedJob:
    log, missing = "", False
    try:
        log = reading.client.tail(f"/repos/{reading.slug}/actions/jobs/{job.id}/logs", reading.purpose, LOG_TAIL)
    except Missing:
        missing = True
    return FailedJob(
        id=job.id,
        run=check.run or 0,
        attempt=check.attempt,
        name=one_line(job.name, 200),
        conclusion=_conclusion(job),
        steps=tuple(
            JobStep(name=one_line(step.name, 200), conclusion=conclusion_of(step.status, step.conclusion))
            for step in job.steps
        ),
        annotations=_annotations(reading, job.id),
        log=clean_text(log, LOG_TAIL),
        log_missing=missing,
        passed_before=passed_before,
        url=one_line(job.html_url or "", 500),
    )


def _foreign(reading: Reading, check: Check) -> FailedJob:
    body: Any = reading.client.get(f"/repos/{reading.slug}/check-runs/{check.id}", reading.purpose).data
    output = body.get("output") if isinstance(body, dict) else None
    texts = [str(output.get(part) or "") for part in ("title", "summary", "text")] if isinstance(output, dict) else []
    return FailedJob(
        id=check.id,
        run=0,
        attempt=check.attempt,
        name=check.name,
        conclusion=check.conclusion,
        annotations=_annotations(reading, check.id),
        log=clean_text("\n".join(text for text in texts if text), LOG_TAIL),
        url=check.url,
    )


def _annotations(reading: Reading, check_run: int) -> tuple[str, ...]:
    """Their messages; none where GitHub has none of it. A reason for a failure, never a condition of reading it."""
    try:
        listed = reading.client.get(
            f"/repos/{reading.slug}/check-runs/{check_run}/annotations", reading.purpose, {"per_page": 50}
        ).data
    except Missing:
        return ()
    if not isinstance(listed, list):
        raise SourceUnavailable(f"GitHub's annotations of a check of {reading.slug} are no list")
    return tuple(one_line(str(one.get("message") or ""), 500) for one in listed if isinstance(one, dict))


def _conclusion(job: JobRest) -> Conclusion:
    return conclusion_of(job.status, job.conclusion)
