"""Whether a red workflow is worth a task: the seed's already-fixed filter, per workflow, event and branch.

Only completed runs count, newest first; a run that is still going has said nothing. Every conclusion has its meaning:
a pass ends the story, a failure continues it, and what was broken off, held up or skipped is no word either way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum

from ops_orchestrate.core.merge.pull import Conclusion
from ops_orchestrate.core.value import Value

#: So many completed runs of one workflow are looked back at.
LOOKED_BACK = 10
#: So many failures in a row are no accident, whatever was before.
_MANY = 3

#: A failure: the workflow ran, or could not even be read, because of what is in the repository.
_FAILED = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT, Conclusion.STARTUP_FAILURE})
_PASSED = frozenset({Conclusion.SUCCESS})
#: No word of the code: cancelled and stale were broken off, action_required waits for a person, skipped and neutral
#: did not try, and what we do not know proves nothing.
SILENT = frozenset(set(Conclusion) - _FAILED - _PASSED)


class WorkflowRun(Value):
    """One run of a workflow on a branch."""

    id: int
    """The forge's own number; of two the greater one is newer."""
    workflow: int
    name: str
    event: str
    branch: str
    conclusion: Conclusion
    """PENDING while it is not completed."""
    attempt: int = 1
    head: str = ""
    url: str = ""


class Standing(StrEnum):
    """What the latest runs of one workflow on one branch say."""

    PERSISTENT = "persistent"  #: it has failed three times or more, and has not passed since
    NEW_REGRESSION = "new-regression"  #: it passed before, and fails now
    SKIP = "skip"  #: it passes, or nothing is known


class RedWorkflow(Value):
    """One workflow, event and branch, and what to do about it."""

    standing: Standing
    reason: str
    latest: WorkflowRun
    """The newest run that says anything; of a skipped one without any, the newest at all."""
    failures: int = 0
    """Failures in a row, the newest first."""
    passed_before: bool = False
    """A run before those failures passed, as far back as is known."""

    @property
    def shallow(self) -> bool:
        """Whether runs further back could change the standing: few failures, and no pass before them in sight."""
        return 0 < self.failures < _MANY and not self.passed_before


def red_workflows(runs: Iterable[WorkflowRun], branches: Collection[str]) -> tuple[RedWorkflow, ...]:
    """Each workflow, event and branch among `branches`, with its standing; skipped ones too, with their reason.

    A green main never hides a red integration branch, nor one event another.
    """
    groups: dict[tuple[int, str, str], list[WorkflowRun]] = defaultdict(list)
    for run in runs:
        if run.branch in branches:
            groups[(run.workflow, run.event, run.branch)].append(run)
    return tuple(_judge(_newest_first(group)) for _, group in sorted(groups.items()))


def _newest_first(group: Sequence[WorkflowRun]) -> list[WorkflowRun]:
    """One entry a run, its newest attempt, as far back as is looked."""
    newest: dict[int, WorkflowRun] = {}
    for run in group:
        known = newest.get(run.id)
        if known is None or run.attempt > known.attempt:
            newest[run.id] = run
    return sorted(newest.values(), key=lambda run: -run.id)


def _judge(runs: Sequence[WorkflowRun]) -> RedWorkflow:
    telling = [run for run in runs if run.conclusion not in SILENT][:LOOKED_BACK]
    if not telling:
        return RedWorkflow(standing=Standing.SKIP, reason="no completed run says anything", latest=runs[0])
    latest = telling[0]
    if latest.conclusion in _PASSED:
        return RedWorkflow(standing=Standing.SKIP, reason="its latest run passed", latest=latest)
    failures = next((n for n, run in enumerate(telling) if run.conclusion in _PASSED), len(telling))
    passed_before = failures < len(telling)
    standing, reason = _standing(failures, passed_before)
    return RedWorkflow(standing=standing, reason=reason, latest=latest, failures=failures, passed_before=passed_before)


def _standing(failures: int, passed_before: bool) -> tuple[Standing, str]:
    """The seed names two failures before the latest (persistent) and a pass before it (a regression).

    One failure before it, and a pass before that, is a regression that nobody has mended yet. Without any pass in
    sight two failures have no green to have regressed from: persistent. A single run that failed is news.
    """
    if failures >= _MANY:
        return Standing.PERSISTENT, f"it has failed {failures} times in a row"
    if passed_before:
        return Standing.NEW_REGRESSION, "it passed before, and fails now"
    if failures == 2:
        return Standing.PERSISTENT, "it has failed twice, and no earlier run passed"
    return Standing.NEW_REGRESSION, "its only telling run failed"
