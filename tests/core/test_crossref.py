"""What the boards of earlier and concurrent runs mean for a finding: the whole table of states."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from ops_orchestrate.core.crossref import Blocker, Left, Standing, Trace, Verdict, adopted, standing, weightiest
from ops_orchestrate.core.finding import FindingKind
from ops_orchestrate.core.mark import cause_mark
from ops_orchestrate.core.states import FINAL, RUN_OPEN, STARTABLE, RunState, TaskState


class Claim(NamedTuple):
    """A claim as the ledger shows it."""

    state: TaskState
    run_state: RunState
    cause: str = "same"
    run: str = "r0"
    task: str = "t0"
    merge: str = ""
    ask: str = ""
    head: str = ""
    gate: str = ""
    behind: tuple[Blocker, ...] = ()
    left: Left | None = None


def test_nobodys_work_is_new() -> None:
    assert standing(None, "") == Standing(Verdict.NEW)


@pytest.mark.parametrize("run_state", RunState)
@pytest.mark.parametrize("state", [state for state in TaskState if state not in FINAL])
def test_unfinished_work_belongs_to_its_run_unless_that_left_it_behind(state: TaskState, run_state: RunState) -> None:
    found = standing(Claim(state, run_state), "same")
    if state in STARTABLE and run_state not in RUN_OPEN:
        assert found == Standing(Verdict.OVER, left=Left("r0", "t0"))
    else:
        assert found == Standing(Verdict.SKIP, f"owned by run r0 ({state}): task t0")


@pytest.mark.parametrize(
    ("claim", "gate", "found"),
    [
        ({}, "make test", Standing(Verdict.OVER, left=Left("r0", "t0", "h1"))),
        ({}, None, None),
        ({}, "", None),
        ({"gate": "true"}, "make test", Standing(Verdict.OVER, left=Left("r0", "t0", "h1"))),
        ({"gate": "make test"}, "make test", None),
        ({"run_state": RunState.RUNNING}, "make test", None),
        ({"ask": "approve"}, "make test", None),
        ({"head": ""}, "make test", Standing(Verdict.OVER, left=Left("r0", "t0"))),
        ({"cause": "other"}, "make test", Standing(Verdict.OVER, left=Left("r0", "t0"))),
    ],
)
def test_what_waits_for_a_gate_is_taken_over_with_its_commit_once_there_is_another_gate(
    claim: dict[str, Any], gate: str | None, found: Standing | None
) -> None:
    """From a run that has ended, and only then: a run without a gate would end as the one before."""
    waits = Claim(TaskState.BLOCKED, RunState.HALTED, ask="verify", head="h1")._replace(**claim)
    other = standing(waits, "same", gate=gate)
    assert other == found if found else other.verdict is Verdict.SKIP


@pytest.mark.parametrize(("cause", "head"), [("same", "h1"), ("other", "")])
def test_what_a_run_had_taken_over_when_it_came_to_no_plan_is_taken_over_from_the_first(cause: str, head: str) -> None:
    """By another run, once that one has ended; until then it is its own."""
    claim = Claim(TaskState.QUEUED, RunState.HALTED, left=Left("r9", "t9", "h1"))
    assert standing(claim, cause) == Standing(Verdict.OVER, left=Left("r9", "t9", head))
    assert standing(claim._replace(run_state=RunState.AUDITING), "same").verdict is Verdict.SKIP


@pytest.mark.parametrize("run_state", RunState)
def test_completed_work_is_done_until_its_cause_changes(run_state: RunState) -> None:
    claim = Claim(TaskState.COMPLETED, run_state, merge="0123456789abcdef")
    assert standing(claim, "same") == Standing(Verdict.DONE, "done since in run r0 (0123456789abcdef)")
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


ONCE = [FindingKind.REQUESTED, FindingKind.PHASE, FindingKind.ISSUE, FindingKind.TICKET]
COMES_BACK = [FindingKind.RED_BASELINE, FindingKind.CI_FAILURE, FindingKind.ERROR, FindingKind.CHANGE]
SAID = "t1 was merged by run r0 (0123456789ab)"
DONE_SINCE = Standing(Verdict.DONE, f"done since: {SAID}")
CAME_BACK = Standing(Verdict.AGAIN, f"an earlier fix of the same is on the base already: {SAID}")


@pytest.mark.parametrize("kind", [*ONCE, *COMES_BACK])
@pytest.mark.parametrize(
    ("traces", "found"),
    [
        ([], Standing(Verdict.NEW)),
        ([Trace(SAID, cause_mark("now"))], DONE_SINCE),
        ([Trace(SAID, cause_mark("then"))], CAME_BACK),
        ([Trace(SAID, cause_mark("then")), Trace("an older one", cause_mark("before"))], CAME_BACK),
        ([Trace("a newer one", cause_mark("then")), Trace(SAID, cause_mark("now"))], DONE_SINCE),
    ],
)
def test_a_merge_that_no_ledger_knows_ends_what_rests_on_the_same_as_then(
    kind: FindingKind, traces: list[Trace], found: Standing
) -> None:
    assert adopted(kind, traces, "now") == found


@pytest.mark.parametrize("kind", ONCE)
def test_a_merge_that_does_not_say_what_it_rested_on_ends_one_off_work(kind: FindingKind) -> None:
    assert adopted(kind, [Trace(SAID)], "now") == DONE_SINCE


@pytest.mark.parametrize("kind", COMES_BACK)
def test_what_may_come_back_is_then_worked_on_again_and_names_the_earlier_fix(kind: FindingKind) -> None:
    assert adopted(kind, [Trace(SAID)], "now") == CAME_BACK


@pytest.mark.parametrize("cause", ["now", "then"])
@pytest.mark.parametrize("kind", [*ONCE, *COMES_BACK])
def test_law_a_lost_ledger_changes_nothing_about_what_is_merged(kind: FindingKind, cause: str) -> None:
    """What the merge says leads to what the ledger's own claim would have led to: planned, or not."""
    known = standing(Claim(TaskState.COMPLETED, RunState.DONE, cause="now"), cause)
    lost = adopted(kind, [Trace(SAID, cause_mark("now"))], cause)
    assert (known.verdict is Verdict.DONE) == (lost.verdict is Verdict.DONE)


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
    found = [standing(claim, cause) for claim, cause in claims]
    assert weightiest(found).verdict is verdict
    assert weightiest(reversed(found)).verdict is verdict


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([Verdict.AGAIN, Verdict.DONE], Verdict.AGAIN),
        ([Verdict.AGAIN, Verdict.NEW], Verdict.AGAIN),
        ([Verdict.AGAIN, Verdict.OVER], Verdict.OVER),
        ([Verdict.AGAIN, Verdict.SKIP], Verdict.SKIP),
    ],
)
def test_what_has_come_back_is_weighed_with_what_is_known(verdicts: list[Verdict], verdict: Verdict) -> None:
    found = [Standing(one) for one in verdicts]
    assert weightiest(found).verdict is weightiest(reversed(found)).verdict is verdict
