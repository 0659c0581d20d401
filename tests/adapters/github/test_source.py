"""The audit of GitHub: what it finds, what it costs, and that what it was not told is unknown and never none."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.github.jobs import failed_run
from ops_orchestrate.adapters.github.source import GitHubSource
from ops_orchestrate.core.finding import AuditPart, Finding, FindingKind
from ops_orchestrate.core.merge.pull import Conclusion
from ops_orchestrate.core.merge.regression import WorkflowRun
from ops_orchestrate.core.task import Priority
from ops_orchestrate.errors import SourceUnavailable
from tests.adapters.github.scene import OURS, SLUG, Scene
from tests.builders import make_project, make_request


class Audit:
    """Audits of one process after one another."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.later = 60.0
        self.begin()

    def begin(self, kept: Path | None = None) -> None:
        """Another process; what it finds is a minute old."""
        self.source = GitHubSource(self.scene.client, threads=4, kept=kept, now=lambda: time.time() + self.later)

    def __call__(self, *slugs: str, **repo: Any) -> AuditPart:
        projects = [
            make_project(slug.replace("/", "-"), repositories=(self.scene.value(slug, **repo),))
            for slug in slugs or (SLUG,)
        ]
        return self.source.findings(projects, make_request())

    def requests(self, *slugs: str, **repo: Any) -> list[tuple[str, int]]:
        """What one audit asks, and with which status it is answered."""
        before = len(self.scene.asked())
        self(*slugs, **repo)
        return [(one.what.split("?")[0], one.facts["status"]) for one in self.scene.asked()[before:]]


@pytest.fixture
def audit(scene: Scene) -> Audit:
    return Audit(scene)


def _of(part: AuditPart, kind: FindingKind) -> list[Finding]:
    return [one for one in part.findings if one.kind is kind]


def _push(scene: Scene, times: int, branch: str = "dev", slug: str = SLUG) -> None:
    for at in range(times):
        scene.control.push(slug, branch, {f"{branch}{at}.txt": "x"})


def test_an_issue_with_all_that_it_says(scene: Scene, audit: Audit) -> None:
    first = scene.control.issue(SLUG, "First", by="bob")
    child = scene.control.issue(SLUG, "Part", by="bob")
    issue = scene.control.issue(
        SLUG, "It hurts\x1b[31m", f"Depends-On: other/api#3\nblocked by #{first.number}", by="mallory", labels=["P1"]
    )
    child.parent = issue
    issue.sub_issues.append(child)
    found = {one.closes[0].split("#")[1]: one for one in _of(audit(), FindingKind.ISSUE)}
    seen = found[str(issue.number)]
    assert seen.blocked_by == ("github:other/api#3", f"github:{SLUG}#{first.number}", f"github:{SLUG}#{child.number}")
    assert (seen.actionable, seen.priority) == (True, Priority.P1)
    assert "mallory" in seen.hold
    assert "\x1b" not in seen.title
    assert found[str(first.number)].hold == ""


def test_addresses_of_the_github_that_is_asked_name_blockers_and_those_of_another_do_not(
    scene: Scene, audit: Audit
) -> None:
    first, page = scene.control.issue(SLUG, "First", by="bob"), scene.github.url
    body = f"Depends-On: {page}/{SLUG}/issues/{first.number}\nblocked by {page}/other/api/pull/3"
    waits = scene.control.issue(SLUG, "Waits", body, by="bob")
    scene.control.issue(SLUG, "Free", f"blocked by https://github.com/{SLUG}/issues/{first.number}", by="bob")
    found = {one.title: one.blocked_by for one in _of(audit(), FindingKind.ISSUE)}
    assert found == {"First": (), "Free": (), waits.title: (f"github:{SLUG}#{first.number}", "github:other/api#3")}


def test_an_issue_is_left_to_whoever_has_a_pull_request_for_it(scene: Scene, audit: Audit) -> None:
    theirs, ours = (scene.control.issue(SLUG, title, by="bob") for title in ("Theirs", "Ours"))
    other = scene.open("feature", by="bob")
    mine = scene.open()
    scene.control.change_pull(SLUG, other, body=f"Fixes #{theirs.number}")
    scene.control.change_pull(SLUG, mine, body=f"Fixes #{ours.number}")
    found = {one.names[0]: one for one in _of(audit(), FindingKind.ISSUE)}
    left, taken = found[f"github:{SLUG}#{theirs.number}"], found[f"github:{SLUG}#{ours.number}"]
    assert (left.actionable, f"bob's pull request {SLUG}#{other}" in left.title) == (False, True)
    assert (taken.actionable, taken.change) == (True, str(mine))


