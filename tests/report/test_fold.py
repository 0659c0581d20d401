"""Events into the picture of a run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.final import final_report
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.view import RunView
from tests.laws import examples
from tests.report.stories import STORIES, ordinary, troubled
from tests.report.story import HEAD, MERGE, Story


def picture(story: Story) -> RunView:
    return fold(story.events)


def one_task() -> Story:
    return Story().begin().plan({"id": "t"})


def test_the_header_of_a_run() -> None:
    view = picture(troubled())
    assert (view.run, view.mode, view.state, view.reason) == (
        "night-1",
        "subagents",
        "halted",
        "2 tasks wait for you",
    )
    assert view.max_waves == 2
    assert view.projects == ("api", "web")
    assert [s.name for s in view.skipped] == ["old-site"]
    assert [u.name for u in view.unknown] == ["sentry"], "named by the part and by the plan: listed once"
    assert view.unsandboxed is True
    assert view.seconds == pytest.approx(view.finished - view.began if view.finished and view.began else -1)


def test_a_task_from_plan_to_main() -> None:
    task = picture(ordinary()).tasks["api-fix-auth"]
    assert (task.state, task.priority, task.label) == (TaskState.COMPLETED, "P0", "P0-fire")
    assert [(a.number, a.outcome, a.cost_usd) for a in task.attempts] == [
        (1, "rejected", 0.42),
        (2, "merged", 0.5),
    ]
    assert [v.kind for v in task.verdicts] == ["rejected", "verified"]
    assert (task.head, task.merge, task.merged_into, task.deploy) == (HEAD, MERGE, "dev", "main")


@pytest.mark.parametrize(
    ("story", "state"),
    [
        (one_task(), TaskState.QUEUED),
        (one_task().start("t"), TaskState.RUNNING),
        (one_task().start("t").end("t"), TaskState.VERIFYING),
        (one_task().start("t").end("t", "failed"), TaskState.RUNNING),
        (one_task().start("t").end("t").judge("t"), TaskState.SHIPPING),
        (one_task().start("t").end("t").judge("t", "rejected"), TaskState.VERIFYING),
        (one_task().start("t").end("t", "failed").settle("t", "retryable"), TaskState.RETRYABLE),
        (one_task().ship("t"), TaskState.COMPLETED),
        (one_task().settle("t", "blocked", ask="done"), TaskState.BLOCKED),
    ],
)
def test_the_state_follows_the_events(story: Story, state: TaskState) -> None:
    assert picture(story).tasks["t"].state is state


def test_deploy_says_how_far_a_change_is() -> None:
    view = picture(ordinary())
    assert {name: task.deploy for name, task in view.tasks.items()} == {
        "api-fix-auth": "main",
        "api-tests": "main",
        "web-types": "main merged",
    }
    assert picture(one_task().ship("t")).tasks["t"].deploy == "dev merged"
    assert picture(one_task()).tasks["t"].deploy == "—"


def test_a_promotion_covers_only_what_was_merged_before_it() -> None:
    story = Story().begin().plan({"id": "a"}, {"id": "b"}, {"id": "other", "repo": "web"}).ship("a").ship("other")
    story.add("promoted", data={"repo": "api", "from": "dev", "to": "master", "commit": "1"})
    story.ship("b")
    assert [t.deploy for t in picture(story).tasks.values()] == ["master", "dev merged", "dev merged"]


def test_dependants_of_a_dead_end_are_held_by_the_nearest_ones() -> None:
    tasks = picture(troubled()).tasks
    assert tasks["after-login"].held_by == ("login",)
    assert tasks["after-all"].held_by == ("login", "hopeless")
    assert tasks["too-late"].held_by == ()


def test_an_answer_lets_dependants_go() -> None:
    story = troubled()
    story.add("task.reopened", "login", {"to": "shipping", "by": "owner", "answer": "yes"})
    view = picture(story)
    assert view.tasks["login"].state is TaskState.SHIPPING
    assert view.tasks["after-login"].held_by == ()
    assert (view.state, view.finished) == ("running", None), "the run is open again"


def test_slots_and_owners_are_those_held_now() -> None:
    view = picture(STORIES["busy"]())
    assert {i: s.task for i, s in view.slots.items()} == {
        0: "task-0",
        1: "task-1",
        2: "task-2",
        3: "task-3",
        4: "task-5",
    }
    assert [o.repo for o in view.owners] == ["repo-0", "repo-1", "repo-2", "repo-3", "repo-5"]


def test_a_grant_that_nobody_claims_leaves_the_task_queued() -> None:
    story = one_task()
    story.add("slot.taken", "t", {"slot": 0}, attempt=1, fence=1)
    story.add("slot.released", "t", {"slot": 0}, attempt=1, fence=1)
    task = picture(story).tasks["t"]
    assert (task.state, task.attempts) == (TaskState.QUEUED, ())


def test_events_seen_before_and_of_other_runs_change_nothing() -> None:
    events = ordinary().events
    view = fold(events)
    strangers = [event.model_copy(update={"run": "r2", "seq": event.seq + 1000}) for event in events]
    assert fold(events, view) == view
    assert fold(strangers, view) == view


def test_findings_without_a_task_are_noticed() -> None:
    story = one_task()
    data = {"what": "uncommitted", "project": "web", "text": "3 files", "detail": ""}
    story.add("evidence", data=data)
    assert [(n.kind, n.project, n.title) for n in picture(story).notes] == [("uncommitted", "web", "3 files")]


@pytest.mark.parametrize("name", STORIES)
def test_folding_in_two_steps_is_folding_in_one(name: str) -> None:
    events = STORIES[name]().events
    for cut in range(len(events) + 1):
        assert fold(events[cut:], fold(events[:cut])) == fold(events)


# Anything that JSON can hold, under the keys that the events have and others.
_KEYS = sorted(
    {key for make in STORIES.values() for event in make().events for key in event.data}
    | {"how", "to", "by", "answer", "wake_at", "note", "stage", "what", "text", "ref", "brief", "unsandboxed"}
)
_WORDS = st.sampled_from([*map(str, TaskState), "verified", "succeeded", "refused", "land", "t0", "dev", "a\nb"])
_LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | _WORDS
_VALUE: st.SearchStrategy[Any] = _LEAF | st.lists(_LEAF, max_size=3) | st.dictionaries(st.text(max_size=5), _LEAF)
_VALUE = _VALUE | st.lists(st.dictionaries(st.sampled_from(["name", "reason", "title"]), _LEAF), max_size=2)


@st.composite
def random_events(draw: st.DrawFn) -> list[Event]:
    names = st.none() | st.sampled_from(["t0", "t1", "t2", "\x1b[2J"])
    numbers = st.none() | st.integers(0, 4)
    return [
        Event(
            seq=seq,
            at=draw(st.floats(0, 2e9)),
            kind=draw(st.sampled_from(EventKind)),
            run="r",
            task=draw(names),
            attempt=draw(numbers),
            fence=draw(numbers),
            host=draw(st.none() | st.text(max_size=5)),
            data=draw(st.dictionaries(st.sampled_from(_KEYS), _VALUE, max_size=6)),
        )
        for seq in range(draw(st.integers(0, 12)))
    ]


@settings(max_examples=examples(20))
@given(random_events(), st.integers(0, 12))
def test_no_event_breaks_the_picture_or_depends_on_when_it_is_folded(events: list[Event], cut: int) -> None:
    assert fold(events[cut:], fold(events[:cut])) == fold(events)


def test_what_a_reviewer_said_and_cost_is_in_the_report() -> None:
    found = [{"path": "src/a.py", "line": 3, "severity": "high", "reason": "open"}]
    story = (
        one_task().start("t").end("t", cost_usd=1.0).review("t", "reject", findings=found, cost_usd=0.25, model="opus")
    )
    task = picture(story).tasks["t"]
    assert task.state is TaskState.VERIFYING
    assert [(r.verdict, r.findings, r.cost_usd) for r in task.reviews] == [("reject", 1, 0.25)]
    text = final_report(picture(story), width=120)
    assert "t: reject by claude (opus) of abababa" in text and "1 finding" in text
    assert "$1.25; of which security review $0.25" in text
    none = final_report(picture(story.review("t", "none", why="no quota")), width=120)
    assert "t: no review by claude of abababa" in none and "no quota" in none and "reject" not in none
