"""The text of a pull request that a later run goes on with: two things in it change, whatever people wrote there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.mark import MOST_PRINTS, Print, cause_mark, mark_of_branch
from ops_orchestrate.core.message import pull_body
from ops_orchestrate.core.renewal import renewed_body
from ops_orchestrate.core.review import Review, ReviewVerdict, no_review
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import TaskRecord, TaskSpec
from tests.core.test_message import ACTS, HOSTILE

BRANCH = "ops/r1/t1"
OLD, NEW = ("old", "then"), ("new", "now")


def record(*claims: tuple[str, str], run: str = "r2", task: str = "t2", **more: object) -> TaskRecord:
    values = {"id": task, "project": "app", "repo": "app", "title": "Mend it", "fingerprint": claims[0][0]}
    spec = TaskSpec.model_validate(values | {"cause": claims[0][1], "prints": claims} | more)
    return TaskRecord(run=run, spec=spec, state=TaskState.SHIPPING, attempt=1, fence=7, head="a" * 40)


def verified(review: str = "") -> Outcome:
    return Outcome(kind=OutcomeKind.VERIFIED, base="b" * 40, files=("a.py",), review=review)


FIRST = pull_body(record(OLD, ("both", "then"), run="r1", task="t1"), run="r1", verified=verified())


def renewed(text: str, *claims: tuple[str, str], run: str = "r2", review: str = "", **more: object) -> str:
    made = record(*(claims or (NEW,)), **more)
    return renewed_body(text, branch=BRANCH, record=made, run=run, verified=verified(review))


def prints(text: str) -> tuple[Print, ...]:
    mark = mark_of_branch(text, BRANCH)
    assert mark and (mark.run, mark.task) == ("r1", "t1")
    return mark.prints


def test_it_names_what_this_run_covers_by_what_it_rests_on_now_and_what_it_covered_before() -> None:
    text = renewed(FIRST, NEW, ("both", "now"))
    assert prints(text) == (
        Print("new", cause_mark("now")),
        Print("both", cause_mark("now")),
        Print("old", cause_mark("then")),
    )
    assert "**Run r2 goes on with this**\n- quality gate: passed on the merge of aaaaaaaa into bbbbbbbb\n" in text


def test_every_other_line_stays_where_it_was() -> None:
    lines = [line for line in FIRST.split("\n") if not line.startswith("Ops-Fingerprint")]
    left = iter(renewed(FIRST).split("\n"))
    assert all(line in left for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        FIRST,
        FIRST.replace("\n", "\r\n"),
        f"A person's word.\n\n{FIRST}\nand another",
        FIRST.replace("\n\nOps-Task", "\nOps-Task"),
        "Ops-Task: t1\nOps-Run: r1",
    ],
)
def test_repeated_it_changes_nothing_and_a_third_run_takes_the_place_of_the_second(text: str) -> None:
    once = renewed(text)
    assert renewed(once) == once
    third = renewed(once, run="r3")
    assert ("Run r2" in third, third.count("goes on with this")) == (False, 1)
    assert third.replace("r3", "r2") == once
    assert prints(third)[0].fingerprint == "new"


def test_what_a_person_wrote_behind_the_paragraph_stays() -> None:
    once = renewed(FIRST).replace("- files: 1\n\nOps-Task", "- files: 1\nKeep this.\n\nOps-Task")
    assert "Keep this." in renewed(once, run="r3")


OF = {"head": "a", "base": "b", "merge_base": "c"}
REVIEWS = (
    no_review("it came too late", **OF).sentence,
    Review(verdict=ReviewVerdict.APPROVE, agent="claude", model="m", summary="Nothing to say", **OF).sentence,
)


@pytest.mark.parametrize("review", ["", *REVIEWS])
@pytest.mark.parametrize("theirs", ["- please check X", "Closes #12", "- please check X\nCloses #12\nCloses a/b#9"])
def test_what_a_person_wrote_right_below_it_stays_and_what_the_review_said_goes(review: str, theirs: str) -> None:
    once = renewed(FIRST, review=review).replace("\n\nOps-Task", f"\n{theirs}\n\nOps-Task")
    third = renewed(once, run="r3").split("\n")
    assert [line for line in third if line in theirs.split("\n")] == theirs.split("\n")
    assert f"- {review}" in once and f"- {review}" not in third
    assert sum(line.startswith("- quality gate") for line in third) == 2, "of the first run, and of the third"


@pytest.mark.parametrize(
    "text", ["", "Mend it", FIRST.replace("Ops-Run: r1", "Ops-Run: r9"), FIRST.replace("Ops-", "> Ops-")]
)
def test_a_text_that_says_nothing_of_its_branch_is_left_alone(text: str) -> None:
    assert renewed(text) == text


def test_what_it_closes_is_said_once() -> None:
    first = pull_body(record(OLD, run="r1", task="t1", closes=("a/b#7",)), run="r1", verified=verified())
    text = renewed(first, closes=("a/b#7", "a/b#8"))
    assert [line for line in text.splitlines() if line.startswith("Closes")] == ["Closes a/b#7", "Closes a/b#8"]


def test_hostile_text_closes_calls_and_signs_nothing() -> None:
    text = renewed(FIRST, review=HOSTILE, title=HOSTILE, description=HOSTILE)
    assert not ACTS.search(text)
    assert [line for line in text.splitlines() if line.startswith(("Ops-T", "Ops-R", "Ops-M", "Closes"))] == [
        "Ops-Task: t1",
        "Ops-Run: r1",
    ]


def test_the_number_of_findings_is_bounded_and_the_newest_are_kept() -> None:
    claims = tuple((f"n{at}", "") for at in range(MOST_PRINTS))
    assert [one.fingerprint for one in prints(renewed(FIRST, *claims))] == [name for name, _ in claims]


@given(st.text(), st.text())
def test_whatever_people_write_around_it_stays(before: str, behind: str) -> None:
    text = renewed(f"{before}\n\n{FIRST}\n{behind}")
    assert text.startswith(before) and text.endswith(behind)
