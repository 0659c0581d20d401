"""Who is asked how to split a task: nobody, unless the owner wants it and the task is big; and nobody twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.part import Part
from ops_orchestrate.core.planner_help import Help, answered, ask_because, big_because, help_wanted
from ops_orchestrate.core.structure import structure
from tests.builders import make_outcome, make_part, make_request, make_task
from tests.core.plans import NOW, want

FIVE = tuple("abcde")
STALLED, LATE, FAILED = OutcomeKind.STALLED, OutcomeKind.TIMED_OUT, OutcomeKind.FAILED
STOPPED, QUOTA, LOST, PLANNED = OutcomeKind.INTERRUPTED, OutcomeKind.QUOTA, OutcomeKind.LOST, OutcomeKind.PLANNED


@pytest.mark.parametrize(
    ("setting", "flag", "attended", "wanted"),
    [
        ("off", None, True, False),
        ("off", None, False, False),
        ("off", True, False, True),  # a night too, whose flags say so
        ("attended", None, True, True),
        ("attended", None, False, False),  # no night by itself
        ("always", None, False, True),
        ("always", False, True, False),
        ("attended", False, True, False),
    ],
)
def test_a_run_asks_for_help_only_where_the_owner_says_so(
    setting: Help, flag: bool | None, attended: bool, wanted: bool
) -> None:
    assert help_wanted(setting, flag, attended=attended) is wanted


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"acceptance": FIVE}, "has 5 acceptance criteria"),
        ({"acceptance": FIVE[:4]}, ""),
        ({"description": "- [ ] x\n" * 6}, "lists 6 steps that are to be done"),
        ({"description": "- [ ] x\n" * 5 + "- [x] done\n- plain\n" * 9}, ""),
        ({"description": "1. [ ] x\n  * [ ] y\n" * 3}, "lists 6 steps that are to be done"),
        ({"description": "<!--" + "- [ ] x\n" * 60 + "-->"}, ""),  # what nobody sees makes nothing big
        ({"paths": ("a/", "b/", "c/", "d/")}, "is to change 4 places that have nothing to do with each other"),
        ({"paths": ("a/", "a/b", "a/c", "a/d", "a/*.py")}, ""),
        ({"description": "x" * 4_000}, "takes 4000 characters to describe"),
        ({"description": "x" * 3_999}, ""),
        ({"acceptance": FIVE, "part_of": "whole"}, ""),
        ({"acceptance": FIVE, "change_branch": "ops/r/t"}, ""),
        ({"acceptance": FIVE, "fixes_base": True}, ""),
        ({"acceptance": FIVE, "human": "sign it"}, ""),
    ],
)
def test_what_is_big(fields: dict[str, Any], why: str) -> None:
    assert big_because(make_task(**fields)) == why


@pytest.mark.parametrize(
    ("kinds", "because"),
    [
        ((), "big"),
        ((STOPPED,), "big"),
        ((QUOTA, LOST), "big"),  # nothing of an answer is recorded
        ((PLANNED,), ""),
        ((PLANNED, STALLED, STALLED), ""),
        ((FAILED,), ""),  # undivided work has begun
        ((STALLED,), ""),
        ((STALLED, LATE), "stalled 2 times in a row"),
        ((STALLED, FAILED), ""),
    ],
)
def test_nobody_is_asked_twice_nor_once_undivided_work_has_begun(kinds: tuple[OutcomeKind, ...], because: str) -> None:
    spec = make_task(big="big")
    earlier = [make_outcome(kind) for kind in kinds]
    assert ask_because(spec, earlier, early=False, limit=2) == because
    assert ask_because(spec, earlier, early=True, limit=2) == "", "who has started early is not free to wait"
    assert ask_because(make_task(big="big", part_of="whole"), earlier, early=False, limit=2) == ""


def test_what_names_its_parts_itself_is_split_by_them_when_it_stalls() -> None:
    stalled = [make_outcome(STALLED), make_outcome(STALLED)]
    assert ask_because(make_task(acceptance=("a", "b")), stalled, early=False, limit=2) == ""
    assert ask_because(make_task(), stalled, early=False, limit=0) == ""


@given(st.lists(st.sampled_from(list(OutcomeKind)), max_size=6), st.integers(0, 6), st.integers(0, 4))
def test_over_any_history_what_was_planned_is_not_asked_about_again(
    kinds: list[OutcomeKind], at: int, limit: int
) -> None:
    ends = [make_outcome(kind) for kind in kinds]
    ends.insert(at, make_outcome(PLANNED, parts=(Part(title="x"),)))
    assert ask_because(make_task(big="big"), ends, early=False, limit=limit) == ""


def test_a_recorded_answer_is_taken_up_again_as_long_as_it_holds() -> None:
    parts = (Part(title="one", paths=("src/t1/a",)), Part(title="two", paths=("src/t1/b",)))
    said, refused = make_outcome(PLANNED, parts=parts), make_outcome(PLANNED)
    spec = make_task(big="big")
    assert answered(spec, [said, make_outcome(STOPPED)]) == said
    assert answered(spec, [refused, None]) is None
    assert answered(make_task(paths=("lib/",)), [said]) is None, "a later audit has changed the task"
    assert answered(spec, [said] * 4) is None, "what cannot be done is not tried for ever"


@pytest.mark.parametrize("wanted", [True, False])
def test_the_plan_says_of_which_tasks_an_agent_is_asked_first(wanted: bool) -> None:
    part = make_part("one", want("large", acceptance=FIVE), want("small"))
    plan = structure(make_request(planner_help=wanted), [part], {}, {}, NOW)
    big = {task.id: task.big for task in plan.tasks}
    assert big == {"large": "has 5 acceptance criteria" if wanted else "", "small": ""}
