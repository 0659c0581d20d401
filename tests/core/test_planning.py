"""`.planning/` as a whole: states, contradictions that are only noticed, and that nothing in them makes us fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.finding import FindingKind
from ops_orchestrate.core.planning import (
    PlanningState,
    Roadmap,
    parse_roadmap,
    parse_state,
    planning_findings,
)
from tests.core.roadmaps import ROADMAP, drift_in, work_in


@pytest.mark.parametrize(
    ("roadmap", "state", "plans", "note"),
    [
        (
            "### Phase 1: A\n",
            "Phase: 7 of 9 (X)\n",
            {},
            "STATE.md is at phase 7, which ROADMAP.md does not list",
        ),
        ("- [x] **Phase 1: A**\n", "Phase: 1\nStatus: In progress\n", {}, "which ROADMAP.md calls done"),
        (
            "- [ ] **Phase 5: A**\n",
            None,
            {"5": (3, 3)},
            "open in ROADMAP.md, but all 3 of its plans have a summary",
        ),
        ("- [x] **Phase 5: A**\n", None, {"5": (1, 3)}, "only 1 of 3 plans have a summary"),
        ("- [x] **Phase 1: A**\n| 1. A | 0/3 | Not started | - |\n", None, {}, "its progress says otherwise"),
        (
            "### Phase 2: A\n**Depends on**: Phase 1\n",
            None,
            {},
            "depends on phase 1, which ROADMAP.md does not list",
        ),
        ("", '---\ncurrent_phase: "4"\n---\nPhase: 3 of 5 (X)\n', {}, "phase 4 in its header and phase 3"),
        (
            "",
            "---\nprogress:\n  total_phases: 6\n  completed_phases: 4\n  percent: 100\n---\n",
            {},
            "100 percent",
        ),
    ],
)
def test_contradictions_are_notices_not_truth(roadmap: str, state: str | None, plans, note: str) -> None:
    assert any(note in title for title in drift_in(roadmap, state, plans))


def test_dependencies_on_a_shipped_milestone_are_no_contradiction() -> None:
    shipped = "<details><summary>✅ v1</summary>\n### Phase 1: A\n</details>\n"
    text = shipped + "### Phase 2: B\n**Depends on**: Phase 1\n"
    assert drift_in(text) == []
    assert work_in(text)[0].blocked_by == ()


def test_a_clean_project_has_no_notices() -> None:
    counts = "progress:\n  total_phases: 4\n  completed_phases: 1\n"
    state = f'---\nstatus: executing\ncurrent_phase: "4"\n{counts}---\nPhase: 4 of 4 (Pay)\n'
    assert drift_in(ROADMAP, state) == []


@pytest.mark.parametrize(
    ("text", "status", "phase"),
    [
        ("---\nstatus: executing\n---\n# Project State\nPhase: 2 of 3 (Stabilize)\n", "executing", "2"),
        ("Phase: 6 of 6 (Chores and Fixes)\nStatus: Ready to plan\n", "planning", "6"),
        ("---\nstatus: in_progress\n---\n", "executing", ""),
        ("- **Phase:** 14\n- **Name:** x\n- **Status:** Planned\n", "Planned".lower(), "14"),
        ("Phase: 05 (slug) — EXECUTING\n**Phase:** 1, 2, 3 complete\n", "unknown", "5"),
        ("**Phase:** 05-polish-distribution (in-progress)\n", "unknown", "5"),
        ("## Current Phase\n\nPhase 36: Memory\n", "unknown", "36"),
        ("- **Active Phase:** 01 — Login\n- **Status:** In progress\n", "executing", "1"),
        ("- **current_phase:** complete\n- **progress:** 100%\n", "unknown", ""),
        ("---\nstatus: executing\npaused_at: 2026-01-01\n---\n", "paused", ""),
        ("---\nstatus: v1.0 milestone complete\n---\n", "completed", ""),
        ("---\nstatus: &a [*a\n---\nPhase: 3\n", "&a [*a", "3"),
        ("Current Phase\n", "unknown", ""),
        ("```\nPhase: 9\n```\nPhase: 2\n", "unknown", "2"),
        ("\ufeff---\r\nstatus: verifying\r\n---\r\n", "verifying", ""),
        ("", "unknown", ""),
    ],
)
def test_states_met_in_the_field(text: str, status: str, phase: str) -> None:
    state = parse_state(text)
    assert (state.status, state.phase) == (status, phase)


def test_blockers_are_listed_and_none_is_not_one() -> None:
    assert parse_state("### Blockers/Concerns\n- wait for keys\n- DNS\n## Next\n- no\n").blockers == (
        "wait for keys",
        "DNS",
    )
    assert parse_state("## Blockers\nNone yet.\n").blockers == ()


def test_a_subordinate_project_is_known_as_one() -> None:
    assert parse_state("---\nstatus: subordinate_to_workspace\n---\n").subordinate


def test_a_project_without_a_roadmap_only_has_notices() -> None:
    state = parse_state("---\nprogress:\n  total_phases: 2\n  completed_phases: 3\n---\n")
    found = planning_findings("p", "k", state, None, {})
    assert [one.title for one in found] == [".planning: STATE.md counts 3 of 2 phases done"]
    assert planning_findings("p", "k", None, None, {}) == ()


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    ["# a" + " " * 900_000 + "x", "| 1 " * 200_000, "**" * 500_000, "Phase 1, " * 100_000, "<!--" * 250_000],
    ids=["spaces", "cells", "stars", "references", "comments"],
)
def test_a_hostile_megabyte_takes_no_time(text: str) -> None:
    assert isinstance(parse_roadmap(text + "\n**Depends on**: " + text), Roadmap)
    assert isinstance(parse_state("---\n" + text + "\n---\n" + text), PlanningState)


PIECES = st.sampled_from(
    ["### Phase 1: a", "- [ ] **Phase 2: b**", "```", "~~~", "<!--", "-->", "<details>", "</details>", "---",
     "<summary>✅ x</summary>", "**Depends on**: Phase 1", "| 1. a | x | Complete |", "Phase: 1 of 2",
     "status: {", "progress:", "  total_phases: 3", "!!timestamp x", "&a *a", "## Blockers", "\x00", "\ud800"]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=20))).map("\n".join)))
def test_law_planning_files_never_make_us_fail(text: str) -> None:
    state, roadmap = parse_state("---\n" + text), parse_roadmap(text)
    parse_state(text)
    found = planning_findings("p", "k", state, roadmap, {})
    work = {one.fingerprint for one in found if one.kind is FindingKind.PHASE}
    assert len(work) == len([one for one in found if one.kind is FindingKind.PHASE])
    for one in found:
        assert set(one.blocked_by) <= work - {one.fingerprint}
        assert one.title.isprintable()
