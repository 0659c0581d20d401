"""Pull requests as they are read from a GitHub of the test: whole, by the head's own id, never by half."""

from __future__ import annotations

import threading
from typing import Any

import graphql
import httpx
import pytest

from ops_orchestrate.adapters.github import queries
from ops_orchestrate.adapters.github.reading import Reader
from ops_orchestrate.core.merge.pull import Check, Conclusion, Mergeable, Pull, PullState, ReviewDecision, ReviewState
from ops_orchestrate.errors import SourceUnavailable
from ops_orchestrate.standin.graphql.cost import Price
from tests.adapters.github.scene import OURS, SLUG, TOKEN, Scene


def _read(scene: Scene, number: int) -> Pull:
    """Read it when GitHub has computed whether it can be merged."""
    scene.pulls.read(scene.repo, number)
    return scene.pulls.read(scene.repo, number)


def test_everything_that_decides_is_there(scene: Scene) -> None:
    scene.control.ci(SLUG, jobs=["lint", "test"])
    scene.control.protect(SLUG, "dev", approvals=1, checks=["test"])
    number = scene.open()
    scene.control.change_pull(SLUG, number, labels=["P1"], reviewers=["rita"])
    scene.control.review(SLUG, number, "rita", "APPROVED")
    thread = scene.control.thread(SLUG, number, "rita", "Why?", path="a.txt", line=1)
    scene.control.reply(thread, "bot", "Because.")
    pull = _read(scene, number)
    assert (pull.state, pull.draft, pull.ours, pull.author) == (PullState.OPEN, False, True, "bot")
    assert (pull.head, pull.head_ref, pull.base_ref) == (scene.head(), OURS, "dev")
    assert (pull.mergeable, pull.review_decision) == (Mergeable.MERGEABLE, ReviewDecision.APPROVED)
    assert {check.name: check.conclusion for check in pull.checks} == dict.fromkeys(
        ("lint", "test"), Conclusion.SUCCESS
    )
    assert {check.name: check.required for check in pull.checks} == {"lint": False, "test": True}
    assert all(check.run and check.workflow and check.app == 15368 and check.event == "push" for check in pull.checks)
    assert pull.checks_of == pull.head
    review = pull.reviews[0]  # a comment in a thread makes a review as well
    assert (review.author, review.state, review.commit, review.trusted) == (
        "rita",
        ReviewState.APPROVED,
        pull.head,
        True,
    )
    (seen,) = pull.threads
    assert (seen.resolved, seen.path, seen.answered) == (False, "a.txt", True)
    assert [(one.author, one.ours, one.trusted) for one in seen.comments] == [
        ("rita", False, True),
        ("bot", True, True),
    ]
    assert pull.labels == ("P1",)
    assert (pull.complete, pull.problem) == (True, "")
    assert pull.head_at > 0


def test_a_read_costs_two_requests(scene: Scene) -> None:
    scene.control.ci(SLUG)
    number = scene.open()
    scene.pulls.read(scene.repo, number)
    assert [one.what.split("?")[0] for one in scene.asked()] == ["/graphql", f"/repos/{SLUG}/actions/runs"]


def test_checks_go_on_to_the_last_page(scene: Scene) -> None:
    number = scene.open()
    for at in range(120):
        scene.control.check(SLUG, scene.head(), f"check {at:03}", "failure" if at == 119 else "success")
    pull = scene.pulls.read(scene.repo, number)
    assert len(pull.checks) == 120
    assert [check.name for check in pull.checks if check.conclusion is Conclusion.FAILURE] == ["check 119"]
    assert pull.complete


def test_reviews_and_threads_go_on_to_the_last_page(scene: Scene) -> None:
    number = scene.open()
    for at in range(103):
        scene.control.review(SLUG, number, "rita", "COMMENTED", body=f"{at}")
    for at in range(52):
        scene.control.thread(SLUG, number, "bob", f"{at}", path="a.txt")
    pull = scene.pulls.read(scene.repo, number)
    assert len(pull.threads) == 52
    assert len(pull.reviews) >= 103
    assert pull.complete, pull.problem


def test_a_commit_status_and_a_check_of_one_name_are_two(scene: Scene) -> None:
    number = scene.open()
    scene.control.check(SLUG, scene.head(), "build", "success")
    scene.control.status(SLUG, scene.head(), "build", "failure", by="bob")
    checks = scene.pulls.read(scene.repo, number).checks
    assert {(one.kind, one.conclusion) for one in checks} == {
        ("run", Conclusion.SUCCESS),
        ("status", Conclusion.FAILURE),
    }


