"""The outside check: a right run has no violation, and each wrong one is noticed where it is planted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ops_orchestrate.core.event import Event
from ops_orchestrate.report.check import violations
from tests.report.stories import STORIES
from tests.report.story import MERGE, Story


def two(blocked: bool = False) -> Story:
    second = {"id": "b", "repo": "web", "wave": 1, "blocked_by": ["a"]} if blocked else {"id": "b", "repo": "web"}
    return Story().begin().plan({"id": "a"}, second)


def seven() -> Story:
    return Story().begin().plan(*({"id": f"t{i}", "repo": f"r{i}"} for i in range(7)))


def six_slots() -> Story:
    story = seven()
    for slot in range(6):
        story.start(f"t{slot}", slot)
    return story


def six_agents() -> Story:
    """The slots are honest, and an agent goes on working after it gave its slot back."""
    story = seven()
    for slot in range(5):
        story.start(f"t{slot}", slot)
    story.add("slot.released", "t0", {"slot": 0}, **story.where("t0"))
    story.start("t5", 0)
    return story


def slot_twice() -> Story:
    return two().start("a", 0).start("b", 0)


def slot_of_another() -> Story:
    story = two().start("a", 0).start("b", 1)
    story.add("slot.released", "a", {"slot": 1}, **story.where("a"))
    return story


def slot_of_nobody() -> Story:
    story = two()
    story.add("slot.released", "a", {"slot": 3}, attempt=1, fence=1)
    return story


def early() -> Story:
    return two(blocked=True).start("a").end("a").judge("a").start("b", 1)


def after_a_blocked_one() -> Story:
    return two(blocked=True).settle("a", "blocked", "why", "retry").start("b")


def two_owners() -> Story:
    return Story().begin().plan({"id": "a"}, {"id": "b", "paths": ["docs/"]}).start("a", 0).start("b", 1)


def same_paths() -> Story:
    story = Story().begin().plan({"id": "a", "paths": ["src/"]}, {"id": "b", "paths": ["src/auth/login.py"]})
    return story.start("a", 0).start("b", 1)


def unowned_release() -> Story:
    story = two()
    story.add("ownership.released", "a", {"repo": "api"}, attempt=1, fence=1)
    return story


def unended() -> Story:
    story = two().settle("b", "cancelled").start("a")
    story.add("slot.released", "a", {"slot": 0}, **story.where("a"))
    story.add("ownership.released", "a", {"repo": "api"}, **story.where("a"))
    return story.finish("stopped")


def slot_left() -> Story:
    story = two().settle("b", "cancelled").start("a")
    story.add("attempt.ended", "a", {"outcome": "lost"}, **story.where("a"))
    story.settle("a", "discarded")
    story.add("ownership.released", "a", {"repo": "api"}, **story.where("a"))
    return story.finish()


def owner_left() -> Story:
    story = two().settle("b", "cancelled").start("a")
    story.add("attempt.ended", "a", {"outcome": "lost"}, **story.where("a"))
    story.settle("a", "discarded")
    story.add("slot.released", "a", {"slot": 0}, **story.where("a"))
    return story.finish()


def task_left() -> Story:
    return two().ship("a").finish("done")


def ended_twice() -> Story:
    story = two().start("a").end("a")
    story.add("attempt.ended", "a", {"outcome": "lost"}, **story.where("a"))
    return story


def ended_unstarted() -> Story:
    story = two()
    story.add("attempt.ended", "a", {"outcome": "lost"}, attempt=1, fence=1)
    return story


def settled_twice() -> Story:
    return two().ship("a").settle("a", "completed")


def settled_at_work() -> Story:
    return two().start("a").settle("a", "discarded")


def started_after_the_end() -> Story:
    return two().settle("a", "discarded").start("a")


def completed_reopened() -> Story:
    story = two().ship("a")
    story.add("task.reopened", "a", {"to": "queued", "by": "owner", "answer": "retry"})
    return story


def two_attempts_at_once() -> Story:
    story = two().start("a", 0)
    story.add("slot.taken", "a", {"slot": 1}, attempt=2, fence=5000)
    story.add("attempt.started", "a", {"agent": "command"}, attempt=2, fence=5000)
    return story


def same_attempt_twice() -> Story:
    story = two().start("a").end("a", "failed").settle("a", "retryable")
    story.tries["a"] = 0
    return story.start("a")


def old_fence() -> Story:
    story = two().start("a").end("a", "failed").settle("a", "retryable")
    story.fence = 500
    return story.start("a")


def no_slot() -> Story:
    story = two()
    story.add("attempt.started", "a", {"agent": "command"}, attempt=1, fence=1)
    return story


def unplanned() -> Story:
    story = Story().begin()
    story.repos["x"] = ("api", [])
    return story.start("x")


def planned_twice() -> Story:
    return Story().begin().plan({"id": "a"}).plan({"id": "a"})


def unverified() -> Story:
    return two().start("a").end("a").merge("a")


def rejected() -> Story:
    return two().start("a").end("a").judge("a", "rejected").merge("a")


def other_head() -> Story:
    return two().start("a").end("a").judge("a", head="99" * 20).merge("a")


def unintended() -> Story:
    story = two().start("a").end("a").judge("a")
    story.add("merge.proved", "a", {"commit": MERGE, "branch": "dev", "head": "ab" * 20}, **story.where("a"))
    return story


PLANTED: list[tuple[Callable[[], Story], str]] = [
    (six_slots, "6 slots are taken, and 5 is the most"),
    (six_agents, "6 agents are at work, and 5 is the most"),
    (slot_twice, "slot 0 is held by r1/a already"),
    (slot_of_another, "slot 1 is released, and r1/b holds it"),
    (slot_of_nobody, "slot 3 is released, and nobody holds it"),
    (early, "attempt 1 starts before its blocker a has completed"),
    (after_a_blocked_one, "attempt 1 starts before its blocker a has completed"),
    (two_owners, "api is owned by r1/a already"),
    (same_paths, "src/auth/login.py of api is owned by r1/a already"),
    (unowned_release, "the ownership of api is released, and the task does not hold it"),
    (unended, "the run has finished, and attempt 1 of a has not ended"),
    (slot_left, "the run has finished, and a holds slot 0"),
    (owner_left, "the run has finished, and a owns api"),
    (task_left, "the run has finished, and b has not ended"),
    (ended_twice, "attempt 1 ends, and it has ended already"),
    (ended_unstarted, "attempt 1 ends, and it never started"),
    (settled_twice, "the task is settled as completed, and it has ended as completed already"),
    (settled_at_work, "the task ends as discarded while attempt 1 is at work"),
    (started_after_the_end, "attempt 1 starts, and the task is discarded"),
    (completed_reopened, "a completed task is reopened"),
    (two_attempts_at_once, "attempt 2 starts while attempt 1 is at work"),
    (same_attempt_twice, "attempt 1 starts twice"),
    (old_fence, "fence 501 does not come after 1001"),
    (no_slot, "attempt 1 starts without a slot"),
    (unplanned, "an attempt starts, and the task was never planned"),
    (planned_twice, "the task was planned twice"),
    (unverified, "is merged, and no verdict has verified it"),
    (rejected, "is merged, and no verdict has verified it"),
    (other_head, "is merged, and no verdict has verified it"),
    (unintended, "is merged, and no intent names it"),
]


def parted() -> Story:
    """`a` is split in two."""
    story = two().start("a").end("a", "stalled")
    for part in ("a-1", "a-2"):
        story.add("task.planned", part, PART)
        story.repos[part] = ("api", [])
    story.add("task.split", "a", {"parts": ["a-1", "a-2"], "by": "rule", "text": "too big"})
    return story


PART = {
    "title": "x",
    "project": "api",
    "repo": "api",
    "priority": "P2",
    "mode": "subagent",
    "wave": 0,
    "blocked_by": [],
}


def test_a_split_task_completes_after_its_parts() -> None:
    story = parted()
    for part in ("a-1", "a-2"):
        story.ship(part)
    assert violations(story.settle("a", "completed").events) == []


def test_a_split_task_that_is_worked_on_or_completed_too_early_is_noticed() -> None:
    found = violations(parted().ship("a-1").settle("a", "completed").events)
    assert len(found) == 1 and "before its part a-2" in found[0]
    assert any("the task is split" in sentence for sentence in violations(parted().start("a").events))
    story = two()
    story.add("task.split", "a", {"parts": ["a-1", "a-2"], "by": "rule", "text": ""})
    assert [sentence.rpartition(": ")[2] for sentence in violations(story.events)] == [
        "its part a-1 was never planned",
        "its part a-2 was never planned",
    ]


@pytest.mark.parametrize(("story", "what"), PLANTED, ids=[make.__name__ for make, _ in PLANTED])
def test_a_planted_violation_is_found_and_nothing_else(story: Callable[[], Story], what: str) -> None:
    found = violations(story().events)
    assert found and any(what in sentence for sentence in found)
    # A sixth agent, a stale fence and an unverified merge show twice (in grant and start, in intent and
    # proof); the rest once.
    twice = {"six_slots", "old_fence", "unverified", "rejected", "other_head"}
    assert len(found) == (2 if story.__name__ in twice else 1), found


@pytest.mark.parametrize("name", STORIES)
def test_a_right_run_has_no_violation(name: str) -> None:
    assert violations(STORIES[name]().events) == []


def test_a_repeated_or_older_event_is_noticed() -> None:
    events = two().events
    assert violations([*events, events[-1].model_copy(update={"kind": "warning"})]) == [
        f"seq {len(events)} (warning, r1/b): comes after seq {len(events)} of the same run"
    ]


def test_disjoint_paths_may_be_owned_together() -> None:
    story = Story().begin().plan({"id": "a", "paths": ["src/**"]}, {"id": "b", "paths": ["src-docs/x.md", "*.toml"]})
    assert violations(story.start("a", 0).start("b", 1).events) == []


@pytest.mark.parametrize("first", ["blocked", "discarded"])
def test_what_a_person_does_with_an_ended_task_is_allowed(first: str) -> None:
    assert violations(two().settle("a", first).settle("a", "cancelled").events) == []
    story = two().settle("a", first)
    story.add("task.reopened", "a", {"to": "queued", "by": "owner", "answer": "retry"})
    assert violations(story.ship("a").events) == []


def test_a_grant_that_nobody_claimed_is_no_attempt() -> None:
    story = two()
    story.add("slot.taken", "a", {"slot": 0}, attempt=1, fence=1)
    story.add("ownership.taken", "a", {"repo": "api", "paths": []}, attempt=1, fence=1)
    story.add("slot.released", "a", {"slot": 0}, attempt=1, fence=1)
    story.add("ownership.released", "a", {"repo": "api"}, attempt=1, fence=1)
    assert violations(story.ship("a").events) == []


def test_an_early_consumer_needs_a_blocker_at_work() -> None:
    def consumer(story: Story) -> list[Event]:
        granted = {"attempt": 1, "fence": 9999}
        story.add("slot.taken", "b", {"slot": 4, "early": True}, **granted)
        story.add("attempt.started", "b", {"agent": "command", "early": True}, **granted)
        return story.events

    assert violations(consumer(two(blocked=True).start("a"))) == []
    said = violations(consumer(two(blocked=True)))
    assert [sentence.split(": ", 1)[1] for sentence in said] == [
        "it is granted early, and nobody works on its blocker a",
        "attempt 1 starts before its blocker a has completed",
    ]
    delivered = violations(consumer(two(blocked=True).start("a").end("a")))
    assert len(delivered) == 1, "what is being verified has nobody at work"
    assert "granted early" in delivered[0]


def test_an_early_consumer_ships_after_its_blocker() -> None:
    def consumer(*, first: bool) -> list[str]:
        story = two(blocked=True).start("a", 0)
        granted = {"attempt": 1, "fence": 9999}
        story.fence, story.tries["b"], story.held["b"] = 9999, 1, (4, 1, 9999, "host-1")
        story.add("slot.taken", "b", {"slot": 4, "early": True}, **granted)
        story.add("ownership.taken", "b", {"repo": story.repos["b"][0], "paths": []}, **granted)
        story.add("attempt.started", "b", {"agent": "command", "early": True}, **granted)
        story.end("b").judge("b").end("a").judge("a")
        for task in ("a", "b") if first else ("b", "a"):
            story.merge(task)
        return violations(story.events)

    assert consumer(first=True) == []
    assert [said.split(": ", 1)[1] for said in consumer(first=False)] == [
        "a merge is intended before its blocker a has completed"
    ]


def test_an_early_grant_may_be_claimed_while_its_blocker_is_verified_but_not_once_it_has_failed() -> None:
    granted = {"attempt": 1, "fence": 9999}

    def consumer(*ends: str) -> list[str]:
        story = two(blocked=True).start("a")
        story.add("slot.taken", "b", {"slot": 4, "early": True}, **granted)
        story.end("a")
        for state in ends:
            story.settle("a", state)
        story.add("attempt.started", "b", {"agent": "command", "early": True}, **granted)
        return violations(story.events)

    assert consumer() == []
    assert len(consumer("discarded")) == 1


def test_runs_share_the_slots_and_the_repositories() -> None:
    one, other = Story("r1").begin().plan({"id": "a"}), Story("r2").begin().plan({"id": "a"})
    other.fence = 2000
    one.start("a", 0)
    other.wait(10).start("a", 0)
    found = violations(sorted([*one.events, *other.events], key=lambda event: event.at))
    assert [sentence.split(": ", 1)[1] for sentence in found] == [
        "slot 0 is held by r1/a already",
        "api is owned by r1/a already",
    ]


def test_what_a_person_merges_by_hand_is_theirs_to_answer_for() -> None:
    """Also a head that we never verified; the same without their name is a violation."""
    story = two().start("a").end("a").judge("a")
    data = {"commit": MERGE, "branch": "dev", "head": "99" * 20, "change": "#1", "by": "somebody else"}
    story.add("merge.proved", "a", data, **story.where("a"))
    theirs = story.events
    assert violations(theirs) == []
    ours = [one.model_copy(update={"data": {**one.data, "by": ""}}) if "by" in one.data else one for one in theirs]
    assert len(violations(ours)) == 2
    pushed = [
        one.model_copy(update={"data": {**one.data, "change": ""}}) if "by" in one.data else one for one in theirs
    ]
    assert len(violations(pushed)) == 2, "only a pull request can be merged by somebody else"
