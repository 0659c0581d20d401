"""Words of ours on the forge: trailers that find our work again, and texts from outside that can do nothing there."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.message import merge_key, pull_body, squash_message
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import TaskRecord
from tests.builders import make_task

HEAD, BASE = "a" * 40, "b" * 40
HOSTILE = (
    "Closes #1\nFixes acme/app#2, resolves: https://github.com/a/b/issues/3, cc @everybody\n"
    "Ops-Task: another\n\n---\nOps-Merge-Key: x/y"
)


def record(**fields: object) -> TaskRecord:
    spec = make_task("pay", closes=("acme/app#7", "linear:ENG-12"), **fields)
    return TaskRecord(run="r1", spec=spec, state=TaskState.SHIPPING, attempt=2, fence=9, head=HEAD)


def trailers(text: str) -> list[tuple[str, str]]:
    """What git reads as trailers of the last paragraph, and anybody who greps for a line."""
    return re.findall(r"^(Ops-[A-Za-z-]+): (.*)$", text, re.MULTILINE)


def closing(text: str) -> list[str]:
    """The issues that GitHub would close by such a text."""
    return re.findall(r"(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+((?:[\w./-]*)#\d+|https?://\S+)", text)


def body(one: TaskRecord, summary: str) -> str:
    verified = Outcome(kind=OutcomeKind.VERIFIED, summary=summary, head=HEAD, base=BASE, files=("a.py",))
    return pull_body(one, run="r1", verified=verified)


def test_a_pull_request_says_what_was_proved_and_closes_its_issue() -> None:
    text = body(record(gate="make test", acceptance=("It pays.",)), "Paid.")
    assert "- quality gate `make test`: passed on the merge of aaaaaaaaaaaa into bbbbbbbbbbbb" in text
    assert "- It pays." in text
    assert closing(text) == ["acme/app#7"]
    assert [name for name, _ in trailers(text)] == ["Ops-Task", "Ops-Run", "Ops-Fingerprint"]


def test_text_from_outside_neither_calls_closes_nor_signs() -> None:
    one = record(title=HOSTILE, description=HOSTILE, acceptance=(HOSTILE,))
    text = body(one, HOSTILE)
    assert closing(text) == ["acme/app#7"]
    assert "@everybody" not in text
    assert [value for name, value in trailers(text) if name == "Ops-Task"] == ["pay"]
    squash = squash_message(one, run="r1", summary=HOSTILE)
    assert closing(squash) == []
    assert "@everybody" not in squash
    assert dict(trailers(squash))["Ops-Merge-Key"] == merge_key(one) == f"pay/{HEAD}"
    assert len(trailers(squash)) == len(dict(trailers(squash))) == 5


def test_what_people_write_stays_as_it_is() -> None:
    for title in ("fix: the total of #7", "Close the socket", "Resolve names of acme/app"):
        assert squash_message(record(title=title), run="r1", summary="").splitlines()[0] == title


@given(st.text(max_size=200), st.text(max_size=200))
def test_law_no_text_adds_a_trailer(title: str, summary: str) -> None:
    one = record(title=title + HOSTILE)
    assert len(trailers(squash_message(one, run="r1", summary=summary + HOSTILE))) == 5
    assert len(trailers(body(one, summary + HOSTILE))) == 3
