"""Changes to pull requests on a GitHub of the test: once, at the head that was seen, and never made up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ops_orchestrate.adapters.github.pulls import YES_SECONDS
from ops_orchestrate.adapters.github.reading import Reader
from ops_orchestrate.core.change import Landing, LandingEnd
from ops_orchestrate.core.merge.pull import Check, Conclusion, PullState
from ops_orchestrate.core.project import Repository
from ops_orchestrate.errors import GuardRefusal, OpsError, SourceUnavailable
from tests.adapters.github.scene import OURS, SLUG, Scene

LANDED, MOVED, REFUSED, UNKNOWN = LandingEnd.LANDED, LandingEnd.MOVED, LandingEnd.REFUSED, LandingEnd.UNKNOWN


def _merge(scene: Scene, number: int, head: str = "", method: Any = "squash") -> Landing:
    return scene.pulls.merge(
        scene.repo, number, head=head or scene.head(), method=method, title="Mend it (#1)", message="Ops-Merge-Key: t1"
    )


def _says(scene: Scene, body: Any) -> None:
    """GitHub answers this about the repository, whatever is true."""
    kind = {"content-type": "application/json"}
    scene.control.fault("status", path=f"/repos/{SLUG}(/.*)?", status=200, body=body, headers=kind, times=None)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda s: None, None),
        (lambda s: s.control.permit(SLUG, "bot", "read"), "does not let us push"),
        (lambda s: s.control.permit(SLUG, "bot", "triage"), "does not let us push"),
        (lambda s: s.control.permit(SLUG, "bot", "none"), "does not have"),
        (lambda s: s.control.change_repository(SLUG, archived=True), "archived"),
        (lambda s: s.control.rename(SLUG, "acme/other"), "is called acme/other"),
        (lambda s: s.control.delete(SLUG), "does not have"),
        (lambda s: _says(s, {"full_name": SLUG, "archived": False}), "not let us"),
        (lambda s: _says(s, {"full_name": SLUG, "archived": False, "permissions": {"push": "yes"}}), "not let us"),
        (lambda s: _says(s, {"full_name": SLUG, "permissions": {"push": True}}), "archived"),
        (lambda s: _says(s, []), "is called ?"),
    ],
)  # fmt: skip
def test_whether_we_may_write_is_asked_now_and_fails_closed(
    scene: Scene, change: Callable[[Scene], object], why: str | None
) -> None:
    change(scene)
    said = scene.pulls.may_write(scene.repo)
    assert said is None if why is None else why in (said or "")


@pytest.mark.parametrize(("kind", "more"), [("status", {"status": 500}), ("truncate", {}), ("html", {}), ("drop", {})])
def test_no_answer_is_no_word_on_whether_we_may_write(scene: Scene, kind: str, more: dict[str, Any]) -> None:
    """Only a person could change a no; an outage passes."""
    scene.control.fault(kind, times=None, **more)
    with pytest.raises(SourceUnavailable):
        scene.pulls.may_write(scene.repo)
    with pytest.raises(SourceUnavailable):
        _merge(scene, 1, "1" * 40)
    assert not scene.control.journal.effects("pull-merged")


def test_nothing_is_written_where_we_may_not(scene: Scene) -> None:
    scene.control.ci(SLUG, jobs=[{"name": "test", "result": "failure"}])
    number = scene.open()
    check = scene.pulls.read(scene.repo, number).checks[0]
    thread = scene.control.thread(SLUG, number, "rita", "Why?", path="a.txt").node_id
    scene.control.permit(SLUG, "bot", "read")
    before, head = len(scene.control.journal.effects()), scene.head()
    landings = [
        _merge(scene, number),
        scene.pulls.enqueue(scene.repo, number, head=head),
        scene.pulls.rerun(scene.repo, check),
        scene.pulls.answer(scene.repo, thread, "Because."),
        scene.pulls.publish(scene.repo, commit=head, branch=OURS, expected=""),
        scene.pulls.remove(scene.repo, branch=OURS, head=head),
        scene.pulls.close(scene.repo, number, head=head),
        scene.pulls.describe(scene.repo, number, was="", body="x"),
    ]
    assert {landing.end for landing in landings} == {REFUSED}
    with pytest.raises(GuardRefusal):
        scene.pulls.open(scene.repo, branch="ops/new/1", base="dev", title="x", body="y")
    assert len(scene.control.journal.effects()) == before


def test_a_commit_of_the_mirror_is_pushed_and_opened_once(scene: Scene) -> None:
    scene.workshop.refresh(scene.repo)
    base = scene.workshop.head(scene.repo, "dev") or ""
    tree = scene.workshop.tree_of(scene.repo, base)
    commit = scene.workshop.commit_tree(scene.repo, tree=tree, parents=(base,), message="Mend\n", at=1_700_000_000)
    for _ in range(2):
        landing = scene.pulls.publish(scene.repo, commit=commit, branch=OURS, expected="")
        assert (landing.end, scene.head()) == (LANDED, commit)
    terms: dict[str, str] = {"branch": OURS, "base": "dev", "title": "Mend it", "body": "Closes #1"}
    numbers = {scene.pulls.open(scene.repo, **terms) for _ in range(2)}
    assert len(numbers) == 1
    assert len(scene.control.journal.effects("pull-opened")) == 1
    found = Reader(scene.client).newest_of(SLUG, OURS)
    assert found is not None
    assert (found.number, found.ours, found.head) == (numbers.pop(), True, commit)


@pytest.mark.parametrize("order", [{"kind": "drop", "after": True}, {"kind": "status", "status": 502, "after": True}])
def test_a_pull_request_whose_answer_was_lost_is_found(scene: Scene, order: dict[str, Any]) -> None:
    scene.control.push(SLUG, OURS, {"a.txt": "x"}, by="bot", start="dev")
    scene.control.fault(**order, method="POST", path=f"/repos/{SLUG}/pulls")
    number = scene.pulls.open(scene.repo, branch=OURS, base="dev", title="x", body="y")
    assert [one.facts["number"] for one in scene.control.journal.effects("pull-opened")] == [number]


def test_a_pull_request_that_was_not_opened_is_no_number(scene: Scene) -> None:
    scene.control.push(SLUG, OURS, {"a.txt": "x"}, by="bot", start="dev")
    terms: dict[str, str] = {"branch": OURS, "base": "dev", "title": "x", "body": "y"}
    scene.control.fault("status", status=502, method="POST", path=f"/repos/{SLUG}/pulls")
    with pytest.raises(SourceUnavailable, match="Nobody knows"):
        scene.pulls.open(scene.repo, **terms)
    with pytest.raises(OpsError, match="no pull request"):
        scene.pulls.open(scene.repo, **(terms | {"base": "nowhere"}))
    with pytest.raises(GuardRefusal):
        scene.pulls.open(scene.repo, **(terms | {"branch": "feature"}))


def test_too_much_created_is_told_with_its_time(scene: Scene) -> None:
    scene.control.push(SLUG, OURS, {"a.txt": "x"}, by="bot", start="dev")
    scene.github.world.limits.content_per_minute = 0
    with pytest.raises(SourceUnavailable) as told:
        scene.pulls.open(scene.repo, branch=OURS, base="dev", title="x", body="y")
    assert told.value.retry_after == pytest.approx(60, abs=2)


@pytest.mark.parametrize(("method", "parents"), [("squash", 1), ("merge", 2)])
def test_a_merge_names_its_commit(scene: Scene, method: str, parents: int) -> None:
    number = scene.open()
    landing = _merge(scene, number, method=method)
    assert (landing.end, landing.commit) == (LANDED, scene.head("dev"))
    commit = scene.control.repository(SLUG).bare.commit(landing.commit)
    assert len(commit.parents) == parents
    assert commit.message.startswith("Mend it (#1)\n\nOps-Merge-Key: t1")


def test_a_head_that_moved_is_not_merged(scene: Scene) -> None:
    number, seen = scene.open(), scene.head()
    scene.control.push(SLUG, OURS, {"more.txt": "x"}, by="bot")
    assert _merge(scene, number, seen).end is MOVED
    assert not scene.control.journal.effects("pull-merged")


def test_a_merge_that_somebody_else_did_is_found_with_its_commit(scene: Scene) -> None:
    number, head = scene.open(), scene.head()
    merge = scene.control.merge(SLUG, number, by="rita", method="squash")
    landing = _merge(scene, number, head)
    assert (landing.end, landing.commit) == (LANDED, merge)
    assert len(scene.control.journal.effects("pull-merged")) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda s, n: s.control.change_repository(SLUG, allow={"merge"}),
        lambda s, n: s.control.protect(SLUG, "dev", checks=["never"]),
        lambda s, n: s.control.protect(SLUG, "dev", approvals=1),
        lambda s, n: s.control.change_pull(SLUG, n, draft=True),
        lambda s, n: s.control.change_pull(SLUG, n, open=False),
        lambda s, n: s.control.push(SLUG, "dev", {"a.txt": "conflict\n"}),
    ],
    ids=["method", "missing-check", "no-approval", "draft", "closed", "conflict"],
)
def test_a_405_is_a_no(scene: Scene, change: Callable[[Scene, int], object]) -> None:
    number = scene.open()
    change(scene, number)
    landing = _merge(scene, number)
    assert landing.end is REFUSED
    assert landing.detail
    assert not scene.control.journal.effects("pull-merged")


def test_a_base_that_github_still_looks_at_is_for_later(scene: Scene) -> None:
    number = scene.open()
    body = {"message": "Base branch was modified. Review and try the merge again."}
    scene.control.fault("status", status=405, body=body, method="PUT")
    assert _merge(scene, number).end is MOVED
    assert not scene.control.journal.effects("pull-merged")


def test_a_merge_of_another_head_is_not_taken_for_ours(scene: Scene) -> None:
    number, seen = scene.open(), scene.head()
    scene.control.push(SLUG, OURS, {"more.txt": "x"}, by="bob")
    scene.control.merge(SLUG, number, by="rita", method="squash")
    assert _merge(scene, number, seen).end is MOVED


LIMIT = {"kind": "status", "status": 403, "headers": {"retry-after": "9"}, "body": {"message": "secondary rate limit"}}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "order",
    [{"kind": "status", "status": 500}, {"kind": "status", "status": 502}, {"kind": "drop"}, {"kind": "html"}, LIMIT],
    ids=["500", "502", "drop", "html", "limit"],
)
def test_an_answer_that_says_nothing_is_unknown_and_the_merge_is_not_sent_again(
    scene: Scene, order: dict[str, Any], after: bool
) -> None:
    number = scene.open()
    scene.control.fault(**order, method="PUT", after=after)
    assert _merge(scene, number).end is UNKNOWN
    assert len(scene.control.journal.effects("pull-merged")) == int(after)


@pytest.mark.parametrize("kind", ["cut", "truncate"])
def test_half_an_answer_to_a_merge_is_unknown(scene: Scene, kind: str) -> None:
    number = scene.open()
    scene.control.fault(kind, method="PUT")
    assert _merge(scene, number).end is UNKNOWN
    assert scene.pulls.read(scene.repo, number).state is PullState.MERGED


def test_a_queue_takes_the_expected_head_only(scene: Scene) -> None:
    scene.control.protect(SLUG, "dev", merge_queue=True)
    scene.control.queue(open=False)
    number = scene.open()
    assert scene.pulls.enqueue(scene.repo, number, head="e" * 40).end is MOVED
    for _ in range(2):
        assert scene.pulls.enqueue(scene.repo, number, head=scene.head()).end is LANDED
    assert scene.pulls.read(scene.repo, number).in_merge_queue


def test_a_base_without_a_queue_refuses(scene: Scene) -> None:
    number = scene.open()
    assert scene.pulls.enqueue(scene.repo, number, head=scene.head()).end is REFUSED


def test_a_thread_is_answered_and_resolved_once(scene: Scene) -> None:
    number = scene.open()
    thread = scene.control.thread(SLUG, number, "rita", "Why?", path="a.txt")
    scene.control.fault("status", status=502, path="/graphql", contains="resolveReviewThread")
    assert scene.pulls.answer(scene.repo, thread.node_id, "Done in abc.").end is UNKNOWN
    for _ in range(2):
        assert scene.pulls.answer(scene.repo, thread.node_id, "Done in abc.").end is LANDED
    (seen,) = scene.pulls.read(scene.repo, number).threads
    assert (seen.resolved, [one.body for one in seen.comments]) == (True, ["Why?", "Done in abc."])


def _red(scene: Scene, **job: Any) -> tuple[int, Check]:
    scene.control.ci(SLUG, jobs=[{"name": "test", "result": ["failure", "success"], **job}])
    number = scene.open()
    (check,) = scene.pulls.read(scene.repo, number).checks
    return number, check


def test_failed_jobs_run_again_once(scene: Scene) -> None:
    number, check = _red(scene)
    assert scene.pulls.rerun(scene.repo, check).end is LANDED
    assert scene.pulls.rerun(scene.repo, check).end is MOVED
    (after,) = scene.pulls.read(scene.repo, number).checks
    assert (after.conclusion, after.attempt) == (Conclusion.SUCCESS, 2)
    assert len(scene.control.journal.effects("rerun")) == 1


def test_a_rerun_whose_answer_was_lost_is_found(scene: Scene) -> None:
    _, check = _red(scene)
    scene.control.fault("drop", method="POST", path=r".*/rerun-failed-jobs", after=True)
    assert scene.pulls.rerun(scene.repo, check).end is LANDED
    assert len(scene.control.journal.effects("rerun")) == 1


@pytest.mark.parametrize("kind", ["html", "truncate", "cut"])
def test_a_page_for_people_is_no_yes(scene: Scene, kind: str) -> None:
    """Status 200 and no JSON: nobody knows, whatever was asked for."""
    _, check = _red(scene)
    number, thread = scene.open("ops/t2/1"), scene.control.thread(SLUG, 1, "rita", "Why?", path="a.txt").node_id
    scene.control.fault(kind, method="PUT", times=None)
    scene.control.fault(kind, method="POST", path=r".*/rerun-failed-jobs", times=None)
    scene.control.fault(kind, method="POST", contains="addPullRequestReviewThreadReply", times=None)
    assert _merge(scene, number, scene.head("ops/t2/1")).end is UNKNOWN
    assert scene.pulls.answer(scene.repo, thread, "Done.").end is UNKNOWN
    landing = scene.pulls.rerun(scene.repo, check)
    assert landing.end is (LANDED if scene.control.journal.effects("rerun") else UNKNOWN)


def test_what_has_no_run_cannot_run_again(scene: Scene) -> None:
    number = scene.open()
    scene.control.status(SLUG, scene.head(), "ext", "failure")
    (check,) = scene.pulls.read(scene.repo, number).checks
    assert scene.pulls.rerun(scene.repo, check).end is REFUSED


def test_a_repository_without_a_name_on_github_is_never_written(scene: Scene) -> None:
    nameless: Repository = scene.repo.model_copy(update={"slug": None})
    assert "no name on GitHub" in (scene.pulls.may_write(nameless) or "")
    assert scene.pulls.merge(nameless, 1, head="e" * 40, method="squash", title="", message="").end is REFUSED
    assert scene.asked() == []


def test_ours_is_closed_once_at_the_head_that_was_seen(scene: Scene) -> None:
    number = scene.open()
    assert scene.pulls.close(scene.repo, number, head="1" * 40).end is MOVED
    assert scene.control.pull(SLUG, number).open
    assert [scene.pulls.close(scene.repo, number, head=scene.head()).end for _ in range(2)] == [LANDED] * 2
    assert not scene.control.pull(SLUG, number).open
    assert len(scene.control.journal.effects("pull-closed")) == 1


@pytest.mark.parametrize(("branch", "by"), [(OURS, "rita"), ("feature", "bot")])
def test_what_is_not_ours_is_neither_closed_nor_given_another_text(scene: Scene, branch: str, by: str) -> None:
    number = scene.open(branch, by=by)
    assert scene.pulls.close(scene.repo, number, head=scene.head(branch)).end is REFUSED
    assert scene.control.pull(SLUG, number).open
    assert scene.pulls.describe(scene.repo, number, was="", body="ours").end is REFUSED
    assert scene.control.pull(SLUG, number).body == ""


TEXT = "Mend it \N{SNOWMAN}\r\n\r\n<!-- @rita --> Fixes #1 \u202e"


def test_a_text_is_changed_once_and_only_in_the_place_of_the_one_that_was_seen(scene: Scene) -> None:
    number = scene.open()
    said = {"was": "", "body": TEXT}
    assert [scene.pulls.describe(scene.repo, number, **said).end for _ in range(2)] == [LANDED] * 2
    assert len(scene.control.journal.effects("pull-changed")) == 1
    assert scene.pulls.read(scene.repo, number).body == TEXT
    assert scene.pulls.describe(scene.repo, number, was="", body="another").end is MOVED
    scene.control.fault("status", status=502, method="PATCH", after=True)
    assert scene.pulls.describe(scene.repo, number, was=TEXT, body="another").end is UNKNOWN
    assert scene.pulls.describe(scene.repo, number, was=TEXT, body="another").end is LANDED
    scene.control.change_pull(SLUG, number, open=False)
    assert scene.pulls.describe(scene.repo, number, was="another", body=TEXT).end is REFUSED


def test_a_merge_is_not_begun_on_an_earlier_yes(scene: Scene) -> None:
    number = scene.open()
    assert scene.pulls.may_write(scene.repo) is None
    scene.control.permit(SLUG, "bot", "read")
    landing = scene.pulls.merge(scene.repo, number, head=scene.head(), method="squash", title="x", message="")
    assert (landing.end, "only read" in landing.detail) == (REFUSED, True)
    assert not [one for one in scene.asked() if one.what.endswith("/merge")]


def _points(scene: Scene, since: int) -> dict[str, int]:
    """What was asked since then, but queries, and what each cost."""
    asked = [one for one in scene.asked()[since:] if not one.what.endswith("graphql")]
    return {one.what.rpartition("/")[2]: int(one.facts["points"]) for one in asked}


def test_right_after_a_look_who_we_are_is_asked_about_which_is_free_while_nothing_changes(scene: Scene) -> None:
    """The repository's own answer has another ETag after every push, and would cost a point each time."""
    for at in range(2):
        number = scene.open(f"ops/t{at}/1", **{f"{at}.txt": "x"})
        scene.pulls.read(scene.repo, number)
        before = len(scene.asked())
        assert _merge(scene, number, scene.head(f"ops/t{at}/1")).end is LANDED
        assert _points(scene, before) == {"permission": 1 - at, "merge": 1}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda s: s.control.permit(SLUG, "bot", "triage"), "does not let us push"),
        (lambda s: s.control.permit(SLUG, "bot", "none"), "does not have"),
        (lambda s: s.control.fault("status", path=".*/permission", status=403, times=None), ""),
        (lambda s: s.control.fault("status", path=".*/permission", body={"permission": "write"}, status=200), ""),
    ],
)
def test_without_a_yes_to_who_we_are_the_repository_itself_is_asked(
    scene: Scene, change: Callable[[Scene], object], why: str
) -> None:
    number = scene.open()
    scene.pulls.read(scene.repo, number)
    change(scene)
    before = len(scene.asked())
    landing = _merge(scene, number)
    assert "app" in _points(scene, before)
    assert (landing.end, why in landing.detail) == (REFUSED if why else LANDED, True)


