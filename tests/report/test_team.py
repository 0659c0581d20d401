"""A team on the screens: its members' names, and what was said to whom."""

from __future__ import annotations

from ops_orchestrate.report.board import board
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.json import report_json
from ops_orchestrate.report.live import event_line
from tests.report.story import Story

SAID = {"number": 1, "from": "ana", "topic": "person", "text": "Use V2."}


def team() -> Story:
    """A consumer that started early and was told something, beside a member and a subagent."""
    member = {"mode": "team", "mode_reason": "asked for: teams"}
    story = Story().begin(mode="teams")
    story.plan(
        {"id": "schema", "member": "api-worker", **member},
        {"id": "users", "member": "web-worker", "repo": "web", "blocked_by": ["schema"], **member},
        {"id": "tests", "member": "app-worker", "repo": "app", **member},
        {"id": "typo", "member": "docs-worker", "repo": "docs"},
    )
    story.start("schema", 1).start("users", 2).start("typo", 3)
    story.add("message.sent", "users", SAID, **story.where("users"))
    story.add("message.delivered", "users", {"number": 1, "how": "session"}, **story.where("users"))
    return story


def test_members_are_the_owners_of_their_tasks_also_before_they_have_begun() -> None:
    lines = [line.split() for line in board(fold(team().events), 120).splitlines()]
    owners = {line[0]: line[1] for line in lines if line and line[0] in ("schema", "users", "tests", "typo")}
    assert owners == {
        "schema": "api-worker",
        "users": "web-worker",
        "tests": "app-worker",
        "typo": "command@host-1",
    }


def test_what_waits_for_a_person_is_its_owners() -> None:
    view = fold(team().settle("tests", "blocked", "why", "retry").events)
    line = next(line for line in board(view, 120).splitlines() if line.split()[:1] == ["tests"])
    assert line.split()[1] == "you"


def test_a_message_is_told_as_it_happens() -> None:
    events = team().events
    view = fold(events)
    assert [event_line(event, view) for event in events[-2:]] == [
        "  message from ana to web-worker: Use V2.",
        "  web-worker was told message 1",
    ]


def test_a_status_check_has_no_number() -> None:
    story = team()
    data = {"number": 0, "how": "session", "topic": "status-check", "text": "Status check — are you stuck?"}
    last = story.add("message.delivered", "users", data, **story.where("users"))
    assert event_line(last, fold(story.events)) == "  web-worker was told: Status check — are you stuck?"


def test_what_stands_in_a_brief_has_no_line_of_its_own_and_is_in_the_report() -> None:
    story = team()
    last = story.add("message.delivered", "users", {"number": 1, "how": "brief"}, **story.where("users"))
    view = fold(story.events)
    assert event_line(last, view) is None
    (task,) = [task for task in report_json(view)["tasks"] if task["id"] == "users"]
    assert task["member"] == "web-worker"
    assert [(m["number"], m["sender"], m["text"], m["told"]) for m in task["messages"]] == [
        (1, "ana", "Use V2.", "brief")
    ]
