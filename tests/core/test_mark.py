"""What a merge says of itself comes back whole, from wherever people moved it to, and nothing else is taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.mark import (
    MOST_MARKS,
    MOST_PRINTS,
    Mark,
    Merged,
    Print,
    Share,
    cause_mark,
    mark_of_branch,
    print_lines,
    read_marks,
    wholes,
)
from ops_orchestrate.core.message import pull_body, squash_message
from ops_orchestrate.core.split import parts_of, pieces
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import TaskRecord, TaskSpec

LINES = "Ops-Task: t1\nOps-Run: r1\nOps-Attempt: a2-f7\nOps-Fingerprint: abc 0123456789abcdef\nOps-Fingerprint: def"
MARK = Mark(run="r1", task="t1", attempt=2, fence=7, prints=(Print("abc", "0123456789abcdef"), Print("def")))
OTHER = "Ops-Run: r2\nOps-Task: t2"


def record(title: str = "Mend it", *claims: tuple[str, str], **more: object) -> TaskRecord:
    spec = TaskSpec.model_validate(
        {"id": "t1", "project": "app", "repo": "app", "title": title, "fingerprint": "f" * 16, "prints": claims} | more
    )
    return TaskRecord(run="r1", spec=spec, state=TaskState.SHIPPING, attempt=2, fence=7, head="a" * 40)


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        f"Mend it\n\n{LINES}\n",
        f"A person's own title (#7)\n\n{LINES}\n\nand a last word of theirs",
        f"Mend it\r\n\r\n{LINES}\r\n\r\nCo-authored-by: Rita <r@x>\r\n".replace("\nOps", "\r\nOps"),
        f"Mend it\n\n{LINES}\nCo-authored-by: Rita <r@x>",
        f"Mend it\n\n{LINES}\nOps-Merge-Key: t1/{'a' * 40}\nReviewed-by: Rita",
        f"* Mend it\n\n{LINES}\n\n* more",
    ],
)
def test_wherever_the_lines_stand_they_are_read(text: str) -> None:
    assert read_marks(text) == (MARK,)


def test_one_commit_may_hold_several_of_ours() -> None:
    second = Mark(run="r2", task="t2")
    assert read_marks(f"* One\n\n{LINES}\n\n* Two\n\n{OTHER}\n") == (MARK, second)
    assert read_marks(f"{LINES}\n{OTHER}") == (MARK, second)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ops-Task: t1",
        "Ops-Run: r1",
        "Ops-Task: ../x\nOps-Run: r1",
        "Ops-Task: t1\nOps-Run: r 1; id",
        "Ops-Task: t1\n\nOps-Run: r1",
        "> Ops-Task: t1\n> Ops-Run: r1",
        "- Ops-Task: t1\n- Ops-Run: r1",
        " Ops-Task: t1\n Ops-Run: r1",
        "ops-task: t1\nops-run: r1",
    ],
)
def test_what_is_not_ours_is_nobodys(text: str) -> None:
    assert read_marks(text) == ()


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("Ops-Attempt: a3-f12", (3, 12)),
        ("Ops-Attempt: 3", (3, 0)),
        ("Ops-Attempt: a٣-f1", (0, 0)),
        ("Ops-Attempt: a12345678-f1", (0, 0)),
        ("Ops-Attempt:", (0, 0)),
    ],
)
def test_the_attempt(line: str, read: tuple[int, int]) -> None:
    (mark,) = read_marks(f"Ops-Task: t1\nOps-Run: r1\n{line}")
    assert (mark.attempt, mark.fence) == read


@pytest.mark.parametrize("value", ["a b;c", "x" * 129, "", "abc 0123", "abc 0123456789ABCDEF", "abc  0123456789abcdef"])
def test_a_fingerprint_that_is_none_is_left_out(value: str) -> None:
    (mark,) = read_marks(f"Ops-Task: t1\nOps-Run: r1\nOps-Fingerprint: {value}\nOps-Fingerprint: good")
    assert mark.prints == (Print("good"),)


def test_their_number_is_bounded() -> None:
    claims = [(f"p{n}", "") for n in range(MOST_PRINTS + 5)]
    lines = print_lines(claims)
    assert [line.split()[1] for line in lines] == [name for name, _ in claims[:MOST_PRINTS]]
    many = "Ops-Task: t1\nOps-Run: r1\n" + "\n".join(f"Ops-Fingerprint: p{n}" for n in range(1000))
    assert len(read_marks(many)[0].prints) == MOST_PRINTS
    assert len(read_marks("Ops-Task: t1\nOps-Run: r1\n" * 1000)) == MOST_MARKS


def test_a_pull_request_speaks_for_its_own_branch_only() -> None:
    text = f"{OTHER}\n\n{LINES}"
    assert mark_of_branch(text, "ops/r1/t1") == MARK
    for branch in ("ops/r1/t2", "ops/r2/t1", "ops/sync/0123456789ab", "feature", ""):
        assert mark_of_branch(text, branch) is None


def test_a_cause_is_not_told() -> None:
    assert len(cause_mark("Ops-Task: x\n@rita #7")) == 16
    assert cause_mark("a") != cause_mark("b")
    assert "secret" not in "".join(print_lines([("abc", "secret")]))


HOSTILE = st.one_of(st.text(max_size=80), st.sampled_from([f"\n\n{OTHER}\n", f"\r\n{LINES}", "\u2028Ops-Task: x"]))


@given(
    HOSTILE,
    HOSTILE,
    st.lists(st.tuples(st.from_regex(r"[A-Za-z0-9:._-]{1,128}", fullmatch=True), st.text(max_size=20)), max_size=24),
)
def test_law_both_texts_of_ours_say_every_finding_and_nothing_from_outside(
    title: str, said: str, claims: list[tuple[str, str]]
) -> None:
    made = record(title, *claims, description=said, acceptance=(said,))
    expected = tuple(Print(name, cause_mark(cause)) for name, cause in dict(made.spec.claims).items())[:MOST_PRINTS]
    (squash,) = read_marks(squash_message(made, run="r1", summary=said))
    assert squash == Mark(run="r1", task="t1", attempt=2, fence=7, prints=expected)
    body = pull_body(made, run="r1", verified=Outcome(kind=OutcomeKind.VERIFIED, summary=said, base="b" * 40))
    assert read_marks(body) == (Mark(run="r1", task="t1", prints=expected),)
    assert mark_of_branch(body, "ops/r1/t1") is not None


@given(st.text(max_size=400))
def test_law_no_text_is_too_odd_to_be_read(text: str) -> None:
    for mark in read_marks(f"Ops-Task: t1\nOps-Run: r1\n{text}"):
        assert len(mark.prints) <= MOST_PRINTS


def part(task: str, *, total: int = 2, run: str = "r1", whole: str = "big") -> Merged:
    share = Share(whole=whole, total=total, prints=(Print("w"),))
    return Merged(project="app", run=run, task=task, where=f"commit-{task}", prints=(Print(task),), share=share)


@pytest.mark.parametrize(
    ("merges", "found"),
    [
        ([], []),
        ([part("a")], []),
        ([part("a"), part("a")], []),
        ([part("a"), part("b", run="r2")], []),
        ([part("a"), part("b", whole="other")], []),
        ([part("a", total=3), part("b", total=3)], []),
        ([part("a"), part("b")], ["big was merged by run r1 (commit-a, commit-b)"]),
    ],
)
def test_a_split_task_is_merged_once_all_of_its_parts_are(merges: list[Merged], found: list[str]) -> None:
    assert [one.said for one in wholes(merges)] == found
    assert all(one.prints == (Print("w"),) for one in wholes(merges))


def test_each_part_says_what_the_whole_settles() -> None:
    whole = record("Mend it", ("abc", "c1"), ("def", ""), acceptance=("one", "two")).spec
    made = parts_of(whole, pieces(whole), {"t1"}, by="rule")
    for spec in made:
        one = TaskRecord(run="r1", spec=spec, state=TaskState.SHIPPING, attempt=1, fence=7, head="a" * 40)
        (mark,) = read_marks(squash_message(one, run="r1", summary=""))
        prints = (Print("abc", cause_mark("c1")), Print("def", cause_mark("")))
        assert mark.share == Share(whole="t1", total=2, prints=prints)
        assert mark.prints == (Print(spec.fingerprint, cause_mark("")),)


@pytest.mark.parametrize(
    "line", ["Ops-Part-Of: big", "Ops-Part-Of: big 1", "Ops-Part-Of: ../x 2", "Ops-Part-Of: big 100"]
)
def test_a_share_that_is_none_is_left_out(line: str) -> None:
    assert read_marks(f"{LINES}\n{line}") == (MARK,)
