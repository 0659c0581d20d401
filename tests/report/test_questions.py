"""What a person at the terminal is asked, and what becomes of a promotion that waited."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.report.commands import questions
from ops_orchestrate.report.final import final_report
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.live import event_line
from tests.report.story import HEAD, Story

WAITS = {
    "repo": "api-1",
    "name": "api",
    "reason": "dev at abc waits for your yes to be promoted to main",
    "to": "main",
    "ask": "promote",
    "command": "ops-orchestrate answer r1 promote:api yes",
}


def told(story: Story, kind: str, task: str | None = None, **data: Any) -> Story:
    """The story with one more event."""
    story.add(kind, task, data)
    return story


def one() -> Story:
    """A run with one task, repository api-1, delivered and verified."""
    story = Story().begin().plan({"id": "t", "title": "Do it", "repo": "api-1", "base": "dev"})
    return story.start("t", 0).end("t").judge("t")


@pytest.mark.parametrize(
    ("ask", "asked"),
    [
        ("approve", [("t", HEAD, "Merge t (Do it) at abababab into dev?")]),
        ("approve-change", []),
        ("retry", []),
        ("dispatch", []),
    ],
)
def test_only_a_confirmation_is_asked_about(ask: str, asked: list[tuple[str, str, str]]) -> None:
    view = fold(one().settle("t", "blocked", "because", ask).events)
    assert [tuple(question) for question in questions(view)] == asked


def test_a_promotion_that_waits_is_asked_about_and_shown_with_its_command() -> None:
    story = told(one(), "merge.refused", **WAITS)
    view = fold(story.events)
    assert [(question.name, question.text) for question in questions(view)] == [
        ("promote:api", "api: dev at abc waits for your yes to be promoted to main.")
    ]
    assert "$ ops-orchestrate answer r1 promote:api yes" in final_report(view, 100)
    assert event_line(story.events[-1], view) == (
        "■ api: dev at abc waits for your yes to be promoted to main → ops-orchestrate answer r1 promote:api yes"
    )


def test_the_newest_word_on_a_promotion_counts() -> None:
    refused = {"repo": "api-1", "name": "api", "reason": "the gate says failed", "to": "main", "command": ""}
    story = told(one(), "merge.refused", **refused)
    assert event_line(story.events[-1], fold(story.events)) == "■ api not promoted: the gate says failed"
    assert [refusal.reason for refusal in fold(told(story, "merge.refused", **WAITS).events).refusals] == [
        WAITS["reason"]
    ]
    done = {"repo": "api-1", "name": "api", "from": "dev", "to": "main", "commit": "56" * 20}
    assert fold(told(story, "promoted", **done).events).refusals == ()


def test_a_revert_and_a_promotion_each_have_their_own_newest_word() -> None:
    asks = {
        "what": "revert",
        "ask": "revert",
        "reason": "#3: it waits",
        "command": "ops-orchestrate answer r1 revert:api yes",
    }
    story = told(told(one(), "merge.refused", **WAITS), "merge.refused", **{**WAITS, **asks})
    assert [question.name for question in questions(fold(story.events))] == ["promote:api", "revert:api"]
    done = {"repo": "api-1", "name": "api", "to": "main", "reverts": "56" * 20, "commit": "57" * 20, "change": "#3"}
    view = fold(told(story, "reverted", **done).events)
    assert [refusal.what for refusal in view.refusals] == ["promotion"]
    assert event_line(story.events[-1], view) == "✓ api: 56565656 on main taken back by #3"
    assert "api: 56565656 on main" in final_report(view, 100)


def test_what_a_revert_takes_back_is_on_main_no_more() -> None:
    story = one().ship("t")
    there = {"repo": "api-1", "name": "api", "from": "dev", "to": "main", "commit": "56" * 20}
    assert fold(told(story, "promoted", **there).events).tasks["t"].promoted_to == "main"
    other = {"repo": "api-1", "to": "main", "reverts": "99" * 20, "commit": "57" * 20}
    assert fold(told(story, "reverted", **other).events).tasks["t"].promoted_to == "main"
    view = fold(told(story, "reverted", **other | {"reverts": "56" * 20}).events)
    assert (view.tasks["t"].promoted_to, view.tasks["t"].merge != "") == ("", True)


def test_a_back_merge_that_is_done_waits_no_more() -> None:
    asks = {
        "what": "back-merge",
        "ask": "back",
        "reason": "#4: it waits",
        "command": "ops-orchestrate answer r1 back:api yes",
    }
    story = told(one(), "merge.refused", **{**WAITS, **asks})
    done = {"repo": "api-1", "name": "api", "from": "main", "to": "dev", "commit": "57" * 20}
    view = fold(told(story, "back.merged", **done).events)
    assert view.refusals == ()
    assert event_line(story.events[-1], view) == "✓ api: main brought back to dev"


def test_a_hand_over_is_told_once_from_each_source() -> None:
    story = Story().begin().plan({"id": "a"}, {"id": "b", "blocked_by": ["a"]}).start("b", 0)
    said = {"what": "hand-over", "from": "a", "merge": "12" * 20}
    for text in ("first", "a() returns cents"):
        told(story, "evidence", "b", **said, text=text)
    view = fold(story.events)
    assert [(given.source, given.text) for given in view.tasks["b"].hand_overs] == [("a", "a() returns cents")]
    assert event_line(story.events[-1], view) == "  hand-over from a to b: a() returns cents"
    assert "Hand-overs: a → b: a() returns cents" in final_report(view, 100)
    silent = told(story, "evidence", "b", **said, text="").events[-1]
    assert event_line(silent, view) == "  hand-over from a to b: merged as 12121212"


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ("projects:0-2", "audited api, web: 2 findings"),
        ("projects:1-2", "audited web: 2 findings"),
        ("projects:0-99", "audited api, web: 2 findings"),
        ("projects:x", "audited projects:x: 2 findings"),
        ("source:tasks-file", "audited the tasks file: 2 findings"),
        ("source:linear", "audited linear: 2 findings"),
        ("", "audited a part: 2 findings"),
    ],
)
def test_the_audit_is_told_in_the_words_of_the_owner(part: str, shown: str) -> None:
    story = told(Story().begin(), "audit.part", part=part, findings=2)
    assert event_line(story.events[-1], fold(story.events)) == f"  {shown}"
