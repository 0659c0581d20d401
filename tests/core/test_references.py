"""Ids of tasks, and what a blocker's name may mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.finding import FindingKind
from ops_orchestrate.core.graph import find_cycle
from ops_orchestrate.core.names import is_name
from ops_orchestrate.core.references import References, name_tasks, resolve
from ops_orchestrate.core.task import Priority
from ops_orchestrate.core.triage import Work, own
from ops_orchestrate.errors import PlanError
from tests.builders import make_finding


def work(fingerprint: str = "0123456789abcdef", **kw: Any) -> Work:
    """A piece of work around one finding."""
    finding = make_finding(fingerprint, **kw)
    claims = ((fingerprint, finding.cause),)
    return Work(finding, ("s",), Priority.P2, "P2", claims, (), *own(finding))


def phase(fingerprint: str, *blockers: str, project: str = "app") -> Work:
    """A phase of a roadmap."""
    return work(fingerprint, kind=FindingKind.PHASE, blocked_by=blockers, project=project, source="planning")


def resolved(*works: Work) -> References:
    """The references of these pieces, under the ids they get."""
    return resolve(works, name_tasks(works))


def test_a_chosen_id_is_kept_and_others_are_made() -> None:
    works = [
        work("aaaaaaaaaaaaaaaa", task_id="fix-login"),
        work("bbbbbbbbbbbbbbbb", task_id="../evil"),
        work("cccccccccccccccc", kind=FindingKind.RED_BASELINE, project="My App"),
    ]
    assert name_tasks(works) == ["fix-login", "app-requested-bbbbbb", "my-app-red-baseline-cccccc"]


def test_ids_that_differ_in_case_alone_are_the_same_folder() -> None:
    works = [work("a" * 16, task_id="Fix"), work("b" * 16, task_id="fix")]
    assert name_tasks(works) == ["Fix", f"app-requested-{'b' * 6}"]


def test_fingerprints_that_begin_alike_get_longer_ids() -> None:
    works = [work("abcdef0000000000"), work("abcdef1111111111"), work("abcdef1111111111", project="APP")]
    assert name_tasks(works) == [
        "app-requested-abcdef",
        "app-requested-abcdef1111111111",
        "app-requested-abcdef1111111111-2",
    ]


@given(st.lists(st.tuples(st.text(max_size=5), st.sampled_from(["a", "A", "b", "..", "", "x y"])), max_size=8))
def test_every_id_is_a_name_and_no_two_are_alike(raw: list[tuple[str, str]]) -> None:
    ids = name_tasks([work(fp, task_id=chosen) for fp, chosen in raw])
    assert all(is_name(one) for one in ids)
    assert len({one.casefold() for one in ids}) == len(raw)


@pytest.mark.parametrize("name", ["api-types", "Bump the   types", "aaaaaaaaaaaaaaaa"])
def test_a_person_names_a_blocker_by_id_title_or_fingerprint(name: str) -> None:
    found = resolved(
        work("a" * 16, task_id="api-types", title="bump the types", project="api"),
        work("b" * 16, task_id="use-types", blocked_by=(name,)),
    )
    assert found.blocked_by == {"api-types": (), "use-types": ("api-types",)}


def test_a_fingerprint_means_the_own_projects_task_first() -> None:
    found = resolved(
        work("a" * 16, task_id="theirs", project="api"),
        work("a" * 16, task_id="ours"),
        work("b" * 16, task_id="use", blocked_by=("a" * 16,)),
    )
    assert found.blocked_by["use"] == ("ours",)


def test_an_id_goes_before_a_title_that_looks_like_it() -> None:
    found = resolved(
        work("a" * 16, task_id="one"),
        work("b" * 16, task_id="two", title="one"),
        work("c" * 16, task_id="three", blocked_by=("one",)),
    )
    assert found.blocked_by["three"] == ("one",)


def test_a_title_that_two_tasks_have_is_refused() -> None:
    with pytest.raises(PlanError, match='"Same", which 2 tasks are called: one, two'):
        resolved(
            work("a" * 16, task_id="one", title="same"),
            work("b" * 16, task_id="two", title="Same"),
            work("c" * 16, task_id="three", blocked_by=("Same",)),
        )


def test_a_persons_unknown_blocker_stays_for_the_graph_to_refuse() -> None:
    assert resolved(work(task_id="one", blocked_by=("nobody",))).blocked_by == {"one": ("nobody",)}


def test_a_project_that_consumes_another_does_not_wait_for_it() -> None:
    found = resolved(work("a" * 16, task_id="api", project="api"), work("b" * 16, task_id="web", project="web"))
    assert not any(found.blocked_by.values())


def test_a_roadmap_names_fingerprints_of_its_own_project_and_nothing_else() -> None:
    found = resolved(
        work("d" * 16, task_id="fix-login", title="Fix"),
        phase("a" * 16),
        phase("b" * 16, "a" * 16, "fix-login", "Fix"),
        phase("c" * 16, "a" * 16, project="web"),
    )
    assert found.blocked_by["app-phase-bbbbbb"] == ("app-phase-aaaaaa",)
    assert found.blocked_by["web-phase-cccccc"] == ()
    assert [note.project for note in found.notes] == ["app", "app", "web"]
    assert all(note.kind is FindingKind.NOTICE and not note.actionable for note in found.notes)


def issue(number: int, *blockers: str, **kw: Any) -> Work:
    """An issue of GitHub, with its own name."""
    name = f"github:acme/app#{number}"
    return work(
        f"{number}" * 16, kind=FindingKind.ISSUE, names=(name,), blocked_by=blockers, title=f"issue {number}", **kw
    )


def test_a_source_names_a_blocker_by_name_in_whatever_project_it_is() -> None:
    found = resolved(
        issue(1, "LINEAR:eng-7", "github:acme/web#9", project="web"),
        work("a" * 16, kind=FindingKind.TICKET, names=("linear:ENG-7", "sentry:A-1"), task_id="ticket"),
    )
    assert found.blocked_by["web-issue-111111"] == ("ticket",)
    assert ["github:acme/web#9" in note.title for note in found.notes] == [True]


def test_a_name_that_two_tasks_have_means_both() -> None:
    found = resolved(issue(1, task_id="a"), issue(1, task_id="b", project="web"), issue(2, "github:acme/app#1"))
    assert found.blocked_by["app-issue-222222"] == ("a", "b")


def test_a_person_names_a_blocker_as_its_source_does() -> None:
    found = resolved(issue(1), work("b" * 16, task_id="mine", blocked_by=("github:acme/app#1",)))
    assert found.blocked_by["mine"] == ("app-issue-111111",)


def test_what_a_source_gets_wrong_about_a_persons_task_is_a_note() -> None:
    asked = work("b" * 16, task_id="mine", blocked_by=("one",), names=("github:acme/app#2",))._replace(
        waits_for=("github:acme/app#1", "github:gone/gone#1", "github:acme/app#2")
    )
    found = resolved(issue(1), work("c" * 16, task_id="one"), asked)
    assert found.blocked_by["mine"] == ("one", "app-issue-111111")
    assert ["github:gone/gone#1" in note.title for note in found.notes] == [True]


def test_every_fingerprint_of_merged_work_names_it() -> None:
    merged = work("a" * 16, task_id="merged")._replace(claims=(("a" * 16, ""), ("b" * 16, "")))
    assert resolved(merged, phase("c" * 16, "b" * 16)).blocked_by["app-phase-cccccc"] == ("merged",)


def test_a_circle_that_a_source_closes_is_opened_and_the_persons_edge_stays() -> None:
    found = resolved(
        work("a" * 16, task_id="mine", blocked_by=("github:acme/app#1",), names=("linear:ENG-7",)),
        issue(1, "linear:ENG-7"),
    )
    assert found.blocked_by == {"mine": ("app-issue-111111",), "app-issue-111111": ()}
    assert set(found.knotted) == {"app-issue-111111"}


def test_a_circle_that_a_person_wrote_is_left_for_the_graph_to_refuse() -> None:
    found = resolved(work("a" * 16, task_id="a", blocked_by=("b",)), work("b" * 16, task_id="b", blocked_by=("a",)))
    assert find_cycle(found.blocked_by)
    assert not found.knotted


def test_a_roadmap_that_goes_in_circles_spoils_its_own_phases_only() -> None:
    found = resolved(
        phase("a" * 16, "b" * 16),
        phase("b" * 16, "a" * 16),
        phase("c" * 16, "b" * 16),
        phase("d" * 16),
    )
    assert set(found.knotted) == {"app-phase-aaaaaa", "app-phase-bbbbbb"}
    assert "app-phase-aaaaaa waits for app-phase-bbbbbb" in found.knotted["app-phase-aaaaaa"]
    assert not find_cycle(found.blocked_by)
    assert found.blocked_by["app-phase-cccccc"] == ("app-phase-bbbbbb",)
