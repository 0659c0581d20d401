"""What becomes of a look at a repository: work, things to know, and what is left to others."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.finding import Finding, FindingKind
from ops_orchestrate.core.forge_findings import forge_findings
from ops_orchestrate.core.forge_look import FailedRun, ForgeLook, IssueSeen, PullRef, PullSeen
from ops_orchestrate.core.merge.failure import FailureClass
from ops_orchestrate.core.merge.pull import Conclusion, Mergeable, ReviewDecision
from ops_orchestrate.core.merge.regression import WorkflowRun
from ops_orchestrate.core.task import Priority
from tests.builders import make_project

PROJECT = make_project()
FAIL, PASS = Conclusion.FAILURE, Conclusion.SUCCESS


def _found(**look: Any) -> tuple[Finding, ...]:
    values: dict[str, Any] = {"slug": "Acme/App", "writable": True, "branches": ("dev", "main")}
    return forge_findings(PROJECT, PROJECT.repositories[0], ForgeLook(**(values | look)))


def _one(kind: FindingKind, **look: Any) -> Finding:
    (found,) = [one for one in _found(**look) if one.kind is kind]
    return found


def _issue(number: int = 7, **more: Any) -> IssueSeen:
    return IssueSeen(**({"number": number, "title": "It hurts", "author": "alice", "trusted": True} | more))


def _pull(number: int = 9, **more: Any) -> PullSeen:
    values = {"number": number, "title": "Mend it", "author": "ops", "ours": True, "checks": PASS, "head": "c" * 40}
    values |= {"head_ref": "ops/r1/t1", "base_ref": "dev"}
    return PullSeen(**(values | more))


def _runs(*conclusions: Conclusion, branch: str = "dev") -> tuple[WorkflowRun, ...]:
    """Newest first."""
    return tuple(
        WorkflowRun(
            id=100 - at, workflow=5, name="build.yml", event="push", branch=branch, conclusion=one, head=f"{at}" * 40
        )
        for at, one in enumerate(conclusions)
    )


def test_an_issue_is_work_with_its_names_and_what_its_merge_closes() -> None:
    found = _one(FindingKind.ISSUE, issues=(_issue(body="Depends-On: x/y#3\nblocked by #7 and #8", labels=("P1",)),))
    assert (found.actionable, found.hold, found.priority) == (True, "", Priority.P1)
    assert found.names == ("github:acme/app#7",)
    assert found.closes == ("Acme/App#7",)
    assert found.blocked_by == ("github:x/y#3", "github:acme/app#8")


def test_a_parent_waits_for_its_open_sub_issues() -> None:
    found = _one(FindingKind.ISSUE, issues=(_issue(sub_issues=("github:acme/app#8", "github:x/y#1")),))
    assert found.blocked_by == ("github:acme/app#8", "github:x/y#1")


def test_a_strangers_issue_waits_for_a_person() -> None:
    found = _one(FindingKind.ISSUE, issues=(_issue(trusted=False, author="mallory"),))
    assert found.actionable
    assert "mallory" in found.hold


@pytest.mark.parametrize(
    ("pulls", "actionable", "change"),
    [
        ((PullRef(number=9, author="bob", slug="acme/app"),), False, ""),
        ((PullRef(number=9, author="ops", ours=True),), True, "9"),
        ((PullRef(number=3, author="bob"), PullRef(number=9, author="ops", ours=True)), True, "9"),
    ],
    ids=["theirs", "ours", "both"],
)
def test_an_issue_that_somebody_works_on_is_left_to_them(pulls: Any, actionable: bool, change: str) -> None:
    found = _one(FindingKind.ISSUE, issues=(_issue(pulls=pulls),), pulls=(_pull(head_ref="ops/r1/t1"),))
    assert (found.actionable, found.change) == (actionable, change)
    assert found.change_branch == ("ops/r1/t1" if change else "")
    assert ("left to bob's pull request acme/app#9" in found.title) is not actionable


def test_an_issue_that_is_no_work_says_so() -> None:
    found = _one(FindingKind.ISSUE, issues=(_issue(labels=("Question",)),))
    assert not found.actionable
    assert "labelled Question" in found.title


@pytest.mark.parametrize(
    ("more", "need"),
    [
        ({"mergeable": Mergeable.CONFLICTING}, "it conflicts with its base"),
        ({"checks": FAIL}, "its checks fail"),
        ({"checks": Conclusion.STARTUP_FAILURE}, "its checks fail"),
        ({"decision": ReviewDecision.CHANGES_REQUESTED}, "changes are requested"),
        ({"unresolved": ("a.py:3",)}, "1 review thread is not resolved"),
        ({"unresolved": ("a.py:3", "b.py")}, "2 review threads are not resolved"),
    ],
)
def test_our_own_pull_request_goes_on_where_something_is_to_be_done(more: Any, need: str) -> None:
    found = _one(FindingKind.CHANGE, pulls=(_pull(closes=("github:acme/app#7",), **more),))
    assert (found.actionable, found.change, found.change_branch) == (True, "9", "ops/r1/t1")
    assert need in found.title
    assert found.names == ("github:acme/app#9", "github:acme/app#7")
    assert found.closes == ("acme/app#7",)


@pytest.mark.parametrize("checks", [PASS, Conclusion.PENDING, Conclusion.NEUTRAL, Conclusion.UNKNOWN])
def test_our_own_pull_request_that_only_waits_is_no_work(checks: Conclusion) -> None:
    assert not _one(FindingKind.CHANGE, pulls=(_pull(checks=checks),)).actionable


READY = {"mergeable": Mergeable.MERGEABLE, "checks": PASS}


@pytest.mark.parametrize(
    ("more", "work"),
    [
        ({"decision": ReviewDecision.APPROVED}, True),
        ({"decision": ReviewDecision.NONE}, True),
        ({"decision": ReviewDecision.REVIEW_REQUIRED}, False),
        ({"decision": ReviewDecision.APPROVED, "draft": True}, False),
        ({"decision": ReviewDecision.APPROVED, "mergeable": Mergeable.UNKNOWN}, False),
        ({"decision": ReviewDecision.APPROVED, "checks": Conclusion.NEUTRAL}, False),
        ({"decision": ReviewDecision.APPROVED, "base_ref": "main"}, False),
        ({"decision": ReviewDecision.APPROVED, "head_ref": "ops/sync/0123456789ab"}, False),
    ],
)
def test_a_change_of_ours_that_is_ready_is_merged_by_the_next_run(more: Any, work: bool) -> None:
    assert _one(FindingKind.CHANGE, pulls=(_pull(**(READY | more)),)).actionable is work


@pytest.mark.parametrize("branch", ["ops/sync/a", "ops/back/a", "ops/revert/a", "ops/r 1/t"])
def test_nobody_goes_on_with_what_no_task_made(branch: str) -> None:
    found = _one(FindingKind.CHANGE, pulls=(_pull(head_ref=branch, checks=FAIL),))
    assert found.change_branch == ""
    assert found.actionable is (branch == "ops/r 1/t")


def test_an_issue_goes_on_with_our_pull_request_for_it() -> None:
    pulls = (PullRef(number=9, author="ops", ours=True, slug="Acme/App"),)
    found = _one(FindingKind.ISSUE, issues=(_issue(pulls=pulls),), pulls=(_pull(),))
    assert (found.change, found.change_branch) == ("9", "ops/r1/t1")


def test_pull_requests_of_others_are_named_and_left_alone() -> None:
    found = _one(FindingKind.NOTICE, pulls=tuple(_pull(n, author="bob", ours=False, checks=FAIL) for n in range(1, 13)))
    assert found.title.startswith("12 open pull requests of others are left alone in Acme/App: #1 (bob), #2 (bob)")
    assert found.title.endswith("and 2 more")
    assert not found.actionable


@pytest.mark.parametrize(
    ("runs", "priority"),
    [
        (_runs(FAIL, FAIL, FAIL), Priority.P1),
        (_runs(FAIL, PASS), Priority.P2),
        (_runs(Conclusion.PENDING, FAIL, Conclusion.CANCELLED, PASS), Priority.P2),
    ],
)
def test_a_red_workflow_is_work(runs: Any, priority: Priority) -> None:
    found = _one(FindingKind.CI_FAILURE, runs=runs)
    assert (found.actionable, found.priority) == (True, priority)
    assert found.names == ("ci:acme/app:build.yml:push:dev",)
    assert found.title == "fix: build.yml fails on dev (push)"


@pytest.mark.parametrize(
    "runs", [(), _runs(PASS, FAIL, FAIL), _runs(FAIL, branch="feature"), _runs(Conclusion.CANCELLED)]
)
def test_a_workflow_that_passes_or_says_nothing_is_not(runs: Any) -> None:
    assert _found(runs=runs) == ()


def test_a_green_main_does_not_hide_a_red_dev() -> None:
    found = _one(FindingKind.CI_FAILURE, runs=(*_runs(PASS, branch="main"), *_runs(FAIL, FAIL, FAIL)))
    assert found.title.endswith("on dev (push)")


@pytest.mark.parametrize("closed", [{"writable": False}, {"archived": True}])
def test_where_we_may_not_write_everything_is_only_reported(closed: Any) -> None:
    found = _found(issues=(_issue(),), pulls=(_pull(checks=FAIL),), runs=_runs(FAIL, FAIL, FAIL), **closed)
    assert {one.kind for one in found} == {
        FindingKind.NOTICE,
        FindingKind.ISSUE,
        FindingKind.CHANGE,
        FindingKind.CI_FAILURE,
    }
    assert not any(one.actionable for one in found)
    assert "not worked on" in found[0].title


def test_a_fingerprint_is_the_defects_and_not_the_moments() -> None:
    before = _found(issues=(_issue(),), pulls=(_pull(checks=FAIL),), runs=_runs(FAIL, FAIL, FAIL))
    after = _found(
        issues=(_issue(title="Other words", body="more"),),
        pulls=(_pull(checks=FAIL, head="d" * 40),),
        runs=_runs(FAIL, PASS),
    )
    assert [one.fingerprint for one in before] == [one.fingerprint for one in after]
    assert len({one.fingerprint for one in before}) == 3


def _told(kind: FailureClass, attempt: int = 1) -> tuple[Finding, ...]:
    """A workflow that fails for good, looked into."""
    runs = tuple(run.model_copy(update={"attempt": attempt}) for run in _runs(FAIL, FAIL, FAIL))
    return _found(runs=runs, failures={100: FailedRun(kind=kind, words="test: failure in the step pytest\nE   assert")})


def test_what_failed_inside_goes_into_the_work() -> None:
    (found,) = _told(FailureClass.CODE)
    assert found.actionable
    assert found.detail.endswith("\n\ntest: failure in the step pytest\nE   assert")


@pytest.mark.parametrize(
    ("kind", "again", "words"),
    [
        (FailureClass.INFRASTRUCTURE, 100, "run again once"),
        (FailureClass.FLAKY, 100, "run again once"),
        (FailureClass.BILLING, 0, "only its owner"),
        (FailureClass.NEVER_STARTED, 0, "its runner"),
    ],
)
def test_no_agent_is_paid_for_what_is_no_fault_of_the_code(kind: FailureClass, again: int, words: str) -> None:
    (found,) = _told(kind)
    assert (found.kind, found.actionable, found.rerun) == (FindingKind.NOTICE, False, again)
    assert words in found.title


@pytest.mark.parametrize("kind", [FailureClass.INFRASTRUCTURE, FailureClass.FLAKY])
def test_what_was_run_again_and_is_red_still_is_work(kind: FailureClass) -> None:
    (found,) = _told(kind, attempt=2)
    assert (found.actionable, found.rerun) == (True, 0)
