"""Checks of a commit beside its rollup: runs that no check belongs to, and attempts."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.adapters.github.answers import Written
from ops_orchestrate.adapters.github.checks import with_runs
from ops_orchestrate.adapters.github.wire_rest import RunRest
from ops_orchestrate.adapters.github.writing import landing_of
from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.merge.pull import Check, Conclusion
from tests.adapters.github.scene import SLUG, Scene


def _run(id: int, conclusion: str | None = "success", **more: Any) -> RunRest:
    status = "completed" if conclusion else "in_progress"
    values = {"id": id, "name": "CI", "event": "push", "workflow_id": 5, "status": status, "conclusion": conclusion}
    return RunRest.model_validate(values | more)


def _job(run: int | None = 1) -> Check:
    return Check(kind="run", id=11, name="test", conclusion=Conclusion.SUCCESS, run=run)


@pytest.mark.parametrize(
    ("runs", "seen"),
    [
        ([_run(1)], []),
        ([_run(1), _run(2, event="workflow_dispatch")], [(2, Conclusion.SUCCESS)]),
        ([_run(1), _run(2, None)], [(2, Conclusion.PENDING)]),
        ([_run(1), _run(2, "startup_failure")], [(2, Conclusion.STARTUP_FAILURE)]),
        ([_run(1), _run(2, "brand_new")], [(2, Conclusion.UNKNOWN)]),
        ([_run(0, "cancelled"), _run(1)], []),
        ([_run(0, "stale"), _run(1, None)], []),
        ([_run(0, "cancelled", event="pull_request"), _run(1)], [(0, Conclusion.CANCELLED)]),
        ([_run(0, "cancelled", workflow_id=6), _run(1)], [(0, Conclusion.CANCELLED)]),
        ([_run(1), _run(2, "cancelled")], [(2, Conclusion.CANCELLED)]),
        ([_run(0, "failure"), _run(1)], [(0, Conclusion.FAILURE)]),
    ],
)
def test_a_run_without_a_check_of_its_own_counts_unless_it_was_begun_again(
    runs: list[RunRest], seen: list[tuple[int, Conclusion]]
) -> None:
    first, *rest = with_runs([_job()], runs)
    assert first == _job()
    assert [(one.run, one.conclusion) for one in rest] == seen


def test_a_check_has_the_attempt_of_its_run() -> None:
    assert [one.attempt for one in with_runs([_job(), _job(None)], [_run(1, run_attempt=3)])] == [3, 1]


def test_checks_of_another_commit_are_not_taken_for_the_heads(scene: Scene) -> None:
    """The branch moved while GitHub answered: what came along is about the commit before."""
    scene.control.ci(SLUG, jobs=[{"name": "test", "result": "failure"}])
    number, whole = scene.open(), scene.client.ask

    def torn(*asked: Any) -> Any:
        answer = whole(*asked)
        pull = answer.data["repository"].get("pullRequest")
        if pull:
            pull["headRef"]["target"] |= {"oid": "d" * 40, "statusCheckRollup": None}
        return answer

    scene.client.ask = torn  # type: ignore[method-assign]
    pull = scene.pulls.read(scene.repo, number)
    assert (pull.head, pull.checks_of) == (scene.head(), scene.head())
    assert [(one.name, one.conclusion) for one in pull.checks] == [("test", Conclusion.FAILURE)]


def test_somebodys_order_to_merge_it_is_seen(scene: Scene) -> None:
    scene.control.change_repository(SLUG, allow_auto_merge=True)
    scene.control.protect(SLUG, "dev", checks=["never"])
    number = scene.open()
    scene.control.auto_merge(SLUG, number, by="bob")
    assert scene.pulls.read(scene.repo, number).auto_merge == "bob"


@pytest.mark.parametrize(
    ("status", "limited", "end"),
    [
        (200, None, LandingEnd.LANDED),
        (201, None, LandingEnd.UNKNOWN),
        (0, None, LandingEnd.UNKNOWN),
        (301, None, LandingEnd.REFUSED),
        (401, None, LandingEnd.REFUSED),
        (403, None, LandingEnd.REFUSED),
        (403, 60.0, LandingEnd.UNKNOWN),
        (404, None, LandingEnd.REFUSED),
        (405, None, LandingEnd.REFUSED),
        (409, None, LandingEnd.MOVED),
        (422, None, LandingEnd.REFUSED),
        (429, 60.0, LandingEnd.UNKNOWN),
        (500, None, LandingEnd.UNKNOWN),
        (502, None, LandingEnd.UNKNOWN),
        (503, None, LandingEnd.UNKNOWN),
        (504, None, LandingEnd.UNKNOWN),
    ],
)
def test_what_a_status_says_of_a_write(status: int, limited: float | None, end: LandingEnd) -> None:
    assert landing_of(Written(status, {}, "said", limited)).end is end


def test_the_rules_of_a_branch_are_asked_for_once_in_a_while(scene: Scene) -> None:
    scene.control.protect(SLUG, "dev", checks=["test"])
    first = scene.pulls.rules(scene.repo, "dev")
    before = len(scene.asked())
    assert scene.pulls.rules(scene.repo, "dev") == first
    assert len(scene.asked()) == before
