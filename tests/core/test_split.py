"""Splitting a task: when it is due, what a task's own description offers, and that no part reaches further than it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.ownership import covers, overlap
from ops_orchestrate.core.part import MOST_PARTS, Part
from ops_orchestrate.core.split import composite_of, may_be_split, parts_of, pieces, worn_out
from ops_orchestrate.core.task import Priority
from ops_orchestrate.errors import PlanError
from tests.builders import make_outcome, make_task

STALLED, LATE, FAILED = OutcomeKind.STALLED, OutcomeKind.TIMED_OUT, OutcomeKind.FAILED
STOPPED, QUOTA, LOST, PLANNED = OutcomeKind.INTERRUPTED, OutcomeKind.QUOTA, OutcomeKind.LOST, OutcomeKind.PLANNED
TWO = (Part(title="one"), Part(title="two"))


@pytest.mark.parametrize(
    ("kinds", "limit", "due"),
    [
        ((STALLED, STALLED), 2, True),
        ((STALLED, LATE), 2, True),
        ((FAILED, LATE, STALLED), 2, True),
        ((STALLED, PLANNED, STALLED), 2, True),
        ((STALLED, QUOTA, STALLED, STOPPED), 2, True),  # what was nobody's fault says nothing of its size
        ((STALLED,), 2, False),
        ((STALLED, FAILED), 2, False),
        ((STALLED, LOST, STALLED), 2, False),
        ((STALLED, STALLED), 3, False),
        ((STALLED,), 1, True),
        ((STALLED, STALLED, STALLED), 0, False),
        ((), 0, False),
    ],
)
def test_it_is_due_after_a_row_of_stalls(kinds: tuple[OutcomeKind, ...], limit: int, due: bool) -> None:
    assert worn_out([make_outcome(kind) for kind in kinds], limit) is due


def test_criteria_are_met_one_after_the_other() -> None:
    spec = make_task("big", acceptance=("a", "b", "c"), paths=("src/a/", "src/b/"))
    one, two, three = parts_of(spec, pieces(spec), (), by="rule")
    assert [part.id for part in (one, two, three)] == ["big-1", "big-2", "big-3"]
    assert [part.acceptance for part in (one, two, three)] == [("a",), ("b",), ("c",)]
    assert [part.blocked_by for part in (one, two, three)] == [(), ("big-1",), ("big-2",)]
    assert {part.paths for part in (one, two, three)} == {spec.paths}


def test_paths_that_cannot_meet_are_worked_on_side_by_side() -> None:
    spec = make_task("big", paths=("src/a/", "lib/", "src/a/deep/*.py"))
    parts = parts_of(spec, pieces(spec), (), by="rule")
    assert sorted(part.paths for part in parts) == [("lib/",), ("src/a/", "src/a/deep/*.py")]
    assert [part.blocked_by for part in parts] == [(), ()]


@pytest.mark.parametrize("fields", [{"paths": ()}, {"paths": ("src/", "src/a")}, {"acceptance": ("only one",)}])
def test_what_names_one_thing_offers_no_parts(fields: dict[str, Any]) -> None:
    assert pieces(make_task("small", **fields)) == ()


@pytest.mark.parametrize(
    "fields",
    [{"part_of": "x"}, {"parts": ("a", "b")}, {"change_branch": "ops/r/t"}, {"fixes_base": True}, {"human": "you"}],
)
def test_some_tasks_are_never_split(fields: dict[str, Any]) -> None:
    spec = make_task(**fields)
    assert not may_be_split(spec)
    with pytest.raises(PlanError, match="cannot be split"):
        parts_of(spec, TWO, (), by="rule")


def test_parts_inherit_what_the_whole_is_trusted_with() -> None:
    spec = make_task(
        "big", sensitive="auth", priority=Priority.P0, gate="make", base="dev", member="api-worker", blocked_by=("z",)
    )
    for number, part in enumerate(parts_of(spec, TWO, (), by="planner"), start=1):
        same = ("project", "repo", "sensitive", "priority", "gate", "base", "paths", "mode", "human")
        assert all(getattr(part, name) == getattr(spec, name) for name in same)
        assert (part.part_of, part.split_by, part.member) == ("big", "planner", f"api-worker-part{number}")
        assert part.blocked_by == ("z",)
        assert part.fingerprint != spec.fingerprint


def test_the_last_part_closes_what_the_whole_closes() -> None:
    spec = make_task("big", closes=("owner/app#7",))
    three = (Part(title="one", after=(2,)), Part(title="two"), Part(title="three"))
    parts = parts_of(spec, three, (), by="planner")
    assert [part.closes for part in parts] == [(), (), ("owner/app#7",)]
    assert set(parts[-1].blocked_by) == {part.id for part in parts[:-1]}


def test_ids_are_new_in_the_plan() -> None:
    parts = parts_of(make_task("big"), TWO, ("big", "big-2", "big-s1-1"), by="rule")
    assert [part.id for part in parts] == ["big-s2-1", "big-s2-2"]


def test_the_whole_waits_for_its_parts_and_has_no_work_left() -> None:
    spec = make_task("big", blocked_by=("z",))
    whole = composite_of(spec, parts_of(spec, TWO, (), by="rule"))
    assert (whole.blocked_by, whole.parts, whole.estimate) == (("z", "big-1", "big-2"), ("big-1", "big-2"), 0.0)


def test_a_file_at_the_whole_is_no_folder_for_a_part() -> None:
    """`?` is a file of one letter, at any depth: it allows no folder of that name."""
    with pytest.raises(PlanError, match="outside of the whole's paths"):
        parts_of(make_task("t", paths=("?",)), (Part(title="x", paths=("a",)), TWO[0]), (), by="planner")


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ((), "0 parts"),
        (TWO[:1], "1 parts"),
        (TWO * 5, "10 parts"),
        ((Part(title="\u200b\n"), TWO[0]), "no title"),
        ((Part(title="x", paths=("../x",)), TWO[0]), "leads out of the repository"),
        ((Part(title="x", paths=("/etc/passwd",)), TWO[0]), "absolute"),
        ((Part(title="x", paths=("src/.git/hooks",)), TWO[0]), "git's own folder"),
        ((Part(title="x", paths=("lib/x.py",)), TWO[0]), "outside of the whole's paths"),
        ((Part(title="x", paths=("**",)), TWO[0]), "outside of the whole's paths"),
        ((Part(title="x", paths=("src/*",)), TWO[0]), "outside of the whole's paths"),
        ((Part(title="x", paths=("src/",)), TWO[0]), "outside of the whole's paths"),
        ((Part(title="x", after=(2,)), TWO[0]), "a part that there is not"),
        ((Part(title="x", after=(0,)), TWO[0]), "waits for itself"),
        ((Part(title="x", after=(1,)), Part(title="y", after=(0,))), "in a circle"),
        ((Part(title="x", acceptance=("c",) * 21), TWO[0]), "criteria"),
    ],
)
def test_what_is_wrong_is_refused_by_its_reason(parts: tuple[Part, ...], why: str) -> None:
    with pytest.raises(PlanError, match=why):
        parts_of(make_task("t", paths=("src/t/**",)), parts, (), by="planner")


def test_text_of_a_part_is_cleaned_and_cut() -> None:
    loud = Part(title="x\u202e\n" * 400, about="y" * 9_000, acceptance=("z\x1b[31m" * 500,))
    part = parts_of(make_task("t"), (loud, TWO[0]), (), by="planner")[0]
    assert len(part.title) < 200 and part.title.isprintable()
    assert len(part.description) < 4_300
    assert len(part.acceptance[0]) <= 600 and part.acceptance[0].isprintable()


names = st.sampled_from(["a", "b", "src", "x.py", "*", "**", "?"])
patterns = st.lists(names, min_size=1, max_size=4).map("/".join)
files = st.lists(st.sampled_from(["a", "b", "src", "x.py", "z"]), min_size=1, max_size=4).map("/".join)


@given(st.lists(patterns, min_size=1, max_size=3), patterns, files)
def test_no_part_may_change_what_the_whole_may_not(whole: list[str], path: str, file: str) -> None:
    spec = make_task("t", paths=tuple(whole))
    try:
        part = parts_of(spec, (Part(title="x", paths=(path,)), TWO[0]), (), by="planner")[0]
    except PlanError:
        return
    assert covers(spec.paths, file) or not covers(part.paths, file)


@given(st.lists(st.text("ab", min_size=1, max_size=3), max_size=20), st.lists(patterns, max_size=12))
def test_what_a_task_offers_is_always_taken_and_together_all_of_it(criteria: list[str], paths: list[str]) -> None:
    spec = make_task("t", acceptance=tuple(criteria), paths=tuple(paths))
    found = pieces(spec)
    if not found:
        return
    parts = parts_of(spec, found, (), by="rule")
    assert 2 <= len(parts) <= MOST_PARTS
    if len(criteria) > 1:
        assert [text for part in parts for text in part.acceptance] == criteria
    else:
        assert {path for part in parts for path in part.paths} == set(paths)
        assert not any(overlap(a.paths, b.paths) for a in parts for b in parts if a is not b)
