"""`.planning/` files: what becomes work, what becomes a notice, and that nothing in them makes us fail."""

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
    phase_key,
    planning_findings,
    plans_done,
)
from ops_orchestrate.core.roadmap import depends_on

ROADMAP = """# Roadmap: Shop
## Milestones
- ✅ **v1.0 MVP** - Phases 1-2 (shipped 2026-01-01)
## Phases
- [x] **Phase 3: Tidy** - clean up (completed 2026-03-08)
- [ ] **Phase 4: Pay** - take money
- [ ] **Phase 4.1: Refund** - give it back
- [ ] **Phase 5: Report** - count it
## Phase Details
### Phase 3: Tidy
**Goal**: a clean base
**Depends on**: Nothing (first phase)
Plans:
- [x] 03-01-PLAN.md — sweep
### Phase 4: Pay
**Goal:** customers can pay
**Depends on**: Phase 3
**Success Criteria** (what must be TRUE):
  1. a card works
  2. a receipt is sent
**Plans**: 2 plans
Plans:
- [x] 04-01-PLAN.md — form
- [ ] 04-02-PLAN.md — receipt
### Phase 4.1: Refund (INSERTED)
**Depends on**: Phase 4
### Phase 5: Report
**Depends on**: Phase 4, Phase 4.1 (and independent of Phases 15–16)
## Progress
| Phase | Plans Complete | Status | Completed |
| 3. Tidy | 1/1 | Complete | 2026-03-08 |
| 4. Pay | 1/2 | In progress | - |
"""


def _findings(roadmap: str, state: str | None = None, plans: dict[str, tuple[int, int]] | None = None):
    parsed = parse_state(state) if state is not None else None
    return planning_findings("shop", "shop-1", parsed, parse_roadmap(roadmap), plans or {})


def _work(roadmap: str, state: str | None = None):
    return [one for one in _findings(roadmap, state) if one.kind is FindingKind.PHASE]


def _drift(roadmap: str, state: str | None = None, plans: dict[str, tuple[int, int]] | None = None) -> list[str]:
    return [one.title for one in _findings(roadmap, state, plans) if one.kind is FindingKind.STATE_DRIFT]


def test_open_phases_become_work_in_the_order_of_the_file() -> None:
    assert [one.title for one in _work(ROADMAP)] == ["Phase 4: Pay", "Phase 4.1: Refund", "Phase 5: Report"]


def test_a_phase_carries_its_goal_and_its_criteria() -> None:
    pay = _work(ROADMAP)[0]
    assert pay.detail == "customers can pay"
    assert pay.acceptance == ("a card works", "a receipt is sent")
    assert pay.source == "planning"
    assert pay.actionable


def test_a_phase_waits_for_open_phases_only() -> None:
    pay, refund, report = _work(ROADMAP)
    assert pay.blocked_by == ()  # phase 3 is done
    assert refund.blocked_by == (pay.fingerprint,)
    assert report.blocked_by == (pay.fingerprint, refund.fingerprint)


def test_fingerprints_do_not_depend_on_padding_or_wording() -> None:
    before = _work("- [ ] **Phase 3: Pay**\n")[0]
    after = _work("### Phase 03: Pay better\n**Goal**: more\n")[0]
    assert before.fingerprint == after.fingerprint
    assert before.cause != after.cause


@pytest.mark.parametrize(
    ("prose", "keys"),
    [
        ("Phase 1, Phase 2", ("1", "2")),
        ("Phases 1 and 2", ("1", "2")),
        ("Phase 03.1", ("3.1",)),
        ("Phase 14 (clean baseline — see Phase 3)", ("14",)),
        ("Nothing (independent of Phases 15–16; …)", ()),
        ("Nothing, although Phase 2 helps", ()),
        ("None", ()),
        ("", ()),
        ("the API team, 3 people", ()),
        ("Phase PROJ-42", ("PROJ-42",)),
    ],
)
def test_depends_on_is_prose(prose: str, keys: tuple[str, ...]) -> None:
    assert depends_on(prose) == keys


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("3", "03", True),
        ("03.1", "3.1", True),
        ("3.1", "3.10", False),
        ("2", "21", False),
        ("2.1", "21", False),
        ("2a", "2A", True),
        ("proj-42", "PROJ-042", True),
        ("Phase 05 (slug)", "5", True),
    ],
)
def test_phase_ids_ignore_zero_padding_and_nothing_else(one: str, other: str, same: bool) -> None:
    assert (phase_key(one) == phase_key(other)) is same


