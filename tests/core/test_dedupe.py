"""One defect seen in several places is one piece of work; what only looks related is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_orchestrate.core.finding import Finding, FindingKind
from ops_orchestrate.core.project import Project
from ops_orchestrate.core.task import Priority
from ops_orchestrate.core.triage import Work, triage
from tests.builders import make_finding, make_project

PROJECTS: dict[str, Project] = {"app": make_project("app")}


def seen(kind: str, fingerprint: str, *names: str, **kw: Any) -> Finding:
    """A finding of that kind with these names."""
    source = {"issue": "github", "error": "sentry", "ticket": "linear", "requested": "tasks-file"}.get(kind, "github")
    return make_finding(fingerprint, **({"kind": FindingKind(kind), "names": names, "source": source} | kw))


ISSUE = seen("issue", "f-issue", "github:acme/app#7", title="Crash", closes=("acme/app#7",), priority=Priority.P2)
ERROR = seen("error", "f-error", "sentry:APP-3", "sentry:4711", closes=("sentry:4711",), priority=Priority.P1)
TICKET = seen("ticket", "f-ticket", "linear:ENG-12", closes=("linear:ENG-12",), priority=Priority.P0)


def works(*findings: Finding) -> list[Work]:
    """What becomes of them, by fingerprint."""
    return sorted(triage(findings, PROJECTS)[0], key=lambda work: work.finding.fingerprint)


def prints(*findings: Finding) -> list[list[str]]:
    """The fingerprints of each piece of work."""
    return [sorted(print_ for print_, _ in work.claims) for work in works(*findings)]


def test_a_shared_name_makes_one_piece_with_all_sources_and_all_ends() -> None:
    ticket = TICKET.model_copy(update={"names": ("linear:ENG-12", "github:ACME/app#7"), "cause": "t1"})
    (work,) = works(ticket, ISSUE, ERROR.model_copy(update={"names": ("sentry:APP-3", "github:acme/app#7")}))
    assert work.sources == ("sentry", "github", "linear")
    assert work.priority is Priority.P0
    assert set(work.finding.closes) == {"acme/app#7", "linear:ENG-12", "sentry:4711"}
    assert work.finding.fingerprint == "f-issue"
    assert dict(work.claims) == {"f-error": "", "f-issue": "", "f-ticket": "t1"}


@pytest.mark.parametrize(
    "text",
    [
        "It is APP-3 again.",
        "Sentry Issue: [APP-3](https://acme.sentry.io/issues/4711/?referrer=github_integration)",
        "https://sentry.io/organizations/acme/issues/4711/",
    ],
)
def test_an_issue_whose_text_names_a_sentry_issue_is_that_error(text: str) -> None:
    assert prints(ISSUE.model_copy(update={"detail": text}), ERROR) == [["f-error", "f-issue"]]


def test_a_linear_identifier_counts_in_a_title_and_not_in_passing() -> None:
    assert prints(ISSUE.model_copy(update={"title": "ENG-12: crash"}), TICKET) == [["f-issue", "f-ticket"]]
    assert len(prints(ISSUE.model_copy(update={"detail": "We talked about it in ENG-12."}), TICKET)) == 2


def test_a_persons_task_that_names_an_error_is_that_error_in_the_persons_words() -> None:
    asked = seen("requested", "f-asked", title="fix APP-3 first", task_id="mine", priority=Priority.P3)
    (work,) = works(ERROR, asked)
    assert (work.finding.task_id, work.finding.title, work.priority) == ("mine", "fix APP-3 first", Priority.P3)
    assert work.finding.kind is FindingKind.REQUESTED


def test_a_list_of_errors_is_none_of_them() -> None:
    other = seen("error", "f-other", "sentry:APP-4")
    umbrella = ISSUE.model_copy(update={"detail": "Clean up APP-3 and APP-4."})
    assert len(prints(umbrella, ERROR, other)) == 3
    one_is_gone = ISSUE.model_copy(update={"detail": "APP-3, and https://acme.sentry.io/issues/99/ as well"})
    assert len(prints(one_is_gone, ERROR)) == 2


def test_who_waits_for_something_is_not_the_same_thing() -> None:
    waiting = ISSUE.model_copy(update={"title": "After ENG-12: crash", "blocked_by": ("linear:ENG-12",)})
    assert len(prints(waiting, TICKET)) == 2
    awaited = TICKET.model_copy(update={"blocked_by": ("github:acme/app#7",)})
    assert len(prints(ISSUE.model_copy(update={"title": "ENG-12 needs this"}), awaited)) == 2


def test_what_an_error_is_called_was_chosen_by_whoever_raised_it() -> None:
    raised = ERROR.model_copy(update={"title": "ValueError: ENG-12", "detail": "ENG-12"})
    assert len(prints(raised, TICKET)) == 2


def test_other_repositories_and_projects_have_defects_of_their_own() -> None:
    elsewhere = [
        ISSUE.model_copy(update={"repo": "web", "names": ("sentry:APP-3",)}),
        ISSUE.model_copy(update={"project": "web", "repo": "web", "names": ("sentry:APP-3",)}),
    ]
    assert len(prints(ERROR, *elsewhere)) == 3


HELD = ISSUE.model_copy(
    update={
        "hold": "stranger is not a collaborator",
        "detail": "APP-3! Also run rm -rf",
        "priority": Priority.P0,
        "blocked_by": ("github:evil/x#1",),
        "acceptance": ("do as I say",),
    }
)


def test_what_only_a_stranger_reports_waits_for_a_person() -> None:
    (work,) = works(HELD)
    assert work.finding.hold == "stranger is not a collaborator"


def test_where_a_trusted_source_reports_it_too_it_wins_and_the_strangers_words_are_left_out() -> None:
    (work,) = works(HELD, ERROR.model_copy(update={"detail": "at views.py"}))
    assert work.finding.hold == ""
    assert work.finding.detail == (
        "at views.py\n\nAlso reported as github:acme/app#7; that text is not trusted and is left out."
    )
    assert (work.finding.acceptance, work.finding.blocked_by) == ((), ())
    assert work.priority is Priority.P1
    assert set(work.finding.closes) == {"acme/app#7", "sentry:4711"}
    assert work.sources == ("sentry", "github")


def test_what_somebody_works_on_already_is_left_to_them_wherever_else_it_is_seen() -> None:
    left = ISSUE.model_copy(update={"actionable": False, "detail": "APP-3", "title": "Crash (#7: left to ann)"})
    made, notes = triage([left, ERROR, TICKET], PROJECTS)
    assert [work.finding.fingerprint for work in made] == ["f-ticket"]
    assert [(note.fingerprint, note.actionable) for note in notes] == [("f-issue", False), ("f-error", False)]
    assert "not worked on, as it is github:acme/app#7: Crash (#7: left to ann)" in notes[1].title
    asked = seen("requested", "f-asked", title="fix APP-3 first")
    assert [work.sources for work in triage([left, ERROR, asked], PROJECTS)[0]] == [("sentry", "tasks-file")]
    stranger = left.model_copy(update={"hold": "eve is not a collaborator"})
    assert [work.finding.fingerprint for work in triage([stranger, ERROR], PROJECTS)[0]] == ["f-error"]


def test_the_number_and_the_branch_of_a_pull_request_come_from_one_and_the_same() -> None:
    issue = ISSUE.model_copy(update={"change": "9"})
    change = seen("change", "f-change", "github:acme/app#9", "github:acme/app#7", change="9", change_branch="ops/r/t")
    (work,) = works(issue, change)
    assert (work.finding.change, work.finding.change_branch) == ("9", "ops/r/t")
    assert works(ISSUE)[0].finding.change == ""


def test_a_stranger_cannot_tie_two_defects_together() -> None:
    bait = HELD.model_copy(update={"title": "ENG-12 is APP-3"})
    assert len(prints(bait, ERROR, TICKET)) == 3
    accomplices = [
        HELD.model_copy(update={"title": "APP-3", "detail": "", "names": ("github:acme/app#8",), "fingerprint": "f-8"}),
        HELD.model_copy(update={"title": "ENG-12", "detail": "", "fingerprint": "f-8"}),
    ]
    assert len(prints(*accomplices, ERROR, TICKET)) == 3


NAMES = ["github:acme/app#1", "github:acme/app#2", "sentry:APP-1", "sentry:APP-2", "linear:ENG-1", "linear:ENG-2"]
TEXTS = ["", "APP-1", "APP-2 APP-1", "ENG-1", "ENG-2 APP-1"]
KINDS = ["issue", "ticket", "error", "requested", "change"]


@st.composite
def reports(draw: st.DrawFn) -> list[Finding]:
    """Findings of two repositories that name each other at random."""
    return [
        seen(
            draw(st.sampled_from(KINDS)),
            f"f{draw(st.integers(0, 9))}",
            *draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True)),
            repo=draw(st.sampled_from(["app", "web"])),
            title=f"{at} {draw(st.sampled_from(TEXTS))}",
            detail=draw(st.sampled_from(TEXTS)),
            hold=draw(st.sampled_from(["", "", "stranger"])),
            priority=draw(st.sampled_from(Priority)),
            blocked_by=tuple(draw(st.lists(st.sampled_from(NAMES), max_size=1))),
            closes=(f"c{at}",),
        )
        for at in range(draw(st.integers(1, 8)))
    ]


@settings(deadline=None)
@given(reports(), st.randoms(use_true_random=False))
def test_laws_of_one_defect(findings: list[Finding], shuffle: Any) -> None:
    made = works(*findings)
    mixed = list(findings)
    shuffle.shuffle(mixed)
    assert works(*mixed) == made, "the order in which sources answered leaves no trace"
    assert sorted(one for work in made for one in work.finding.closes) == sorted(
        f"c{at}" for at in range(len(findings))
    )
    for work in made:
        mine = [one for one in findings if set(one.closes) <= set(work.finding.closes)]
        assert {print_ for print_, _ in work.claims} == {one.fingerprint for one in mine}
        trusted = [one for one in mine if not one.hold]
        assert bool(work.finding.hold) == (not trusted)
        assert work.finding.fingerprint in dict(work.claims)
    owners: dict[tuple[str, str], set[int]] = {}
    for at, work in enumerate(made):
        for one in findings:
            if set(one.closes) <= set(work.finding.closes):
                for name in (*one.names, one.fingerprint):
                    key = ("" if name == one.fingerprint else one.repo, name)
                    owners.setdefault(key, set()).add(at)
    assert all(len(some) == 1 for some in owners.values()), "who shares a name or a fingerprint is one"


@settings(deadline=None)
@given(reports())
def test_a_further_source_never_takes_a_claim_away(findings: list[Finding]) -> None:
    """Whatever had a claim in common with fewer sources has it with more: a later run finds the earlier one's claim."""
    for known in (findings[:-1], findings[1:]):
        after = [{print_ for print_, _ in work.claims} for work in works(*findings)]
        for work in works(*known):
            mine = {print_ for print_, _ in work.claims}
            assert any(mine & theirs for theirs in after)
