"""Planning beside other runs: what is done, taken, left behind or changed since."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.attempt import Settlement
from ops_orchestrate.core.finding import FindingKind
from ops_orchestrate.core.mark import Print, Share, cause_mark
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.errors import PlanError
from tests.builders import make_finding
from tests.core.plans import Claim, merged, plan_of, reasons, want


def test_a_circle_is_refused_even_where_earlier_runs_have_the_tasks() -> None:
    done = Claim(TaskState.COMPLETED)
    with pytest.raises(PlanError):
        plan_of(want("a", "b"), want("b", "a"), claims={"fp-a": done, "fp-b": done})


def test_work_that_is_done_since_is_not_repeated_and_blocks_nobody() -> None:
    plan = plan_of(want("a"), want("b", "a"), claims={"fp-a": Claim(TaskState.COMPLETED, RunState.DONE)})
    assert [(task.id, task.blocked_by, task.wave) for task in plan.tasks] == [("b", (), 0)]
    assert reasons(plan) == {"a": "done since in run r0"}
    assert not plan.blocked


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (Claim(TaskState.QUEUED, RunState.RUNNING), "owned by run r0 (queued): task t0"),
        (Claim(TaskState.BLOCKED), "owned by run r0 (blocked): task t0"),
        (Claim(TaskState.DISCARDED), "discarded in run r0: `ops-orchestrate retry r0 t0`"),
    ],
)
def test_what_another_run_has_is_said_and_its_dependants_wait_for_a_person(claim: Claim, why: str) -> None:
    plan = plan_of(want("a"), want("b", "a"), want("c", "b"), claims={"fp-a": claim})
    assert reasons(plan) == {"a": why}
    assert plan.blocked == {
        "b": Settlement(state=TaskState.BLOCKED, reason=f"waits for a, which is left out: {why}", ask="retry")
    }
    assert [(task.id, task.blocked_by) for task in plan.tasks] == [("b", ()), ("c", ("b",))]
    assert [take[2] for take in plan.takes] == ["b", "c"]
    assert plan.over == ()


def test_left_behind_work_is_taken_over_and_a_changed_cause_is_planned_anew() -> None:
    plan = plan_of(
        want("a", cause="new"),
        want("b"),
        want("c", cause="new"),
        claims={
            "fp-a": Claim(TaskState.COMPLETED, cause="old", task="x"),
            "fp-b": Claim(TaskState.QUEUED, RunState.STOPPED, task="y"),
            "fp-c": Claim(TaskState.DISCARDED, cause="old", task="z"),
        },
    )
    assert sorted(task.id for task in plan.tasks) == ["a", "b", "c"]
    assert sorted(plan.over) == [("r0", "x"), ("r0", "y"), ("r0", "z")]
    assert plan.skipped == ()


SAID = "a was merged by run r0 (0123456789ab)"


def test_a_merge_that_only_git_remembers_counts_where_the_ledger_forgot() -> None:
    trace = merged(("fp-a", ""))
    assert reasons(plan_of(want("a"), merged=[trace])) == {"a": f"done since: {SAID}"}
    known = {"fp-a": Claim(TaskState.COMPLETED, cause="old")}
    plan = plan_of(want("a", cause="new"), merged=[trace], claims=known)
    assert [task.id for task in plan.tasks] == ["a"]


def test_an_error_that_was_fixed_before_is_planned_again_and_its_task_names_that_fix() -> None:
    error = make_finding("fp-a", kind=FindingKind.ERROR, detail="It crashes.", cause="regressed")
    (task,) = plan_of(error, merged=[merged(("fp-a", ""))]).tasks
    assert task.description == f"an earlier fix of the same is on the base already: {SAID}\n\nIt crashes."


def test_an_issue_that_a_red_workflow_s_fix_saw_to_is_done_also_when_the_workflow_is_green_since() -> None:
    issue = make_finding("fp-issue", kind=FindingKind.ISSUE)
    fix = merged(("fp-ci", "0123"), ("fp-issue", ""))
    assert not plan_of(issue, merged=[fix]).tasks
    red = make_finding("fp-ci", kind=FindingKind.CI_FAILURE, cause="0123", names=issue.names)
    assert not plan_of(issue, red, merged=[fix]).tasks, "the list of runs is older than the fix"
    newly = red.model_copy(update={"cause": "4567"})
    assert [task.fingerprint for task in plan_of(issue, newly, merged=[fix]).tasks] == ["fp-ci"]


def test_an_issue_that_was_split_is_done_once_all_of_its_parts_are_merged() -> None:
    issue = make_finding("fp-issue", kind=FindingKind.ISSUE)
    share = Share(whole="big", total=2, prints=(Print("fp-issue", cause_mark("")),))
    parts = [merged((f"fp-{name}", ""), task=name).model_copy(update={"share": share}) for name in ("one", "two")]
    assert not plan_of(issue, merged=parts).tasks
    assert len(plan_of(issue, merged=parts[:1]).tasks) == 1


def test_a_merge_of_another_project_says_nothing() -> None:
    other = merged(("fp-a", "")).model_copy(update={"project": "api"})
    assert [task.id for task in plan_of(want("a"), merged=[other]).tasks] == ["a"]