def test_a_colleagues_pull_request_in_another_repository_and_into_any_branch_has_the_issue(
    scene: Scene, audit: Audit
) -> None:
    scene.add("acme/api")
    issue = scene.control.issue("acme/api", "Both", by="bob")
    theirs = scene.open("feature", "dev", by="bob")
    scene.control.change_pull(SLUG, theirs, body=f"- [x] closes acme/api#{issue.number}")
    (left,) = _of(audit(SLUG, "acme/api"), FindingKind.ISSUE)
    assert (left.actionable, f"bob's pull request {SLUG}#{theirs}" in left.title) == (False, True)


def test_our_pull_requests_that_need_work_and_others_that_do_not_get_it(scene: Scene, audit: Audit) -> None:
    scene.control.ci(SLUG, jobs=[{"name": "test", "result": {"path": "a.txt", "then": "failure", "else": "success"}}])
    mine = scene.open()
    scene.control.thread(SLUG, mine, "rita", "Why?", path="a.txt", line=3)
    theirs = scene.open("feature", by="bob", **{"a.txt": "y"})
    part = audit()
    (change,) = _of(part, FindingKind.CHANGE)
    assert (change.actionable, change.change) == (True, str(mine))
    assert "its checks fail, 1 review thread is not resolved" in change.title
    assert "unresolved: a.txt:3" in change.detail
    assert any(f"left alone in {SLUG}: #{theirs} (bob)" in one.title for one in _of(part, FindingKind.NOTICE))


def test_a_workflow_that_fails_for_good_on_dev_though_main_is_green(scene: Scene, audit: Audit) -> None:
    scene.control.ci(
        SLUG, branches=["dev", "main"], jobs=[{"name": "t", "result": {"path": "dev0.txt", "then": "failure"}}]
    )
    _push(scene, 4)
    _push(scene, 2, "main")
    (red,) = _of(audit(), FindingKind.CI_FAILURE)
    assert red.names == (f"ci:{SLUG}:ci.yml:push:dev",)
    assert (red.priority, red.actionable, red.cause) == (Priority.P1, True, scene.head("dev"))
    scene.control.push(SLUG, "dev", {"dev0.txt": None})
    assert _of(audit(), FindingKind.CI_FAILURE) == []


def test_the_integration_branch_is_the_owners_else_dev_else_the_default(scene: Scene, audit: Audit) -> None:
    scene.control.ci(SLUG, branches=["*"], jobs=[{"name": "t", "result": "failure"}])
    for branch in ("dev", "main", "next"):
        scene.control.push(SLUG, branch, {"x": branch}, start="main")
    assert {one.names[0].split(":")[-1] for one in _of(audit(), FindingKind.CI_FAILURE)} == {"dev", "main"}
    own = audit(SLUG, integration="next")
    assert {one.names[0].split(":")[-1] for one in _of(own, FindingKind.CI_FAILURE)} == {"next", "main"}
    scene.control.delete_branch(SLUG, "dev")
    assert {one.names[0].split(":")[-1] for one in _of(audit(), FindingKind.CI_FAILURE)} == {"main"}


def test_a_failure_that_began_before_the_newest_hundred_runs_is_followed(scene: Scene, audit: Audit) -> None:
    scene.control.ci(SLUG, branches=["*"], jobs=[{"name": "t", "result": {"path": "dev0.txt", "then": "failure"}}])
    _push(scene, 4)
    _push(scene, 101, "busy")
    (red,) = _of(audit(), FindingKind.CI_FAILURE)
    assert red.priority is Priority.P1
    assert [path for path, _ in audit.requests()].count(f"/repos/{SLUG}/actions/runs") <= 3


def test_every_issue_and_pull_request_to_the_last_page(scene: Scene, audit: Audit) -> None:
    for at in range(120):
        scene.control.issue(SLUG, f"Issue {at}", by="bob")
    for at in range(60):
        scene.open(f"ops/t{at}/1", **{f"{at}.txt": "x"})
    part = audit()
    assert len(_of(part, FindingKind.ISSUE)) == 120
    assert len(_of(part, FindingKind.CHANGE)) == 60


