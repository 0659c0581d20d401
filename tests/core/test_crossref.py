"""What the boards of earlier and concurrent runs mean for a finding: the whole table of states."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from ops_orchestrate.core.crossref import Standing, Verdict, adopted, standing, standing_of_all
from ops_orchestrate.core.finding import FindingKind
from ops_orchestrate.core.states import FINAL, RUN_OPEN, STARTABLE, RunState, TaskState


class Claim(NamedTuple):
    """A claim as the ledger shows it."""

    state: TaskState
    run_state: RunState
    cause: str = "same"
    run: str = "r0"
    task: str = "t0"
    merge: str = ""


def test_nobodys_work_is_new() -> None:
    assert standing(None, "") == Standing(Verdict.NEW)


@pytest.mark.parametrize("run_state", RunState)
@pytest.mark.parametrize("state", [state for state in TaskState if state not in FINAL])
def test_unfinished_work_belongs_to_its_run_unless_that_left_it_behind(state: TaskState, run_state: RunState) -> None:
    found = standing(Claim(state, run_state), "same")
    if state in STARTABLE and run_state not in RUN_OPEN:
        assert found == Standing(Verdict.OVER)
    else:
        assert found == Standing(Verdict.SKIP, f"owned by run r0 ({state}): task t0")


@pytest.mark.parametrize("run_state", RunState)
def test_completed_work_is_done_until_its_cause_changes(run_state: RunState) -> None:
    claim = Claim(TaskState.COMPLETED, run_state, merge="0123456789abcdef")
    assert standing(claim, "same") == Standing(Verdict.DONE, "done since in run r0 (0123456789ab)")
    assert standing(claim._replace(merge=""), "same").reason == "done since in run r0"
    assert standing(claim, "other") == Standing(Verdict.OVER)


@pytest.mark.parametrize("state", [TaskState.DISCARDED, TaskState.CANCELLED])
def test_given_up_work_names_the_command_that_tries_again(state: TaskState) -> None:
    claim = Claim(state, RunState.DONE)
    reason = f"{state} in run r0: `ops-orchestrate retry r0 t0`"
    assert standing(claim, "same") == Standing(Verdict.SKIP, reason)
    assert standing(claim, "other") == Standing(Verdict.OVER)


def test_a_changed_cause_of_work_in_hand_is_said() -> None:
    assert standing(Claim(TaskState.BLOCKED, RunState.HALTED), "other").reason == (
        "owned by run r0 (blocked): task t0; its cause has changed since"
    )


@pytest.mark.parametrize("kind", [FindingKind.REQUESTED, FindingKind.PHASE, FindingKind.ISSUE, FindingKind.TICKET])
def test_a_merge_that_only_git_remembers_ends_one_off_work(kind: FindingKind) -> None:
    trace = "t1 was merged by run r0"
    assert adopted(kind, trace) == Standing(Verdict.DONE, f"done since: {trace}")


@pytest.mark.parametrize(
    "kind", [FindingKind.RED_BASELINE, FindingKind.CI_FAILURE, FindingKind.ERROR, FindingKind.CHANGE]
)
def test_what_may_come_back_is_worked_on_again_and_names_the_earlier_fix(kind: FindingKind) -> None:
    found = adopted(kind, "t1 was merged by run r0")
    assert found.verdict is Verdict.NEW
    assert found.reason.endswith("on the base already: t1 was merged by run r0")


DONE = Claim(TaskState.COMPLETED, RunState.DONE)
LEFT = Claim(TaskState.QUEUED, RunState.STOPPED)
BUSY = Claim(TaskState.RUNNING, RunState.RUNNING)


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ([(None, ""), (None, "")], Verdict.NEW),
        ([(None, ""), (DONE, "same")], Verdict.DONE),
        ([(DONE, "other"), (DONE, "same")], Verdict.OVER),
        ([(LEFT, "same"), (None, "")], Verdict.OVER),
        ([(LEFT, "same"), (BUSY, "same")], Verdict.SKIP),
        ([(BUSY, "other"), (DONE, "same")], Verdict.SKIP),
    ],
)
def test_of_several_claims_on_one_work_the_weightiest_counts(
    claims: list[tuple[Claim | None, str]], verdict: Verdict
) -> None:
    assert standing_of_all(claims).verdict is verdict
    assert standing_of_all(reversed(claims)).verdict is verdict