def test_a_repository_that_is_closed_to_writes_is_named_by_the_look_or_refuses_by_itself(scene: Scene) -> None:
    number = scene.open()
    scene.pulls.read(scene.repo, number)
    scene.control.change_repository(SLUG, archived=True)
    assert _merge(scene, number).end is REFUSED
    scene.pulls.read(scene.repo, number)
    assert "archived" in _merge(scene, number).detail
    assert not scene.control.journal.effects("pull-merged")


def test_a_yes_that_a_write_contradicts_is_forgotten(scene: Scene) -> None:
    assert scene.pulls.may_write(scene.repo) is None
    scene.control.permit(SLUG, "bot", "read")
    commit = scene.head("dev")
    assert scene.pulls.publish(scene.repo, commit=commit, branch=OURS, expected="").end is not LANDED
    assert "only read" in (scene.pulls.may_write(scene.repo) or "")


def test_a_yes_counts_for_the_writes_of_one_step_and_a_no_for_none(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked() -> int:
        return sum(one.what.endswith("/permission") for one in scene.asked())

    scene.control.permit(SLUG, "bot", "read")
    assert [bool(scene.pulls.may_write(scene.repo)) for _ in range(2)] == [True, True]
    assert asked() == 2
    scene.control.permit(SLUG, "bot", "write")
    assert [scene.pulls.may_write(scene.repo) for _ in range(3)] == [None] * 3
    assert asked() == 3
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + YES_SECONDS)
    scene.control.permit(SLUG, "bot", "read")
    assert scene.pulls.may_write(scene.repo)
