"""What of an agent's words becomes a note: one clean line, the newest, not too often, and never a secret."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_orchestrate.core.agent import AgentEvent, AgentEventKind, ToolState
from ops_orchestrate.core.redaction import redact
from ops_orchestrate.engine.remark import Remarks

CALL = AgentEventKind.TOOL_CALL
TOKEN = "ghp_" + "a1B2" * 9
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(["MIIEpAIBAAKCAQEA" + "x1Y2" * 12] * 40) + "\n"


class Clock:
    """Time that passes when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def printed(text: str) -> list[AgentEvent]:
    return [AgentEvent(kind=AgentEventKind.OUTPUT, text=text)]


def remarks(clock: Clock | None = None) -> Remarks:
    return Remarks(lambda text: redact(text, ()), 10, clock or Clock())


def test_the_newest_whole_line_is_told() -> None:
    assert remarks().newest(printed("reading\nthinking\n\n  \n")) == "thinking"
    assert remarks().newest(printed("reading\nthin")) == "reading"
    assert remarks().newest(printed("no end of a line")) == ""
    assert remarks().newest([]) == ""


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            {"kind": AgentEventKind.TOOL_CALL, "tool": "Bash", "text": "make test", "state": ToolState.BEGUN},
            "Bash: make test",
        ),
        ({"kind": AgentEventKind.TOOL_CALL, "text": "", "state": ToolState.DONE}, ""),
        ({"kind": AgentEventKind.PLAN, "text": "Read it first"}, "Read it first"),
        ({"kind": AgentEventKind.RETRY, "text": "asked again"}, "asked again"),
        ({"kind": AgentEventKind.STOP, "text": "completed"}, ""),
        ({"kind": AgentEventKind.USAGE, "tokens": 9}, ""),
    ],
)
def test_what_it_does_is_told_like_what_it_prints(event: dict[str, Any], told: str) -> None:
    clock = Clock()
    notes = remarks(clock)
    assert notes.newest([AgentEvent(**event)]) == told
    assert notes.newest(printed("next\n")) == ("" if told else "next"), "as seldom"


def test_it_is_told_seldom_and_never_twice() -> None:
    clock = Clock()
    notes = remarks(clock)
    assert notes.newest(printed("one\n")) == "one"
    clock.now += 9
    assert notes.newest(printed("two\n")) == ""
    assert notes.newest(printed("three\n")) == ""
    clock.now += 1
    assert notes.newest([]) == "three", "what came in between is told when its time has come"
    clock.now += 20
    assert notes.newest([]) == ""
    assert notes.newest(printed("three\n")) == ""


def test_a_message_is_told_at_once() -> None:
    notes = remarks()
    assert notes.newest(printed("one\n")) == "one"
    said = AgentEvent(kind=AgentEventKind.MESSAGE, text=f"I use\n{TOKEN}")
    assert notes.newest([*printed("two\n"), said]).startswith("I use ")
    assert TOKEN not in notes.newest([said])


def test_no_secret_is_told_in_one_piece_or_in_several() -> None:
    assert TOKEN not in remarks().newest(printed(f"token {TOKEN}\n"))
    clock = Clock()
    notes = remarks(clock)
    told = []
    for piece in (f"token {TOKEN[:20]}", f"{TOKEN[20:]}\n", *(f"{line}\n" for line in KEY.splitlines())):
        told.append(notes.newest(printed(piece)))
        clock.now += 10
    assert TOKEN[:12] not in "".join(told) and TOKEN[-12:] not in "".join(told)
    assert "MIIEpAIBAAKCAQEA" not in "".join(told)


def test_the_head_of_a_line_that_is_too_long_is_not_taken_for_a_line() -> None:
    assert remarks().newest(printed("x" * 20_000 + f"{TOKEN}\n")) == ""


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=8))
def test_law_a_note_is_one_printable_line(pieces: list[str]) -> None:
    clock = Clock()
    notes = remarks(clock)
    for piece in pieces:
        clock.now += 10
        note = notes.newest(printed(piece + "\n"))
        assert note == "".join(note.splitlines()) and note.isprintable() and len(note) <= 200
