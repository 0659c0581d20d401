"""A task that an agent has split, on the screens: before it is asked, while it is split, and in the morning."""

from __future__ import annotations

from ops_orchestrate.report.final import final_report
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.json import plan_json, report_json
from ops_orchestrate.report.live import event_line
from ops_orchestrate.report.page import page
from ops_orchestrate.report.plan import plan_text
from ops_orchestrate.report.times import Clock
from tests.report.story import Story
from tests.report.test_screens import FORECAST

WHY = "split in 2: planned with help by claude (sonnet), because it has 5 acceptance criteria."


def helped() -> Story:
    """A big task before anybody has been asked."""
    return Story().begin().plan({"id": "big", "big": "has 5 acceptance criteria"})


def split() -> Story:
    """The same, once the answer has been taken."""
    story = helped().start("big", 1)
    story.end("big", "planned", summary="planned with help by claude (sonnet)", seconds=9.0, cost_usd=0.25)
    for name in ("big-1", "big-2"):
        planned = {"title": name, "project": "app", "repo": "app", "priority": "P2", "mode": "subagent", "wave": 0}
        story.add("task.planned", name, planned | {"blocked_by": [], "part_of": "big", "split_by": "planner"})
    story.add("task.split", "big", {"parts": ["big-1", "big-2"], "by": "planner", "text": WHY})
    return story


def test_the_plan_says_that_an_agent_is_asked_first_and_why() -> None:
    text = " ".join(plan_text(fold(helped().events), 200, FORECAST).split())
    assert "and 1 question how to split a big task, not counted here" in text
    assert "big, it has 5 acceptance criteria: an agent is asked first how to split it (--planner-help)" in text


def test_what_was_planned_with_help_is_shown_as_such() -> None:
    view = fold(split().events)
    plan = " ".join(plan_text(view, 200).split())
    assert f"split into big-1, big-2 — {WHY}" in plan
    assert plan.count("part of big, proposed by the planner's agent") == 2
    assert f"big — {WHY}" in " ".join(final_report(view, 200).split())
    whole, part, _ = plan_json(view)["tasks"]
    assert (whole["split_why"], whole["big"], part["split_by"]) == (WHY, "has 5 acceptance criteria", "planner")


def test_the_page_says_so_too() -> None:
    assert "An agent is asked first how to split it." in page(helped().events, Clock())
    text = page(split().events, Clock())
    assert "Split into big-1, big-2" in text and "proposed by the planner's agent" in text


def test_what_the_question_cost_is_in_the_totals() -> None:
    view = fold(split().events)
    assert report_json(view)["totals"]["cost_usd"] == 0.25
    assert "$0.25; of which planning $0.25" in final_report(view, 200)


def test_it_is_told_as_it_happens() -> None:
    events = split().events
    (ended,) = [event for event in events if event.kind == "attempt.ended"]
    line = event_line(ended, fold(events)) or ""
    assert line.startswith("▸ big: an agent was asked how to split it after 9")