def test_a_status_that_we_set_ourselves_is_marked(scene: Scene) -> None:
    number = scene.open()
    scene.control.status(SLUG, scene.head(), "ops", "success", by="bot")
    (check,) = scene.pulls.read(scene.repo, number).checks
    assert check.ours


def test_a_run_without_a_job_counts_as_well(scene: Scene) -> None:
    """It could not start, so no rollup has it."""
    scene.control.ci(SLUG, startup_failure=True, jobs=[])
    number = scene.open()
    (check,) = scene.pulls.read(scene.repo, number).checks
    assert (check.conclusion, check.event) == (Conclusion.STARTUP_FAILURE, "push")


@pytest.mark.parametrize(
    ("said", "conclusion"),
    [(word, Conclusion.PENDING) for word in ("queued", "in_progress", "waiting")]
    + [
        (one.value.replace("-", "_"), one)
        for one in Conclusion
        if one not in {Conclusion.PENDING, Conclusion.UNKNOWN, Conclusion.SUCCESS}
    ],
)
def test_what_a_check_run_says(scene: Scene, said: str, conclusion: Conclusion) -> None:
    number = scene.open()
    scene.control.check(SLUG, scene.head(), "test", said)
    (check,) = scene.pulls.read(scene.repo, number).checks
    assert check.conclusion is conclusion


def test_a_fork_and_somebody_elses_branch_are_not_ours(scene: Scene) -> None:
    theirs = scene.open("feature", by="bob")
    looks_like = scene.open("ops/x/1", by="bob")
    mine_elsewhere = scene.open("plain", by="bot")
    scene.control.add_repository("mallory/app", parent=SLUG)
    scene.control.push("mallory/app", "ops/t1/a1", {"evil.txt": "x"}, by="mallory")
    fork = scene.control.open_pull(SLUG, "ops/t1/a1", "dev", by="mallory", fork="mallory/app").number
    assert [_read(scene, number).ours for number in (theirs, looks_like, mine_elsewhere, fork)] == [False] * 4
    assert _read(scene, fork).cross_repository
    assert Reader(scene.client).newest_of(SLUG, "ops/t1/a1") is None


def test_a_closed_or_merged_one_is_read_though_its_branch_is_gone(scene: Scene) -> None:
    scene.control.ci(SLUG)
    number = scene.open()
    head = scene.head()
    merge = scene.control.merge(SLUG, number, by="rita", method="squash")
    scene.control.delete_branch(SLUG, OURS)
    pull = scene.pulls.read(scene.repo, number)
    assert (pull.state, pull.merge_commit, pull.head, pull.checks_of) == (PullState.MERGED, merge, head, head)
    assert [check.conclusion for check in pull.checks] == [Conclusion.SUCCESS]


def test_the_newest_of_a_branch_is_found(scene: Scene) -> None:
    assert Reader(scene.client).newest_of(SLUG, OURS) is None
    first = scene.open()
    scene.control.change_pull(SLUG, first, open=False)
    second = scene.control.open_pull(SLUG, OURS, "dev", by="bot").number
    found = Reader(scene.client).newest_of(SLUG, OURS)
    assert found is not None
    assert found.number == second


def test_an_answer_about_a_part_only_is_not_complete(scene: Scene) -> None:
    number = scene.open()
    whole = scene.client.ask
    scene.client.ask = lambda *a: whole(*a)._replace(problem="Something went wrong")  # type: ignore[method-assign]
    pull = scene.pulls.read(scene.repo, number)
    assert (pull.complete, pull.problem) == (False, "Something went wrong")


def test_what_is_not_there_is_no_answer(scene: Scene) -> None:
    with pytest.raises(SourceUnavailable):
        scene.pulls.read(scene.repo, 99)
    with pytest.raises(SourceUnavailable, match="no name on GitHub"):
        scene.pulls.read(scene.repo.model_copy(update={"slug": None}), 1)
    with pytest.raises(SourceUnavailable):
        scene.pulls.checks(scene.repo, "e" * 40)


def test_the_checks_of_any_commit(scene: Scene) -> None:
    scene.control.check(SLUG, scene.head("dev"), "test", "success")
    (check,) = scene.pulls.checks(scene.repo, scene.head("dev"))
    assert (check.name, check.conclusion) == ("test", Conclusion.SUCCESS)


def _contexts(scene: Scene) -> set[tuple[str, str]]:
    """What there is on dev, asked for by itself."""
    return {(one.name, str(one.conclusion)) for one in scene.pulls.checks(scene.repo, scene.head("dev"))}


