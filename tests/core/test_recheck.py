"""Whether a finding is still there, right before an agent would start."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.merge.pull import Conclusion
from ops_orchestrate.core.merge.regression import WorkflowRun
from ops_orchestrate.core.recheck import IssueName, Rechecked, Still, WorkflowName, read_name, still_red, together

CI = WorkflowName("acme/app", "ci.yml", "push", "dev")


def run(number: int, conclusion: Conclusion, **more: Any) -> WorkflowRun:
    values = {"id": number, "workflow": 1, "name": "ci.yml", "event": "push", "branch": "dev", "conclusion": conclusion}
    return WorkflowRun.model_validate(values | more)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("ci:acme/app:ci.yml:push:dev", CI),
        ("ci:acme/app:Build: all:push:dev", WorkflowName("acme/app", "Build: all", "push", "dev")),
        ("ci:acme/app:ci.yml", None),
        ("github:acme/app#7", IssueName("acme/app", 7)),
        ("github:acme/app#0", None),
        ("github:acme/app#7 x", None),
        ("sentry:4711", None),
        ("linear:ENG-12", None),
    ],
)
def test_a_name_says_what_it_is_about(name: str, found: object) -> None:
    assert read_name(name) == found


@pytest.mark.parametrize(
    ("runs", "still"),
    [
        ([], Still.UNKNOWN),
        ([run(1, Conclusion.FAILURE)], Still.OPEN),
        ([run(1, Conclusion.FAILURE), run(2, Conclusion.SUCCESS)], Still.GONE),
        ([run(2, Conclusion.FAILURE), run(1, Conclusion.SUCCESS)], Still.OPEN),
        ([run(1, Conclusion.FAILURE), run(2, Conclusion.PENDING)], Still.RUNNING),
        ([run(1, Conclusion.PENDING), run(2, Conclusion.FAILURE)], Still.OPEN),
        ([run(1, Conclusion.FAILURE), run(2, Conclusion.CANCELLED)], Still.OPEN),
        ([run(1, Conclusion.FAILURE), run(2, Conclusion.UNKNOWN)], Still.OPEN),
        ([run(1, Conclusion.SKIPPED)], Still.OPEN),
        ([run(1, Conclusion.FAILURE), run(2, Conclusion.SUCCESS, branch="main")], Still.OPEN),
        ([run(1, Conclusion.FAILURE), run(2, Conclusion.SUCCESS, event="schedule")], Still.OPEN),
        ([run(1, Conclusion.FAILURE), run(2, Conclusion.SUCCESS, name="other.yml")], Still.OPEN),
    ],
)
def test_only_a_pass_that_came_later_makes_a_red_workflow_gone(runs: list[WorkflowRun], still: Still) -> None:
    assert still_red(runs, CI).still is still


@pytest.mark.parametrize(
    ("found", "still"),
    [
        ([], Still.UNKNOWN),
        ([Still.GONE], Still.GONE),
        ([Still.GONE, Still.OPEN], Still.OPEN),
        ([Still.GONE, Still.UNKNOWN], Still.UNKNOWN),
        ([Still.RUNNING, Still.GONE], Still.RUNNING),
        ([Still.RUNNING, Still.OPEN], Still.OPEN),
    ],
)
def test_a_defect_is_gone_where_all_its_names_say_so(found: list[Still], still: Still) -> None:
    assert together([Rechecked(one, "") for one in found]).still is still