def test_a_repository_costs_two_requests_cold_and_a_304_when_nothing_changed(scene: Scene, audit: Audit) -> None:
    slugs = [SLUG, *(f"acme/r{at}" for at in range(9))]
    for slug in slugs[1:]:
        scene.add(slug)
    for slug in slugs:
        scene.control.ci(slug, branches=["*"])
        scene.control.issue(slug, "It hurts", by="bob")
        _push(scene, 1, slug=slug)
    cold = audit.requests(*slugs)
    assert len(cold) == 2 * len(slugs)
    learned = audit.requests(*slugs)  # its ETags, for the next ones
    assert learned.count(("/graphql", 200)) == 1
    for _ in range(2):
        warm = audit.requests(*slugs)
        assert {status for _, status in warm} == {304}
        assert len(warm) == 2 * len(slugs) + 1


@pytest.mark.parametrize(
    ("change", "queries"),
    [
        (lambda s: s.control.issue(SLUG, "Another", by="bob"), 1),
        (lambda s: s.open("feature", by="bob"), 1),
        (lambda s: s.control.push(SLUG, "dev", {"z": "z"}), 2),
        (lambda s: s.control.change_repository(SLUG, archived=True), 2),
    ],
    ids=["issue", "pull", "dev", "archived"],
)
def test_a_change_is_seen_and_only_that_repository_is_looked_at_again(
    scene: Scene, audit: Audit, change: Any, queries: int
) -> None:
    scene.add("acme/still")
    for _ in range(2):
        audit(SLUG, "acme/still")
    scene.control.skip(100)
    change(scene)
    asked = audit.requests(SLUG, "acme/still")
    assert [path for path, _ in asked].count("/graphql") == queries
    assert asked.count(("/repos/acme/still/issues", 304)) == 1


def test_a_check_on_another_ones_pull_request_is_in_no_finding_and_costs_no_look(scene: Scene, audit: Audit) -> None:
    scene.open("feature", by="bob")
    audit()
    before = audit()
    scene.control.status(SLUG, scene.head("feature"), "ext", "failure")
    assert {status for _, status in audit.requests()} == {304}
    assert audit() == before


def test_a_repository_with_a_pull_request_of_ours_is_always_looked_at(scene: Scene, audit: Audit) -> None:
    number = scene.open()
    thread = scene.control.thread(SLUG, number, "rita", "Why?", path="a.txt")
    for _ in range(2):  # the first look makes GitHub compute what the second one sees
        assert _of(audit(), FindingKind.CHANGE)[0].actionable
    thread.resolved_by = scene.control.user("rita")  # leaves no trace in any list
    assert not _of(audit(), FindingKind.CHANGE)[0].actionable


def test_what_github_does_not_tell_is_unknown_and_the_others_go_on(scene: Scene, audit: Audit) -> None:
    scene.add("acme/gone")
    scene.control.delete("acme/gone")
    scene.add("acme/secret", level="none")
    scene.control.issue(SLUG, "It hurts", by="bob")
    part = audit(SLUG, "acme/gone", "acme/secret")
    assert [one.name for one in part.unknown] == ["acme-gone", "acme-secret"]
    assert len(_of(part, FindingKind.ISSUE)) == 1


@pytest.mark.parametrize("level", ["read", "triage"])
def test_where_we_may_only_read_nothing_is_work(scene: Scene, audit: Audit, level: str) -> None:
    scene.control.issue(SLUG, "It hurts", by="bob")
    scene.control.permit(SLUG, "bot", level)
    part = audit()
    assert not any(one.actionable for one in part.findings)
    assert any("not worked on" in one.title for one in part.findings)