def test_the_bases_checks_come_with_a_pull_request_and_are_the_same(scene: Scene) -> None:
    """For one request less. What is in no rollup, such as a run that could not start, is asked for as ever."""
    scene.control.check(SLUG, scene.head("dev"), "test", "failure")
    scene.control.status(SLUG, scene.head("dev"), "ext", "success")
    pull = scene.pulls.read(scene.repo, scene.open())
    before = len(scene.asked())
    checks = scene.pulls.checks(scene.repo, scene.head("dev"), seen=pull)
    assert [one.what.split("?")[0] for one in scene.asked()[before:]] == [f"/repos/{SLUG}/actions/runs"]
    assert {(one.name, str(one.conclusion)) for one in checks} == _contexts(scene)
    assert {one.name for one in checks if one.conclusion is Conclusion.FAILURE} == {"test"}


@pytest.mark.parametrize("why", ["another base", "not complete", "more than a page"])
def test_the_bases_checks_are_asked_for_where_they_did_not_come_whole(scene: Scene, why: str) -> None:
    for at in range(120 if why == "more than a page" else 1):
        scene.control.check(SLUG, scene.head("dev"), f"check {at:03}", "success")
    pull = scene.pulls.read(scene.repo, scene.open())
    if why == "another base":
        scene.control.push(SLUG, "dev", {"later.txt": "x"}, by="rita")
        scene.control.check(SLUG, scene.head("dev"), "check 000", "failure")
    if why == "not complete":
        pull = pull.model_copy(update={"complete": False})
        scene.control.check(SLUG, scene.head("dev"), "late", "failure")
    checks = scene.pulls.checks(scene.repo, scene.head("dev"), seen=pull)
    assert {(one.name, str(one.conclusion)) for one in checks} == _contexts(scene)


def test_glances_are_shared(scene: Scene) -> None:
    """Five waiting for their pull requests of one repository ask once between them."""
    scene.control.ci(SLUG)
    numbers = [scene.open(f"ops/t{at}/1", **{f"{at}.txt": "x"}) for at in range(5)]
    gate, seen = threading.Barrier(5, timeout=60), dict[int, Pull]()

    def look(number: int) -> None:
        gate.wait()
        seen[number] = scene.pulls.glance(scene.repo, number, 60)

    threads = [threading.Thread(target=look, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    green = {number: [one.conclusion for one in pull.checks] for number, pull in seen.items()}
    assert green == {number: [Conclusion.SUCCESS] for number in numbers}
    assert len(scene.asked()) == 1


def test_a_glance_that_is_too_old_or_about_one_that_is_closed_looks_again(scene: Scene) -> None:
    number = scene.open()
    scene.pulls.glance(scene.repo, number, 60)
    scene.control.push(SLUG, OURS, {"b.txt": "x"}, by="bot")
    assert scene.pulls.glance(scene.repo, number, 60).head != scene.head()
    assert scene.pulls.glance(scene.repo, number, 0).head == scene.head()
    scene.control.merge(SLUG, number, by="rita")
    assert scene.pulls.glance(scene.repo, number, 0).state is PullState.MERGED


def test_nothing_of_a_time_to_come_is_believed_once_the_clock_was_set_back(scene: Scene) -> None:
    """Neither what was seen, which would not grow too old for as long, nor that GitHub did not answer."""
    number, now = scene.open(), [9_000.0]
    reader = Reader(scene.client, lambda: now[0])
    reader.glance(SLUG, number, 60)
    scene.control.push(SLUG, OURS, {"b.txt": "x"}, by="bot")
    now[0] = 5_000.0
    assert reader.glance(SLUG, number, 60).head == scene.head()
    scene.control.fault("status", path="/graphql", status=502, times=None)
    with pytest.raises(SourceUnavailable):
        reader.glance(SLUG, number, -1)
    scene.control.clear_faults()
    now[0] = 1_000.0
    assert reader.glance(SLUG, number, 60).head == scene.head()


def test_a_failed_glance_fails_for_all_who_waited_for_it(scene: Scene) -> None:
    scene.control.fault("status", path="/graphql", status=502, times=None)
    scene.control.latency(0.05)
    gate, failed = threading.Barrier(4, timeout=60), list[str]()

    def look() -> None:
        gate.wait()
        with pytest.raises(SourceUnavailable) as told:
            scene.pulls.glance(scene.repo, 1, 60)
        failed.append(str(told.value))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(failed) == 4
    assert len([one for one in scene.control.journal.entries if one.kind == "fault"]) == 3  # the tries of one


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ({}, {"protected": False, "required_checks": (), "known": True}),
        ({"checks": ["test", ("build", 15368)], "strict": True}, {"protected": True, "strict": True}),
        ({"approvals": 2}, {"protected": True, "required_approvals": 2}),
        ({"merge_queue": True}, {"protected": True, "merge_queue": True}),
    ],
)
def test_the_rules_of_a_branch(scene: Scene, rules: dict[str, Any], wanted: dict[str, Any]) -> None:
    if rules:
        scene.control.protect(SLUG, "dev", **rules)
    found = scene.pulls.rules(scene.repo, "dev")
    assert {key: getattr(found, key) for key in wanted} == wanted
    if "checks" in rules:
        assert {(one.name, one.app) for one in found.required_checks} == {("test", None), ("build", 15368)}