ADVERSARIAL = [
    pytest.param("```\n### Phase 1: Code\n```\n", [], id="fenced code"),
    pytest.param("````\n```\n### Phase 1: Code\n```\n### Phase 2: Still\n````\n", [], id="nested fences"),
    pytest.param("~~~\n```\n~~~\n### Phase 1: After\n", ["1"], id="a fence of another kind does not close"),
    pytest.param("``` not `a` fence\n### Phase 1: Yes\n", ["1"], id="backticks in the info string"),
    pytest.param("```\n### Phase 1: never closed", [], id="open fence"),
    pytest.param("<!--\n### Phase 1: Hidden\n-->\n### Phase 2: Seen\n", ["2"], id="comment"),
    pytest.param("<!-- a --> <!-- ### Phase 1: x\n--> \n### Phase 2: Seen", ["2"], id="two comments in a line"),
    pytest.param("### Phase 1: A\n<!-- never closed\n### Phase 2: B", ["1"], id="open comment"),
    pytest.param(
        "<details><summary>✅ v1.0 (shipped)</summary>\n### Phase 1: Old\n</details>\n### Phase 2: New\n",
        ["2"],
        id="shipped details",
    ),
    pytest.param(
        "<details>\n<summary>🚧 v1.1 in progress</summary>\n- [ ] **Phase 2: New**\n</details>\n",
        ["2"],
        id="the active milestone in details",
    ),
    pytest.param("## v1.0 ✅ SHIPPED\n### Phase 1: Old\n## v1.1\n### Phase 2: New\n", ["2"], id="shipped heading"),
    pytest.param("### Phase 1: A\n### Phase 1: B\n", ["1"], id="the same id twice"),
    pytest.param(
        "### Phase 2: a\n### Phase 2.1: b\n### Phase 2.10: c\n### Phase 21: d\n",
        ["2", "2.1", "2.10", "21"],
        id="prefix collisions",
    ),
    pytest.param("### Phase 1: 支払い 🚀\n", ["1"], id="unicode title"),
    pytest.param("### Phase 7: Prepare v2.0 release\n", ["7"], id="a version in the title"),
    pytest.param("### Phase 1: x\nEOF\n$(touch /tmp/owned)\n`id`\n### Phase 2: y", ["1", "2"], id="shell breakout"),
    pytest.param("## Phase Details\n## Phases\n", [], id="headings that are no phases"),
    pytest.param("##### Phase 1: too deep\n# Phase 2: too high\n", [], id="heading levels"),
    pytest.param("---\nfooter\n\n### Phase 9: Appended\n", ["9"], id="after a footer"),
    pytest.param("", [], id="empty"),
    pytest.param("\r\n".join(["### Phase 1: dos", "**Goal**: x", ""]), ["1"], id="dos line ends"),
]


@pytest.mark.parametrize(("text", "ids"), ADVERSARIAL)
def test_roadmaps_that_try_to_confuse(text: str, ids: list[str]) -> None:
    assert [phase.id for phase in parse_roadmap(text).phases] == ids


def test_of_two_headings_with_one_id_the_first_counts_and_it_is_said() -> None:
    text = "### Phase 1: First\n### Phase 01: Second\n"
    assert [one.title for one in _work(text)] == ["Phase 1: First"]
    assert _drift(text) == [".planning: phase 1 has two headings"]


