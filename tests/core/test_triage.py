"""Findings become work: one piece a defect, its priority, its label; what is only reported stays a note."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.finding import Finding, FindingKind
from ops_orchestrate.core.task import Priority
from ops_orchestrate.core.triage import fingerprint, label_of, priority_of, triage
from tests.builders import make_finding, make_project

PROJECTS = {"app": make_project("app", stage="growth")}


def test_a_fingerprint_is_short_stable_and_knows_where_one_part_ends() -> None:
    assert fingerprint("phase", "app", "app", "2") == fingerprint(FindingKind.PHASE, "app", "app", "2")
    assert fingerprint("phase", "app", "app", "2") == "575f4e1089de8fdf"
    assert fingerprint("k", "p", "r", "ab", "c") != fingerprint("k", "p", "r", "a", "bc")
    assert fingerprint("k", "p", "r") != fingerprint("k", "p", "r", "")


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_different_parts_have_different_fingerprints(one: list[str], other: list[str]) -> None:
    same = fingerprint("k", "p", "r", *one) == fingerprint("k", "p", "r", *other)
    assert same == (one == other)
    assert len(fingerprint("k", "p", "r", *one)) == 16


def test_one_defect_from_three_sources_is_one_piece_of_work() -> None:
    works, notes = triage(
        [
            make_finding(
                "d", kind=FindingKind.PHASE, source="linear", detail="from linear", priority="P2", paths=("a",)
            ),
            make_finding(
                "d", kind=FindingKind.PHASE, source="sentry", detail="from sentry", priority="P1", paths=("b",)
            ),
            make_finding(
                "d", kind=FindingKind.PHASE, source="github", detail="from sentry ", acceptance=("x",), paths=("a",)
            ),
        ],
        PROJECTS,
    )
    (work,) = works
    assert not notes
    assert work.sources == ("github", "linear", "sentry")
    assert work.priority is Priority.P1
    assert work.finding.detail == "from sentry\n\nfrom linear"
    assert work.finding.acceptance == ("x",)
    assert work.finding.paths == ("a", "b")


def test_one_source_without_paths_makes_the_task_own_the_repository() -> None:
    works, _ = triage([make_finding("d", source="a", paths=("x",)), make_finding("d", source="b")], PROJECTS)
    assert works[0].finding.paths == ()


def test_a_persons_priority_wins_and_their_words_come_first() -> None:
    works, _ = triage(
        [
            make_finding("d", kind=FindingKind.PHASE, priority="P0", title="Machine's", source="a"),
            make_finding("d", priority="P3", title="Person's", task_id="mine", source="z"),
        ],
        PROJECTS,
    )
    assert (works[0].priority, works[0].finding.title, works[0].finding.task_id) == ("P3", "Person's", "mine")


def test_a_person_without_a_priority_leaves_it_to_the_sources() -> None:
    works, _ = triage(
        [make_finding("d", kind=FindingKind.PHASE, priority="P0", source="a"), make_finding("d")], PROJECTS
    )
    assert works[0].priority is Priority.P0


def test_the_same_fingerprint_in_two_projects_is_two_pieces() -> None:
    works, _ = triage([make_finding("d", project="app"), make_finding("d", project="web")], PROJECTS)
    assert [work.finding.project for work in works] == ["app", "web"]


@pytest.mark.parametrize("kind", ["uncommitted", "unpushed", "state-drift", "notice"])
def test_what_is_the_users_own_is_a_note_whatever_a_source_claims(kind: str) -> None:
    finding = make_finding("d", kind=FindingKind(kind), actionable=True)
    assert triage([finding, finding], PROJECTS) == ([], (finding,))


def test_what_is_not_actionable_is_a_note() -> None:
    finding = make_finding("d", actionable=False)
    assert triage([finding], PROJECTS) == ([], (finding,))


@pytest.mark.parametrize(
    ("fields", "stage", "priority"),
    [
        ({"kind": "requested", "priority": "P3"}, "production", "P3"),
        ({"kind": "requested", "label": "P1-revenue"}, None, "P1"),
        ({"kind": "requested", "label": "p0"}, None, "P0"),
        ({"kind": "requested", "label": "soon"}, None, "P2"),
        ({"kind": "requested", "label": "P9-x"}, None, "P2"),
        ({"kind": "requested"}, "production", "P2"),
        ({"kind": "red-baseline"}, None, "P1"),
        ({"kind": "red-baseline"}, "growth", "P1"),
        ({"kind": "red-baseline"}, "production", "P0"),
        ({"kind": "red-baseline", "priority": "P2"}, "production", "P2"),
        ({"kind": "phase"}, "production", "P2"),
    ],
)
def test_the_priority_of_a_finding(fields: dict[str, str], stage: str | None, priority: str) -> None:
    assert priority_of(make_finding("d", **fields), stage) == priority


@pytest.mark.parametrize(
    ("priority", "label", "stage", "expected"),
    [
        ("P1", "P1-revenue", None, "P1-revenue"),
        ("P3", "P1-revenue", None, "P3-revenue"),
        ("P2", "tech debt", None, "P2-tech-debt"),
        ("P1", "P1", "growth", "P1"),
        ("P1", None, "growth", "P1-revenue"),
        ("P0", None, "production", "P0-revenue"),
        ("P2", None, "growth", "P2"),
        ("P1", None, "pre-launch", "P1"),
        ("P1", None, None, "P1"),
        ("P2", "x\x1b[31m; rm -rf /", None, "P2-x-31m-rm-rf"),
    ],
)
def test_the_label_has_the_seeds_form(priority: str, label: str | None, stage: str | None, expected: str) -> None:
    assert label_of(Priority(priority), label, stage) == expected


def test_text_from_outside_is_cleaned() -> None:
    works, _ = triage(
        [make_finding("d", title="a\n\x1b[2Jb\u202e  c", detail="x\x00y\nz", acceptance=("a\nb",), human="ask\nme")], {}
    )
    finding = works[0].finding
    assert (finding.title, finding.detail, finding.acceptance, finding.human) == (
        "a [2Jb c",
        "xy\nz",
        ("a b",),
        "ask me",
    )


MIXED = [
    make_finding(f"d{i % 3}", source=f"s{i % 4}", detail=f"text {i}", priority=f"P{i % 4}", cause=str(i), kind="phase")
    for i in range(8)
]


NAMED = {"names": ("github:o/r#1",), "kind": "issue"}
LEFT = [
    *(make_finding(f"l{i}", **NAMED, actionable=i == 1, title=f"{i}") for i in range(3)),
    *(make_finding(f"u{i}", kind="unpushed") for i in range(2)),
    make_finding("k", kind="issue", names=("github:o/r#2",), actionable=False),
]


@given(st.permutations(MIXED + LEFT))
def test_the_order_of_the_findings_decides_nothing_but_that_of_the_work(findings: list[Finding]) -> None:
    works, notes = triage(findings, PROJECTS)
    reference, noted = triage(sorted(findings, key=lambda one: one.detail), PROJECTS)
    assert sorted(works, key=lambda work: work.finding.fingerprint) == reference
    assert [work.finding.fingerprint for work in reference] == ["d0", "d1", "d2"]
    assert notes == noted
    assert [note.fingerprint for note in notes] == ["u0", "u1", "k", "l0", "l2", "l1"]


TEXT = st.text(st.sampled_from("ab \n\tü\x1b"), max_size=8)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)


@given(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from([FindingKind.REQUESTED, FindingKind.ISSUE, FindingKind.PHASE]),
            "title": TEXT,
            "detail": TEXT,
            "acceptance": TEXTS,
            "paths": TEXTS,
            "blocked_by": TEXTS,
            "names": st.lists(st.sampled_from(["github:o/r#1", "sentry:A-1"]), max_size=3).map(tuple),
            "human": st.none() | TEXT,
            "hold": TEXT,
            "cause": TEXT,
            "change": st.sampled_from(["", "7"]),
            "change_branch": st.sampled_from(["", "ops/x"]),
            "closes": TEXTS,
            "priority": st.sampled_from([None, Priority.P0]),
            "label": st.sampled_from([None, "", "P1-revenue", "odd"]),
        }
    )
)
def test_a_defect_that_is_noticed_twice_in_the_same_words_is_the_same_work(fields: dict[str, object]) -> None:
    once = make_finding("d", **fields)
    assert triage([once], PROJECTS) == triage([once, once], PROJECTS)
