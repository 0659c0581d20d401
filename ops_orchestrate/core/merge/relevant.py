"""What the next attempt is told of a red check: the failed job and step, the part of its log that matters, its page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ops_orchestrate.core.merge.failure import FailedJob, genuine_steps
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.tail import relevant_tail

#: So many jobs are shown; the others are only counted.
_SHOWN = 3

# The forge's own decoration: a time in front of every line, and marks for its folding.
_STAMP = re.compile(r"^\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ?", re.MULTILINE)
_MARK = re.compile(r"^##\[(?:error|warning|group|endgroup|section|command|debug)\]", re.MULTILINE)


def failure_tail(jobs: Sequence[FailedJob], limit: int = 4000) -> str:
    """The red jobs as text of about `limit` characters, genuine failures first. It is data for a brief, cleaned.

    Empty where there is no job to show.
    """
    shown = sorted(jobs, key=lambda job: (not genuine_steps(job), job.id))[:_SHOWN]
    if not shown:
        return ""
    parts = [_one(job, limit // len(shown)) for job in shown]
    if len(jobs) > len(shown):
        parts.append(f"(and {len(jobs) - len(shown)} more red jobs)")
    return "\n\n".join(parts)


def _one(job: FailedJob, limit: int) -> str:
    steps = ", ".join(one_line(step.name, 80) for step in genuine_steps(job)[:3])
    head = f"{one_line(job.name, 120)}: {job.conclusion}" + (f" in the step {steps}" if steps else "")
    if job.url:
        head += f"\n{one_line(job.url, 300)}"
    notes = "\n".join(one_line(text, 300) for text in job.annotations[:5])
    log = relevant_tail(_MARK.sub("", _STAMP.sub("", job.log)), max(200, limit - len(head) - len(notes)))
    return "\n".join(part for part in (head, notes, log) if part)