def test_hidden_characters_of_a_title_are_gone() -> None:
    assert _work("### Phase 1: pay\u202eyap\u200b now\n")[0].title == "Phase 1: pay yap now"


@pytest.mark.parametrize(
    ("text", "work"),
    [
        ("- [x] **Phase 1: A**\n| 1. A | 0/3 | Not started | - |\n", 0),
        ("- [ ] **Phase 1: A**\n| 1. A | 3/3 | Complete | 2026-01-01 |\n", 1),
        ("### Phase 1: A\n| 1. A | 3/3 | Complete | 2026-01-01 |\n", 0),
        ("### Phase 1: A\n| Phase 1 | v1.1 | 0/3 | Not started | - |\n", 1),
        ("### Phase 1: A\n| 1. A | 0/3 | Deferred | - |\n", 0),
        ("### Phase 1: A ✅\n", 0),
    ],
)
def test_the_checkbox_wins_then_the_table(text: str, work: int) -> None:
    assert len(_work(text)) == work


def test_plans_with_summaries_decide_where_the_roadmap_is_silent() -> None:
    silent = parse_roadmap("### Phase 1: A\n")
    for plans, count in (({"1": (2, 2)}, 0), ({"1": (1, 2)}, 1), ({"1": (0, 0)}, 1), ({}, 1)):
        assert len(planning_findings("p", "k", None, silent, plans)) == count


@pytest.mark.parametrize(
    "words",
    [
        "HUMAN_APPROVAL",
        "human-verify",
        "human_needed",
        "MANUAL_UAT",
        "awaiting checkpoint",
        "checkpoint:human-verify",
    ],
)
def test_human_gates_are_named_and_not_dispatched(words: str) -> None:
    gated = _work(f"### Phase 1: A\n**Goal**: x\n- [ ] 01-03-PLAN.md — T12 ({words})\n### Phase 2: B\n")
    assert gated[0].human and words.split(":", maxsplit=1)[0].lower() in gated[0].human.lower()
    assert gated[1].human is None


def test_a_human_gate_in_the_state_holds_for_the_current_phase() -> None:
    state = "**Fase ativa:** 03.1 — Pagamentos\n**Status:** `in_progress` AGUARDANDO T12 (HUMAN_APPROVAL)\n"
    first, second = _work("### Phase 3.1: A\n### Phase 4: B\n", state)
    assert first.human == "The roadmap asks for a person: HUMAN_APPROVAL."
    assert second.human is None


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
    assert any(note in title for title in _drift(roadmap, state, plans))


def test_dependencies_on_a_shipped_milestone_are_no_contradiction() -> None:
    shipped = "<details><summary>✅ v1</summary>\n### Phase 1: A\n</details>\n"
    text = shipped + "### Phase 2: B\n**Depends on**: Phase 1\n"
    assert _drift(text) == []
    assert _work(text)[0].blocked_by == ()


def test_a_clean_project_has_no_notices() -> None:
    counts = "progress:\n  total_phases: 4\n  completed_phases: 1\n"
    state = f'---\nstatus: executing\ncurrent_phase: "4"\n{counts}---\nPhase: 4 of 4 (Pay)\n'
    assert _drift(ROADMAP, state) == []


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


@pytest.mark.parametrize(
    ("paths", "done"),
    [
        ([], {}),
        ([".planning/phases/02-glossary/02-01-PLAN.md"], {"2": (0, 1)}),
        ([".planning/phases/02-x/02-01-PLAN.md", ".planning/phases/02-x/02-01-SUMMARY.md"], {"2": (1, 1)}),
        ([".planning/phases/02.1-x/02.1-01-PLAN.md", ".planning/phases/02-x/02-01-SUMMARY.md"], {"2.1": (0, 1)}),
        ([".planning/phases/03-x/NOTES.md", "docs/01-PLAN.md"], {}),
    ],
)
def test_plans_with_a_summary_are_done(paths: list[str], done: dict[str, tuple[int, int]]) -> None:
    assert plans_done(paths) == {phase_key(key): value for key, value in done.items()}
