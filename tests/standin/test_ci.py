"""CI by plan: held and released, late, red for what a commit contains, skipped by need, flaky, run again."""

from __future__ import annotations

from typing import Any

import httpx

from ops_orchestrate.standin.profile import Content
from tests.standin.scene import PATIENCE, REPO, Scene

ROLLUP = """query($oid:GitObjectID!){repository(owner:"acme",name:"app"){object(oid:$oid){... on Commit{
  statusCheckRollup{state contexts(first:100){totalCount nodes{__typename
    ... on CheckRun{databaseId name status conclusion checkSuite{app{databaseId}}}
    ... on StatusContext{context state}}}}}}}}"""


def rollup(scene: Scene, sha: str) -> dict[str, Any] | None:
    """A commit's rollup by its SHA."""
    answer = scene.graphql(ROLLUP, oid=sha)
    assert "errors" not in answer, answer
    found: dict[str, Any] | None = answer["data"]["repository"]["object"]["statusCheckRollup"]
    return found


def conclusions(scene: Scene, sha: str) -> dict[str, str | None]:
    """Name to conclusion, by REST."""
    runs = scene.ask("GET", f"commits/{sha}/check-runs").json()["check_runs"]
    return {run["name"]: run["conclusion"] for run in runs}


def test_a_held_job_ends_when_released(scene: Scene) -> None:
    scene.control.ci(REPO, jobs=[{"name": "test", "hold": True}])
    sha = scene.control.push(REPO, "feature", {"b.txt": "two\n"})
    assert scene.control.settle()  # held work is nothing to wait for
    assert conclusions(scene, sha) == {"test": None}
    assert scene.control.release(REPO, sha=sha, job="test") == 1
    assert conclusions(scene, sha) == {"test": "success"}


def test_checks_can_appear_late_and_an_empty_rollup_is_null(scene: Scene) -> None:
    scene.control.ci(REPO, register_hold=True)
    sha = scene.control.push(REPO, "feature", {"b.txt": "two\n"})
    assert rollup(scene, sha) is None
    scene.control.release(REPO, what="register")
    seen = rollup(scene, sha)
    assert seen is not None
    assert (seen["state"], seen["contexts"]["totalCount"]) == ("SUCCESS", 1)


def test_a_profile_with_seconds_is_done_when_they_have_passed(scene: Scene) -> None:
    scene.control.ci(REPO, jobs=[{"name": "test", "seconds": 300}])
    sha = scene.control.push(REPO, "feature", {"b.txt": "two\n"})
    scene.control.skip(299)
    assert conclusions(scene, sha) == {"test": None}
    scene.control.skip(1)
    assert conclusions(scene, sha) == {"test": "success"}


def test_results_follow_the_content_and_a_need_that_fails_skips(scene: Scene) -> None:
    def by_function(content: Content) -> str:
        return "failure" if any(path.endswith(".bad") for path in content.files()) else "success"

    by_rule = {"path": "b.txt", "contains": "bug", "then": "failure", "else": "success"}
    jobs = [{"name": "rule", "result": by_rule}, {"name": "function", "result": by_function}]
    scene.control.ci(REPO, jobs=[*jobs, {"name": "deploy", "needs": ["rule"]}])
    good = scene.control.push(REPO, "good", {"b.txt": "fine\n"})
    bad = scene.control.push(REPO, "bad", {"b.txt": "a bug\n", "x.bad": "x\n"})
    assert conclusions(scene, good) == {"rule": "success", "function": "success", "deploy": "success"}
    assert conclusions(scene, bad) == {"rule": "failure", "function": "failure", "deploy": "skipped"}


def test_rerunning_what_failed_is_a_new_attempt_on_the_same_commit(scene: Scene) -> None:
    scene.control.ci(REPO, jobs=["lint", {"name": "test", "result": ["failure", "success"], "log": "boom\n"}])
    sha = scene.control.push(REPO, "feature", {"b.txt": "two\n"})
    run = scene.ask("GET", f"actions/runs?head_sha={sha}").json()["workflow_runs"][0]
    assert (run["status"], run["conclusion"], run["run_attempt"]) == ("completed", "failure", 1)
    assert scene.ask("POST", f"actions/runs/{run['id']}/rerun-failed-jobs").status_code == 201
    again = scene.ask("GET", f"actions/runs/{run['id']}").json()
    assert (again["conclusion"], again["run_attempt"]) == ("success", 2)
    assert conclusions(scene, sha) == {"lint": "success", "test": "success"}
    first = scene.ask("GET", f"actions/runs/{run['id']}/attempts/1/jobs").json()["jobs"]
    assert {job["name"]: job["conclusion"] for job in first} == {"lint": "success", "test": "failure"}
    assert scene.ask("POST", f"actions/runs/{run['id']}/rerun-failed-jobs").status_code == 403