def test_a_renamed_repository_is_named(scene: Scene, audit: Audit) -> None:
    scene.control.issue(SLUG, "It hurts", by="bob")
    scene.control.rename(SLUG, "acme/new-name")
    part = audit()
    assert any("is called acme/new-name now" in one.title for one in part.findings)
    assert len(_of(part, FindingKind.ISSUE)) == 1


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "status", "status": 502},
        {"kind": "status", "status": 401, "body": {"message": "Bad credentials"}},
        {"kind": "html"},
        {"kind": "truncate"},
        {"kind": "drop"},
        {"kind": "cut"},
        {"kind": "status", "status": 200, "body": {"data": None, "errors": [{"message": "timeout"}]}},
    ],
    ids=["502", "401", "html", "truncate", "drop", "cut", "errors"],
)
def test_a_github_that_is_ill_is_unavailable_and_not_empty(scene: Scene, audit: Audit, order: dict[str, Any]) -> None:
    scene.control.fault(**order, times=None)
    with pytest.raises(SourceUnavailable):
        audit()


def test_a_part_of_an_answer_is_not_taken_for_the_whole(scene: Scene, audit: Audit) -> None:
    whole = scene.client.ask
    scene.client.ask = lambda *a: whole(*a)._replace(problem="Something went wrong")  # type: ignore[method-assign]
    with pytest.raises(SourceUnavailable, match="only a part"):
        audit()


def test_one_bad_moment_costs_a_try_and_no_finding(scene: Scene, audit: Audit) -> None:
    scene.control.issue(SLUG, "It hurts", by="bob")
    for kind in ("html", "truncate", "drop"):
        scene.control.fault(kind, path=r"/graphql|.*/actions/runs")
        assert len(_of(audit(), FindingKind.ISSUE)) == 1


@pytest.mark.parametrize("resource", ["core", "graphql"])
def test_the_reserve_is_left_to_shipping(scene: Scene, audit: Audit, resource: str) -> None:
    number = scene.open(OURS)
    scene.control.limit("bot", resource, left=490, reset_in=600)
    first = audit()  # the first answer says how little is left
    with pytest.raises(SourceUnavailable, match="kept for shipping") as told:
        audit()
    assert 500 < told.value.retry_after <= 600
    assert first.unknown == () or "kept for shipping" in first.unknown[0].reason
    assert scene.pulls.read(scene.repo, number).complete


def test_what_an_audit_reads_of_a_red_run_leaves_the_reserve_alone_too(scene: Scene) -> None:
    scene.control.ci(SLUG, jobs=[{"name": "test", "result": "failure"}])
    (check,) = scene.pulls.read(scene.repo, scene.open()).checks
    scene.control.limit("bot", "core", left=490, reset_in=600)
    assert scene.pulls.failed_jobs(scene.repo, check)  # shipping may, and learns how little is left
    run = WorkflowRun(
        id=check.run or 0, workflow=1, name="ci", event="push", branch="dev", conclusion=Conclusion.FAILURE
    )
    with pytest.raises(SourceUnavailable, match="kept for shipping"):
        failed_run(scene.client, SLUG, run)


def test_projects_without_a_name_on_github_are_none_of_its_business(scene: Scene, audit: Audit) -> None:
    assert audit.source.findings([make_project()], make_request()) == AuditPart(part="github")
    strange = make_project("strange", repositories=(scene.value(SLUG).model_copy(update={"slug": "../x"}),))
    (unknown,) = audit.source.findings([strange], make_request()).unknown
    assert (unknown.name, "no name on GitHub" in unknown.reason) == ("strange", True)
    assert scene.asked() == []


def test_a_red_run_is_looked_into_once_and_its_log_is_in_the_work(scene: Scene, audit: Audit) -> None:
    scene.control.ci(SLUG, on=["push"], branches=["dev"], jobs=[{"name": "test", "result": "failure", "log": "E boom"}])
    _push(scene, 3)
    (found,) = _of(audit(), FindingKind.CI_FAILURE)
    assert "E boom" in found.detail
    again = audit.requests()
    assert not [path for path, _ in again if "/jobs" in path or "/logs" in path]


def test_a_runner_that_broke_is_run_again_and_is_no_work(scene: Scene, audit: Audit) -> None:
    lost = "The hosted runner lost communication with the server."
    job = {"name": "test", "result": "failure", "steps": [], "annotation": lost}
    scene.control.ci(SLUG, on=["push"], branches=["dev"], jobs=[job])
    _push(scene, 3)
    part = audit()
    assert not _of(part, FindingKind.CI_FAILURE)
    (note,) = _of(part, FindingKind.NOTICE)
    assert "run again once" in note.title
    assert note.rerun
