"""What an agent says about splitting a task: read strictly, judged by every rule, able only to divide what is there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ops_orchestrate.core.consult import NoAnswerError
from ops_orchestrate.core.ownership import covers, overlap
from ops_orchestrate.core.part import Part
from ops_orchestrate.core.pathclass import is_control_file, is_secret_file
from ops_orchestrate.core.split import parts_of
from ops_orchestrate.core.split_question import SCHEMA, judge, read_split, split_question
from ops_orchestrate.core.task import TaskSpec
from ops_orchestrate.errors import PlanError
from tests.builders import make_task

WHOLE = make_task("big", acceptance=("a", "b", "c"), paths=("src/",), sensitive="auth", closes=("o/r#7",))
BARE = make_task("big", paths=())
MARK = split_question(WHOLE, repository="app", why="is big").mark


def part(*covers: int, paths: tuple[str, ...] = (), after: tuple[int, ...] = (), **more: Any) -> dict[str, Any]:
    """One part of an answer."""
    values: dict[str, Any] = {"title": "Do it", "about": "so", "covers": list(covers), "acceptance": []}
    return values | {"paths": list(paths), "after": list(after)} | more


def answer(*parts: Any, mark: str = MARK, **more: Any) -> str:
    return json.dumps({"mark": mark, "why": "because", "parts": list(parts)} | more)


GOOD = answer(part(1, paths=("src/a/",)), part(2, 3, paths=("src/b/",)))


def test_criteria_are_taken_over_word_for_word() -> None:
    parts, why = read_split(GOOD, MARK, WHOLE)
    assert parts == (
        Part(title="Do it", about="so", acceptance=("a",), paths=("src/a/",)),
        Part(title="Do it", about="so", acceptance=("b", "c"), paths=("src/b/",)),
    )
    assert why == "because"
    made = parts_of(WHOLE, parts, (), by="planner")
    assert {(one.sensitive, one.big, one.part_of) for one in made} == {("auth", "", "big")}


def test_it_may_say_that_the_task_is_one_piece_of_work() -> None:
    assert read_split(answer(), MARK, WHOLE) == ((), "because")


def test_the_schema_is_the_shape_that_is_read() -> None:
    schema = Draft202012Validator(json.loads(SCHEMA))
    assert schema.is_valid(json.loads(GOOD)) and schema.is_valid(json.loads(answer()))
    assert not schema.is_valid(json.loads(answer(*[part(1)] * 9)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I would split it in two.",
        answer(part(1), part(2, 3), mark="0"),
        GOOD + GOOD,
        GOOD[:-1],
        answer(*[part(1)] * 9),
        answer(*[part(1)] * 10_000),
        answer(part(1, title="x" * 70_000), part(2, 3)),
        answer(part("1"), part(2, 3)),  # type: ignore[arg-type]
        answer(part(True), part(2, 3)),
        answer(part(1, priority="P0"), part(2, 3)),
        answer(part(1, gate="true"), part(2, 3)),
        answer(part(1, acceptance=["x"] * 11), part(2, 3)),
        answer(part(1, paths=("src/a",) * 41), part(2, 3)),
        answer(part(1), part(2, 3), run="rm -rf /"),
        json.dumps([part(1), part(2, 3)]),
        "[" * 60_000,
        '{"mark": "x", "mark": "y", "parts": []}',
    ],
)
def test_what_has_another_shape_is_no_answer(text: str) -> None:
    with pytest.raises(NoAnswerError):
        read_split(text, MARK, WHOLE)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([part(1, 2, 3)], "1 parts are proposed"),
        ([part(1), part(2)], "No part meets criterion 3"),
        ([part(1, 2), part(3, 4)], "criterion 4, which there is not"),
        ([part(0, 1), part(2, 3)], "criterion 0, which there is not"),
        ([part(-1, 1), part(2, 3)], "criterion -1, which there is not"),
        ([part(10**30, 1), part(2, 3)], "which there is not"),
        ([part(1, 2, 3), part()], "Part 2 has no acceptance criterion"),
        ([part(1, 2, 3), part(acceptance=["\u200b"])], "Part 2 has no acceptance criterion"),
        ([part(1, title="\x1b\u202e"), part(2, 3)], "Part 1 has no title"),
        ([part(1, 2), part(3)], "may change the same files, and neither waits"),
        ([part(1, paths=("src/a/",)), part(2, 3, paths=("src/a/b",))], "may change the same files"),
        ([part(1, after=(1,)), part(2, 3)], "waits for itself"),
        ([part(1, after=(2,)), part(2, after=(3,)), part(3, after=(1,))], "in a circle"),
        ([part(1, after=(3,)), part(2, 3)], "a part that there is not"),
        ([part(1, after=(0,)), part(2, 3)], "a part that there is not"),
        ([part(1, paths=("lib/",)), part(2, 3, after=(1,))], "outside of the whole's paths"),
        ([part(1, paths=("src/../../etc",)), part(2, 3, after=(1,))], "leads out of the repository"),
        ([part(1, paths=("/etc/passwd",)), part(2, 3, after=(1,))], "absolute"),
        ([part(1, paths=("C:\\src",)), part(2, 3, after=(1,))], "backslash"),
        ([part(1, paths=("src/\x1b[31ma",)), part(2, 3, after=(1,))], "control or invisible"),
        ([part(1, paths=("src/.git/hooks/x",)), part(2, 3, after=(1,))], "git's own folder"),
        ([part(1, paths=("src/" + "x" * 400,)), part(2, 3, after=(1,))], "longer than"),
        ([part(1, paths=("src/.github/workflows/",)), part(2, 3, after=(1,))], "protected"),
        ([part(1, paths=("src/.ENV",)), part(2, 3, after=(1,))], "protected"),
        ([part(1, paths=("src/CLAUDE.md",)), part(2, 3, after=(1,))], "protected"),
        ([part(1, paths=("src/package-lock.json",)), part(2, 3, after=(1,))], "protected"),
        ([part(1, paths=("src/.planning/STATE.md",)), part(2, 3, after=(1,))], "protected"),
    ],
)
def test_what_does_not_hold_is_refused_by_its_reason(parts: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(PlanError, match=why):
        read_split(answer(*parts), MARK, WHOLE)


@pytest.mark.parametrize("path", [".env*", "**/.env", ".github/**", "./.github/workflows/ci.yml", "*/id_rsa"])
def test_a_whole_repository_lends_no_protected_path(path: str) -> None:
    with pytest.raises(PlanError, match="protected"):
        judge(BARE, (Part(title="x", paths=(path,)), Part(title="y", after=(0,))))


def test_what_the_whole_declares_itself_is_its_to_give() -> None:
    owner = make_task("big", paths=(".github/workflows/ci.yml", "src/"))
    judge(owner, (Part(title="x", paths=(".github/workflows/ci.yml",)), Part(title="y", paths=("src/",))))


def test_text_of_an_answer_is_cleaned_and_cut() -> None:
    loud = part(1, title="\x1b[31mred\n\u202e" * 200, about="\x00y\u200b" * 2_500, acceptance=["z\x1b]0;x\x07" * 300])
    parts, why = read_split(answer(loud, part(2, 3, after=(1,)), why="\x1b[2J" * 700), MARK, WHOLE)
    (first, _) = parts
    assert len(first.title) <= 160 and first.title.isprintable()
    assert len(first.about) <= 2_000 and "\x00" not in first.about
    assert all(text.isprintable() and len(text) <= 600 for text in first.acceptance)
    assert "\x1b" not in why and len(why) <= 600


@given(st.text(max_size=200), st.text(max_size=200), st.lists(st.text(max_size=40), max_size=5))
def test_no_text_of_a_task_holds_the_mark_or_closes_its_block(title: str, about: str, criteria: list[str]) -> None:
    spec = make_task(title=title or "x", description=about, acceptance=tuple(criteria))
    asked = split_question(spec, repository="app", why="is big")
    assert asked.mark not in title + about + "".join(criteria)
    assert asked.text.count(f"\nEND DATA {asked.mark}") == 1


def test_a_long_task_makes_no_endless_question() -> None:
    spec = make_task(
        title="x" * 10**5, description="y" * 10**6, acceptance=("z" * 10**5,) * 20, paths=("p" * 300,) * 99
    )
    assert len(split_question(spec, repository="r" * 10**4, why="w" * 10**4).text) < 60_000


PATHS = st.sampled_from(["src/a/", "src/b/", "src/a/x.py", "src/", "**", "lib/", "src/.env", ".github/", "src/*.py"])
PARTS = st.lists(
    st.builds(
        part,
        st.integers(0, 4),
        st.integers(1, 3),
        paths=st.lists(PATHS, max_size=2).map(tuple),
        after=st.lists(st.integers(0, 4), max_size=2).map(tuple),
    ),
    min_size=2,
    max_size=4,
)
FILES = ["src/a/x.py", "src/b/y", "src/z.py", "lib/l", ".github/w.yml", "src/.env", "top"]


@given(PARTS, st.sampled_from([("src/",), (), ("src/a/", "lib/")]))
def test_whatever_is_answered_no_part_reaches_further_than_the_whole(
    written: list[dict[str, Any]], declared: tuple[str, ...]
) -> None:
    spec = make_task("big", acceptance=("a", "b", "c"), paths=declared, sensitive="auth", gate="make", base="dev")
    try:
        parts, _ = read_split(answer(*written), MARK, spec)
    except PlanError:
        return
    made = parts_of(spec, parts, (), by="planner")
    assert {text for one in made for text in one.acceptance} == set(spec.acceptance)
    for one in made:
        assert [file for file in FILES if covers(one.paths, file) and not covers(spec.paths, file)] == []
        assert all(path in declared or not (is_secret_file(path) or is_control_file(path)) for path in one.paths)
        assert all(getattr(one, name) == getattr(spec, name) for name in ("repo", "base", "gate", "sensitive", "human"))
    at_once = [(a, b) for a in made for b in made if a is not b and not (_waits(a, b, made) or _waits(b, a, made))]
    assert not any(overlap(a.paths, b.paths) for a, b in at_once)


def _waits(one: TaskSpec, other: TaskSpec, made: tuple[TaskSpec, ...]) -> bool:
    """Whether `one` starts only after `other`, directly or not."""
    ids = {task.id: task for task in made}
    return other.id in one.blocked_by or any(_waits(ids[id], other, made) for id in one.blocked_by if id in ids)
