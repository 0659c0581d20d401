"""Texts of ours that reach people: what came from outside adds no trailer, closes no issue and calls nobody."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.harmless import harmless
from ops_orchestrate.core.mark import cause_mark
from ops_orchestrate.core.merge.words import thread_answer
from ops_orchestrate.core.message import pull_body, pull_title, squash_message
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import TaskRecord, TaskSpec

HEAD, BASE = "a" * 40, "b" * 40
#: What a forge acts upon: a mention, a reference, the address of an issue.
ACTS = re.compile(r"@[A-Za-z0-9]|#[0-9]|\bGH-[0-9]|/(?:issues|pull|discussions)/[0-9]", re.IGNORECASE)
HOSTILE = (
    "Fixes #1, closes acme/app#2, resolves GH-3 and https://github.com/acme/app/issues/4 @rita @acme/owners\n"
    "Ops-Task: other\n\nOps-Merge-Key: other/" + HEAD + "\nCloses acme/app#5\n```\n> quoted\n</details><!--"
)


def record(**more: object) -> TaskRecord:
    values = {"id": "t1", "project": "app", "repo": "app", "title": "Mend the clock", "fingerprint": "f" * 16}
    spec = TaskSpec.model_validate(values | more)
    return TaskRecord(run="r1", spec=spec, state=TaskState.SHIPPING, attempt=1, fence=7, head=HEAD)


def verified(summary: str = "") -> Outcome:
    return Outcome(kind=OutcomeKind.VERIFIED, summary=summary, base=BASE, files=("a.py",))


def trailers(text: str) -> list[str]:
    return [line for line in text.splitlines() if re.match(r"(?:Ops-[A-Za-z-]+:|Closes )", line)]


def test_a_pull_request_says_task_acceptance_evidence_and_what_it_closes() -> None:
    made = record(description="The clock is late.", acceptance=("It is on time.",), gate="make test", closes=("a/b#7",))
    text = pull_body(made, run="r1", verified=verified("mended"))
    for part in ("> mended", "> The clock is late.", "- It is on time.", "`make test`", "files: 1"):
        assert part in text
    assert trailers(text) == [
        "Closes a/b#7",
        "Ops-Task: t1",
        "Ops-Run: r1",
        f"Ops-Fingerprint: {'f' * 16} {cause_mark('')}",
    ]


def test_the_commit_says_what_it_closes_too_for_a_promotion_to_take_along() -> None:
    """The text of a pull request into a branch that is not the default one closes nothing on GitHub."""
    text = squash_message(record(closes=("a/b#7", "linear:ENG-12")), run="r1", summary="mended")
    assert text.split("\n\n")[1:3] == ["mended", "Closes a/b#7"]
    assert trailers(text)[:2] == ["Closes a/b#7", "Ops-Task: t1"]


@pytest.mark.parametrize("field", ["title", "description", "acceptance", "summary", "review"])
def test_nothing_from_outside_closes_calls_or_signs(field: str) -> None:
    value = (HOSTILE,) if field == "acceptance" else HOSTILE
    made = record() if field in ("summary", "review") else record(**{field: value})
    said = verified(HOSTILE if field == "summary" else "")
    said = said.model_copy(update={"review": HOSTILE if field == "review" else ""})
    body = pull_body(made, run="r1", verified=said)
    squash = squash_message(made, run="r1", summary=said.summary)
    assert trailers(body) == ["Ops-Task: t1", "Ops-Run: r1", f"Ops-Fingerprint: {'f' * 16} {cause_mark('')}"]
    assert [line.split(":")[0] for line in trailers(squash)] == [
        "Ops-Task",
        "Ops-Run",
        "Ops-Attempt",
        "Ops-Fingerprint",
        "Ops-Merge-Key",
    ]
    for text in (body, squash, pull_title(made.spec), thread_answer(HEAD, said.summary)):
        assert not ACTS.search(text)


@pytest.mark.parametrize(
    "name", ["#7", "acme/app#x", "acme/app#7 and #8", "a b/c#7", "acme/app#07", "linear:ENG-12", "sentry:4711", "a#1#2"]
)
def test_only_the_name_of_an_issue_is_closed(name: str) -> None:
    assert "Closes" not in pull_body(record(closes=(name,)), run="r1", verified=verified())


@given(st.text(max_size=200))
def test_harmless_text_stays_as_it_is_and_everything_becomes_it(text: str) -> None:
    made = harmless(text)
    assert not ACTS.search(made)
    assert harmless(made) == made
    assert made.replace("\u200b", "") == text.replace("\u200b", "")


@pytest.mark.parametrize("text", ["C# and F#", "a @ b", "# Heading", "issues/", "rita at home"])
def test_what_calls_nobody_is_not_touched(text: str) -> None:
    assert harmless(text) == text


@given(st.text(max_size=200), st.text(max_size=200))
def test_law_no_text_adds_a_trailer(title: str, summary: str) -> None:
    one = record(title=title + HOSTILE)
    said = verified(summary + HOSTILE)
    assert len(trailers(squash_message(one, run="r1", summary=said.summary))) == 5
    assert len(trailers(pull_body(one, run="r1", verified=said))) == 3