def test_allowed_methods_are_the_repositorys(scene: Scene) -> None:
    scene.control.change_repository(SLUG, allow={"squash"})
    assert scene.pulls.rules(scene.repo, "dev").methods == {"squash"}


def test_rules_that_cannot_be_seen_are_not_known(scene: Scene) -> None:
    scene.control.fault("status", path=r".*/rules/branches/.*", status=404, body={"message": "Not Found"}, times=None)
    assert not scene.pulls.rules(scene.repo, "dev").known


def _red(scene: Scene, **ci: Any) -> tuple[int, Check]:
    scene.control.ci(SLUG, **ci)
    number = scene.open()
    return number, next(
        c for c in scene.pulls.read(scene.repo, number).checks if c.conclusion is not Conclusion.SUCCESS
    )


def test_a_red_job_is_shown_from_inside(scene: Scene) -> None:
    _, check = _red(
        scene, jobs=["lint", {"name": "test", "result": "failure", "log": "a\n" * 20_000 + "AssertionError: 1 != 2\n"}]
    )
    (job,) = scene.pulls.failed_jobs(scene.repo, check)
    assert (job.name, job.conclusion, job.log_missing, job.passed_before) == ("test", Conclusion.FAILURE, False, False)
    assert job.log.rstrip().endswith("AssertionError: 1 != 2")
    assert len(job.log) <= 20_000
    assert [step.conclusion for step in job.steps].count(Conclusion.FAILURE) == 1
    assert job.annotations == ("Process completed with exit code 1.",)


def test_a_log_that_was_never_written_is_missing(scene: Scene) -> None:
    _, check = _red(scene, jobs=[{"name": "test", "result": "failure", "log": ""}])
    (job,) = scene.pulls.failed_jobs(scene.repo, check)
    assert (job.log, job.log_missing) == ("", True)


def test_a_job_that_passed_in_another_attempt_says_so(scene: Scene) -> None:
    lint = {"name": "lint", "result": ["success", "failure"]}
    _, check = _red(scene, jobs=[lint, {"name": "test", "result": "failure"}])
    assert scene.pulls.failed_jobs(scene.repo, check)[0].passed_before is False
    with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}) as person:
        person.post(f"{scene.github.url}/repos/{SLUG}/actions/runs/{check.run}/rerun").raise_for_status()
    checks = scene.pulls.checks(scene.repo, scene.head())
    assert {one.attempt for one in checks} == {2}
    passed = {one.name: scene.pulls.failed_jobs(scene.repo, one)[0].passed_before for one in checks}
    assert passed == {"lint": True, "test": False}


def test_a_commit_status_has_nothing_behind_it(scene: Scene) -> None:
    number = scene.open()
    scene.control.status(SLUG, scene.head(), "ext", "failure")
    (check,) = scene.pulls.read(scene.repo, number).checks
    assert scene.pulls.failed_jobs(scene.repo, check) == ()


def test_another_apps_check_is_its_annotations_and_summary(scene: Scene) -> None:
    _, check = _red(scene, app="circle", jobs=[{"name": "deploy", "result": "failure"}])
    (job,) = scene.pulls.failed_jobs(scene.repo, check)
    assert (job.run, job.conclusion, job.log_missing) == (0, Conclusion.FAILURE, False)


@pytest.mark.parametrize("query", [queries.GLANCE, queries.PULL, queries.COMMIT, queries.FIND])
def test_a_question_costs_one_point(query: str) -> None:
    """GitHub's price is the lists that a query stands for, over a hundred."""
    assert Price(graphql.parse(query), {}).points == 1
