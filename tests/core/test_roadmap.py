"""ROADMAP.md: which phases become work, and which wait for others or for a person."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.planning import (
    parse_roadmap,
    phase_key,
    planning_findings,
    plans_done,
)
from ops_orchestrate.core.roadmap import depends_on
from tests.core.roadmaps import ROADMAP, drift_in, work_in


def test_open_phases_become_work_in_the_order_of_the_file() -> None:
    assert [one.title for one in work_in(ROADMAP)] == ["Phase 4: Pay", "Phase 4.1: Refund", "Phase 5: Report"]


def test_a_phase_carries_its_goal_and_its_criteria() -> None:
    pay = work_in(ROADMAP)[0]
    assert pay.detail == "customers can pay"
    assert pay.acceptance == ("a card works", "a receipt is sent")
    assert pay.source == "planning"
    assert pay.actionable


def test_a_phase_waits_for_open_phases_only() -> None:
    pay, refund, report = work_in(ROADMAP)
    assert pay.blocked_by == ()  # phase 3 is done
    assert refund.blocked_by == (pay.fingerprint,)
    assert report.blocked_by == (pay.fingerprint, refund.fingerprint)


def test_fingerprints_do_not_depend_on_padding_or_wording() -> None:
    before = work_in("- [ ] **Phase 3: Pay**\n")[0]
    after = work_in("### Phase 03: Pay better\n**Goal**: more\n")[0]
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
    assert [one.title for one in work_in(text)] == ["Phase 1: First"]
    assert drift_in(text) == [".planning: phase 1 has two headings"]


def test_hidden_characters_of_a_title_are_gone() -> None:
    assert work_in("### Phase 1: pay\u202eyap\u200b now\n")[0].title == "Phase 1: pay yap now"


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
    assert len(work_in(text)) == work


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
    gated = work_in(f"### Phase 1: A\n**Goal**: x\n- [ ] 01-03-PLAN.md — T12 ({words})\n### Phase 2: B\n")
    assert gated[0].human and words.split(":", maxsplit=1)[0].lower() in gated[0].human.lower()
    assert gated[1].human is None


def test_a_human_gate_in_the_state_holds_for_the_current_phase() -> None:
    state = "**Fase ativa:** 03.1 — Pagamentos\n**Status:** `in_progress` AGUARDANDO T12 (HUMAN_APPROVAL)\n"
    first, second = work_in("### Phase 3.1: A\n### Phase 4: B\n", state)
    assert first.human == "The roadmap asks for a person: HUMAN_APPROVAL."
    assert second.human is None


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