def test_a_log_is_behind_a_redirect_that_takes_no_token(scene: Scene) -> None:
    scene.control.ci(REPO, jobs=[{"name": "test", "result": "failure", "log": "boom\n"}, {"name": "lost", "log": ""}])
    scene.control.push(REPO, "feature", {"b.txt": "two\n"})
    jobs = {run.name: run.id for run in scene.control.repository(REPO).check_runs.values()}
    answer = scene.ask("GET", f"actions/jobs/{jobs['test']}/logs")
    assert answer.status_code == 302
    assert httpx.get(answer.headers["location"], timeout=PATIENCE).text == "boom\n"
    assert scene.ask("GET", f"actions/jobs/{jobs['lost']}/logs").status_code == 404
    said = scene.ask("GET", f"check-runs/{jobs['test']}/annotations").json()
    assert [one["message"] for one in said] == ["Process completed with exit code 1."]


def test_a_workflow_that_cannot_start_has_a_run_and_no_job(scene: Scene) -> None:
    scene.control.ci(REPO, startup_failure=True)
    sha = scene.control.push(REPO, "feature", {"b.txt": "two\n"})
    run = scene.ask("GET", f"actions/runs?head_sha={sha}").json()["workflow_runs"][0]
    assert run["conclusion"] == "startup_failure"
    assert scene.ask("GET", f"actions/runs/{run['id']}/jobs").json()["total_count"] == 0
    assert rollup(scene, sha) is None


def test_twins_of_one_name_in_two_workflows_both_stay(scene: Scene) -> None:
    scene.control.ci(REPO, workflow="One", path=".github/workflows/one.yml", jobs=["test"])
    red = {"name": "test", "result": "failure"}
    scene.control.ci(REPO, workflow="Two", path=".github/workflows/two.yml", jobs=[red])
    sha = scene.control.push(REPO, "feature", {"b.txt": "two\n"})
    seen = rollup(scene, sha)
    assert seen is not None
    assert sorted(one["conclusion"] for one in seen["contexts"]["nodes"]) == ["FAILURE", "SUCCESS"]
    assert seen["state"] == "FAILURE"


def test_more_than_a_hundred_contexts_come_in_pages(scene: Scene) -> None:
    scene.control.ci(REPO, jobs=[*(f"job {n}" for n in range(119)), {"name": "last", "result": "failure"}])
    sha = scene.control.push(REPO, "feature", {"b.txt": "two\n"})
    seen = rollup(scene, sha)
    assert seen is not None
    assert (seen["contexts"]["totalCount"], len(seen["contexts"]["nodes"])) == (120, 100)
    assert "last" not in {one["name"] for one in seen["contexts"]["nodes"]}
    assert len(conclusions(scene, sha)) == 30


def test_a_status_without_ci_and_a_status_by_a_client(scene: Scene) -> None:
    sha = scene.control.push(REPO, "feature", {"b.txt": "two\n"})
    assert scene.ask("GET", f"commits/{sha}/status").json()["state"] == "pending"  # also with none at all
    assert scene.ask("POST", f"statuses/{sha}", state="wrong").status_code == 422
    assert scene.ask("POST", f"statuses/{sha}", "reader", state="success").status_code == 403
    assert scene.ask("POST", f"statuses/{sha}", state="success", context="ops").status_code == 201
    combined = scene.ask("GET", f"commits/{sha}/status").json()
    assert (combined["state"], combined["statuses"][0]["context"]) == ("success", "ops")


def test_a_run_started_by_hand_is_no_part_of_the_rollup(scene: Scene) -> None:
    scene.control.ci(REPO, on=("workflow_dispatch",), jobs=[{"name": "test", "result": "failure"}])
    sha = scene.control.push(REPO, "feature", {"b.txt": "two\n"})
    assert scene.ask("POST", "actions/workflows/ci.yml/dispatches", ref="feature").status_code == 204
    assert rollup(scene, sha) is None
    runs = scene.ask("GET", f"actions/runs?head_sha={sha}&event=workflow_dispatch").json()["workflow_runs"]
    assert [run["conclusion"] for run in runs] == ["failure"]


def test_a_job_that_no_machine_took_says_why(scene: Scene) -> None:
    words = "The job was not started because your account is locked due to a billing issue."
    job = {"name": "test", "result": "failure", "runner": False, "steps": [], "annotation": words, "log": ""}
    scene.control.ci(REPO, on=("schedule",), jobs=[job])
    scene.control.trigger(REPO, "schedule")
    run = scene.ask("GET", "actions/runs?branch=main&event=schedule").json()["workflow_runs"][0]
    seen = scene.ask("GET", f"actions/runs/{run['id']}/jobs").json()["jobs"][0]
    assert (seen["runner_id"], seen["steps"], seen["conclusion"]) == (None, [], "failure")
    said = scene.ask("GET", f"check-runs/{seen['id']}/annotations").json()
    assert [one["message"] for one in said] == [words]
