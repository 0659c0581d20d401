"""An audit that asks with ETags misses no change: each kind of it, seen by the next audit, as one from nothing sees it.

The changes of a table happen one after another in one repository. Before each, an audit is made of answers of 304 only,
so that what is seen is seen by them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ops_orchestrate.adapters.github import comparison
from ops_orchestrate.core.finding import AuditPart
from ops_orchestrate.standin.repository import Repository
from tests.adapters.github.scene import OURS, SLUG, Scene
from tests.adapters.github.test_source import Audit

Change = Callable[[Scene], object]
ISSUE, PARENT, PART, STRANGER, GONE = 1, 2, 3, 4, 5
CHILD = "acme/api"
MARK = "Ops-Task: t1\nOps-Run: r1\nOps-Fingerprint: abc 0123456789abcdef\n"


def _place(scene: Scene) -> Repository:
    return scene.control.repository(SLUG)


def _issue(scene: Scene, number: int, **fields: Any) -> None:
    assert scene.client.write("PATCH", f"/repos/{SLUG}/issues/{number}", fields).status == 200


def _renamed_label(scene: Scene) -> None:
    _place(scene).labels["P0"].name = "question"


def _pull(scene: Scene, branch: str) -> int:
    return next(one.number for one in _place(scene).pulls.values() if one.head_ref == branch)


def _change(branch: str, **fields: Any) -> Change:
    return lambda scene: scene.control.change_pull(SLUG, _pull(scene, branch), **fields)


def _reopened(scene: Scene) -> None:
    number = _pull(scene, "feature")
    assert scene.client.write("PATCH", f"/repos/{SLUG}/pulls/{number}", {"state": "open"}).status == 200


def _red(scene: Scene) -> None:
    scene.control.ci(SLUG, on=["push"], branches=["*"], jobs=[{"name": "t", "result": ["failure", "success"]}])
    for branch in ("dev", "main", "master"):
        for at in range(3):
            scene.control.push(SLUG, branch, {f"{branch}{at}.txt": "x"})


def _run_again(scene: Scene, branch: str) -> None:
    run = max((one for one in _place(scene).runs.values() if one.suite.head_branch == branch), key=lambda one: one.id)
    assert scene.client.write("POST", f"/repos/{SLUG}/actions/runs/{run.id}/rerun").status == 201


#: What happens, and whether the findings become other ones by it.
CHANGES: list[tuple[str, Change, bool]] = [
    ("an issue is opened", lambda s: s.control.issue(SLUG, "Another", by="bob"), True),
    ("its title is changed", lambda s: _issue(s, ISSUE, title="It hurts more"), True),
    ("its text is changed", lambda s: _issue(s, ISSUE, body="Depends-On: other/api#3"), True),
    ("a label is added", lambda s: _issue(s, ISSUE, labels=["P0"]), True),
    ("somebody comments elsewhere", lambda s: s.control.comment(SLUG, PART, "bob", "Me too"), False),
    ("a label gets another name", _renamed_label, True),
    ("labels are removed", lambda s: _issue(s, ISSUE, labels=[]), True),
    ("an issue is closed", lambda s: _issue(s, ISSUE, state="closed"), True),
    ("it is opened again", lambda s: _issue(s, ISSUE, state="open"), True),
    ("a part of an issue is closed", lambda s: _issue(s, PART, state="closed"), True),
    ("an issue is deleted", lambda s: _place(s).issues.pop(GONE), True),
    ("an issue of a stranger is changed", lambda s: _issue(s, STRANGER, labels=["P1"]), True),
    ("its author becomes a colleague", lambda s: s.control.permit(SLUG, "mallory", "triage"), True),
    ("a pull request is opened", lambda s: s.open("feature", "main", by="bob"), True),
    ("its text says what it closes", _change("feature", body=f"Fixes #{ISSUE}"), True),
    ("it gets another base", _change("feature", base_ref="dev"), False),
    ("it is pushed to", lambda s: s.control.push(SLUG, "feature", {"b.txt": "b"}), False),
    ("it is reviewed", lambda s: s.control.review(SLUG, _pull(s, "feature"), "rita", "APPROVED"), False),
    ("it is closed", _change("feature", open=False), True),
    ("it is opened again, too", _reopened, True),
    ("it is merged", lambda s: s.control.merge(SLUG, _pull(s, "feature"), by="rita"), True),
    ("one of ours that was merged says what it was", _change("ops/r1/t1", body=MARK), True),
    ("a branch comes", lambda s: s.control.push(SLUG, "master", None, start="main"), False),
    ("runs end red", _red, True),
    ("a run is run again and passes", lambda s: _run_again(s, "main"), True),
    ("another branch is the default", lambda s: s.control.change_repository(SLUG, default_branch="master"), False),
    ("a branch goes", lambda s: s.control.delete_branch(SLUG, "main"), True),
    ("the integration branch goes", lambda s: s.control.delete_branch(SLUG, "dev"), True),
    ("the last red run is run again and passes", lambda s: _run_again(s, "master"), True),
    ("we may only read", lambda s: s.control.permit(SLUG, "bot", "read"), True),
    ("we may write again", lambda s: s.control.permit(SLUG, "bot", "write"), True),
    ("it is archived", lambda s: s.control.change_repository(SLUG, archived=True), True),
    ("it is no longer archived", lambda s: s.control.change_repository(SLUG, archived=False), True),
    ("it has another name", lambda s: s.control.rename(SLUG, "acme/new"), True),
]


def _thread(scene: Scene) -> Any:
    return scene.control.pull(SLUG, _pull(scene, OURS)).threads[0]


def _close_child(scene: Scene) -> None:
    assert scene.client.write("PATCH", f"/repos/{CHILD}/issues/1", {"state": "closed"}).status == 200


#: The same of what leaves no sign: an open pull request of ours, and an issue that hangs on another repository.
UNSIGNED: list[tuple[str, Change, bool]] = [
    ("a thread begins", lambda s: s.control.thread(SLUG, _pull(s, OURS), "rita", "Why?", path="a.txt"), True),
    ("it is resolved", lambda s: s.control.resolve(_thread(s), "rita"), True),
    ("it is opened again", lambda s: s.control.resolve(_thread(s), None), True),
    ("a third party's status turns red", lambda s: s.control.status(SLUG, s.head(), "ext", "failure"), True),
    ("and green", lambda s: s.control.status(SLUG, s.head(), "ext", "success"), True),
    ("changes are requested", lambda s: s.control.review(SLUG, _pull(s, OURS), "rita", "CHANGES_REQUESTED"), True),
    ("it is approved", lambda s: s.control.review(SLUG, _pull(s, OURS), "rita", "APPROVED"), True),
    ("it conflicts with its base", lambda s: s.control.push(SLUG, "dev", {"c.txt": "other"}), True),
    ("it is pushed to", lambda s: s.control.push(SLUG, OURS, {"b.txt": "b"}), True),
    ("it is closed", _change(OURS, open=False), True),
    ("a part in another repository is closed", _close_child, True),
]


@pytest.fixture
def audit(scene: Scene) -> Audit:
    """Of a repository with issues, far more than one page of signs shows, and a merged pull request of ours."""
    scene.control.mergeable_after(0)
    scene.control.issue(SLUG, "It hurts", by="bob", labels=["P1"])
    parent = scene.control.issue(SLUG, "Whole", by="bob")
    scene.control.issue(SLUG, "Part", by="bob", parent=parent)
    scene.control.issue(SLUG, "Strange", by="mallory")
    for at in range(25):
        scene.control.issue(SLUG, f"Issue {at}", by="bob")
    scene.open("ops/r1/t1")
    scene.control.merge(SLUG, _pull(scene, "ops/r1/t1"), by="rita", method="squash")
    return Audit(scene)


def _sorted(part: AuditPart) -> AuditPart:
    return part.model_copy(update={"findings": tuple(sorted(part.findings, key=str))})


def _missed(audit: Audit, changes: list[tuple[str, Change, bool]], steady: set[tuple[str, int]]) -> list[str]:
    """What of these changes the next audit has not seen, or has seen in something that had not changed."""
    scene, missed = audit.scene, []
    before = audit()
    audit()
    for name, change, matters in changes:
        asked = audit.requests()
        missed += [f"before «{name}»: {one}" for one in asked if one not in steady]
        scene.control.skip(100)
        audit.later += 100
        change(scene)
        found, fresh = audit(), Audit(scene)()
        if found != fresh or (_sorted(found) != _sorted(before)) is not matters:
            missed.append(name)
        before = found
    return missed


def test_every_change_is_seen_by_an_audit_of_304s(audit: Audit) -> None:
    paths = ("/user/repos", f"/repos/{SLUG}/issues", f"/repos/{SLUG}/actions/runs")
    assert _missed(audit, CHANGES, {(path, 304) for path in paths}) == []


def test_what_leaves_no_sign_is_seen_because_it_is_looked_at(scene: Scene, audit: Audit) -> None:
    scene.add(CHILD)
    scene.control.issue(SLUG, "Whole", by="bob").sub_issues.append(scene.control.issue(CHILD, "Part", by="bob"))
    scene.open(**{"c.txt": "ours"})
    steady = {("/graphql", 200), (f"/repos/{SLUG}/actions/runs", 304)}
    assert _missed(audit, UNSIGNED, steady) == []


def test_a_push_elsewhere_costs_the_small_query_and_no_look(scene: Scene, audit: Audit) -> None:
    audit()
    audit()
    scene.control.skip(100)
    scene.control.push(SLUG, "elsewhere", {"x": "x"}, start="main")
    changed = [one for one in audit.requests() if one[1] != 304]
    assert changed == [("/user/repos", 200), ("/graphql", 200)]
    assert all(status == 304 for _, status in audit.requests())


def test_signs_are_asked_of_as_many_as_there_is_room_for(scene: Scene, audit: Audit, monkeypatch: Any) -> None:
    monkeypatch.setattr(comparison, "_A_MINUTE", 3)
    scene.add("acme/api")
    for _ in range(2):
        audit(SLUG, "acme/api")
    asked = audit.requests(SLUG, "acme/api")
    assert [one for one in asked if one[0].endswith("/issues")] == [(f"/repos/{SLUG}/issues", 304)]
    assert asked.count(("/graphql", 200)) == 1


def test_signs_are_asked_of_none_that_is_not_in_the_list(scene: Scene, audit: Audit, monkeypatch: Any) -> None:
    """Without its line the small query is asked all the same: the room is for those that have one."""
    monkeypatch.setattr(comparison, "_A_MINUTE", 3)
    scene.add("acme/public", level="read", private=False)
    for _ in range(2):
        audit("acme/public", SLUG)
    asked = audit.requests("acme/public", SLUG)
    assert [one for one in asked if one[0].endswith("/issues")] == [(f"/repos/{SLUG}/issues", 304)]
    assert asked.count(("/graphql", 200)) == 1


def test_an_app_asks_for_none_because_its_token_does_not_last(scene: Scene, audit: Audit) -> None:
    scene.client.identity.bot = True  # type: ignore[misc]
    for _ in range(2):
        audit()
    assert [path for path, _ in audit.requests()] == [
        "/installation/repositories",
        "/graphql",
        f"/repos/{SLUG}/actions/runs",
    ]


@pytest.mark.parametrize(
    ("path", "status"), [("/user/repos", 403), (f"/repos/{SLUG}/issues", 410), (f"/repos/{SLUG}/issues", 500)]
)
def test_signs_that_github_does_not_give_are_not_needed(scene: Scene, audit: Audit, path: str, status: int) -> None:
    first = audit()
    scene.control.fault("status", path=path, status=status, times=None)
    assert audit() == first
    assert path not in [asked for asked, _ in audit.requests()]  # the record is of what was answered
    scene.control.issue(SLUG, "Another", by="bob")
    assert len(audit().findings) == len(first.findings) + 1


def _later(audit: Audit, seconds: float) -> None:
    audit.scene.control.skip(seconds)
    audit.later += seconds


def test_what_was_changed_before_its_signs_were_ever_asked_for_is_seen(scene: Scene, audit: Audit) -> None:
    assert audit().merged == ()
    _later(audit, 100)
    _change("ops/r1/t1", body=MARK)(scene)  # which the small query does not show
    assert len(audit().merged) == 1


def test_what_was_changed_a_moment_ago_is_no_sign_to_keep(scene: Scene, audit: Audit) -> None:
    for _ in range(2):
        audit()
    audit.later -= 59  # in this second it may be changed once more
    _later(audit, 100)
    _change("ops/r1/t1", body=MARK)(scene)
    for _ in range(2):
        assert ("/graphql", 200) in audit.requests()
    _later(audit, 60)
    assert ("/graphql", 200) in audit.requests()
    assert {status for _, status in audit.requests()} == {304}
