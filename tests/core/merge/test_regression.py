"""The seed's filter for CI failures that are fixed already, per workflow, event and branch."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.merge.pull import Conclusion
from ops_orchestrate.core.merge.regression import SILENT, Standing, WorkflowRun, red_workflows

C = Conclusion
LETTERS = {
    "S": C.SUCCESS,
    "F": C.FAILURE,
    "T": C.TIMED_OUT,
    "X": C.STARTUP_FAILURE,
    "c": C.CANCELLED,
    "a": C.ACTION_REQUIRED,
    "k": C.SKIPPED,
    "n": C.NEUTRAL,
    "t": C.STALE,
    "p": C.PENDING,
    "u": C.UNKNOWN,
}


def runs(newest_first: str, **kw: Any) -> list[WorkflowRun]:
    first = kw.pop("first", 1000)
    values: dict[str, Any] = {"workflow": 1, "name": "ci.yml", "event": "push", "branch": "dev"} | kw
    return [WorkflowRun(id=first - n, conclusion=LETTERS[c], **values) for n, c in enumerate(newest_first)]


# (conclusions, the newest first; the standing; failures in a row)
TABLE = [
    ("S", "skip", 0),
    ("SFFF", "skip", 0),
    ("FS", "new-regression", 1),
    ("FFS", "new-regression", 2),
    ("FFFS", "persistent", 3),
    ("FFF", "persistent", 3),
    ("FF", "persistent", 2),
    ("F", "new-regression", 1),
    ("TXF", "persistent", 3),
    ("XS", "new-regression", 1),
    ("pS", "skip", 0),
    ("pFFF", "persistent", 3),
    ("cS", "skip", 0),
    ("cFcFkFS", "persistent", 3),
    ("FcS", "new-regression", 1),
    ("FcF", "persistent", 2),
    ("kakantup", "skip", 0),
    ("uFS", "new-regression", 1),
    ("FFFFFFFFFFFFS", "persistent", 10),
]


@pytest.mark.parametrize(
    ("newest_first", "shallow"),
    [
        ("F", True),
        ("FF", True),
        ("FFF", False),
        ("FS", False),
        ("FFS", False),
        ("FcF", True),
        ("S", False),
        ("c", False),
    ],
)
def test_few_failures_without_a_pass_before_them_are_looked_behind(newest_first: str, shallow: bool) -> None:
    (red,) = red_workflows(runs(newest_first), ["dev"])
    assert red.shallow is shallow


@pytest.mark.parametrize(("newest_first", "standing", "failures"), TABLE)
def test_what_the_latest_runs_say(newest_first: str, standing: str, failures: int) -> None:
    made = runs(newest_first)
    for order in (made, made[::-1]):  # the list's order says nothing
        (red,) = red_workflows(order, ["dev"])
        assert (red.standing, red.failures) == (standing, failures)
        assert red.reason


def test_every_conclusion_is_a_pass_a_failure_or_no_word_at_all() -> None:
    assert set(LETTERS.values()) == set(Conclusion)
    assert {LETTERS[c] for c in "caknptu"} == SILENT


def test_a_silent_run_changes_nothing_wherever_it_stands() -> None:
    for newest_first, standing, failures in TABLE[:10]:
        for silent in "caknptu":
            for at in range(len(newest_first) + 1):
                (red,) = red_workflows(runs(newest_first[:at] + silent + newest_first[at:]), ["dev"])
                assert (red.standing, red.failures) == (standing, failures)


def test_a_green_main_hides_no_red_dev_nor_one_event_another_nor_one_workflow_another() -> None:
    every = [
        *runs("FFF", first=500),
        *runs("SSS", branch="main", first=900),
        *runs("SSS", event="schedule", first=800),
        *runs("SSS", workflow=2, first=700),
        *runs("FFF", branch="feature", first=600),
    ]
    found = {
        (r.latest.workflow, r.latest.event, r.latest.branch): r.standing for r in red_workflows(every, ["dev", "main"])
    }
    assert found == {
        (1, "push", "dev"): Standing.PERSISTENT,
        (1, "push", "main"): Standing.SKIP,
        (1, "schedule", "dev"): Standing.SKIP,
        (2, "push", "dev"): Standing.SKIP,
    }


def test_of_one_run_its_newest_attempt_counts() -> None:
    failed, passed = runs("F")[0], runs("S")[0]
    again = passed.model_copy(update={"attempt": 2})
    assert red_workflows([again, failed], ["dev"])[0].standing is Standing.SKIP
    trying = failed.model_copy(update={"attempt": 2, "conclusion": C.PENDING})
    assert red_workflows([failed, trying], ["dev"])[0].standing is Standing.SKIP


def test_no_run_no_word() -> None:
    assert red_workflows([], ["dev"]) == ()
    assert red_workflows(runs("FFF", branch="x"), ["dev"]) == ()
