"""What the real Claude Code said in every situation that was provoked, read again: no Claude Code is needed for this.

`make recordings` makes them anew. The order of lines is not promised, so none of it may matter.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from ops_orchestrate.adapters.agents.claude.agent import TESTED
from ops_orchestrate.adapters.agents.claude.events import events_of
from ops_orchestrate.adapters.agents.claude.tally import Tally
from ops_orchestrate.adapters.agents.claude.wire import read_line
from ops_orchestrate.adapters.process import plain
from ops_orchestrate.core.agent import AgentEnd, AgentEvent
from ops_orchestrate.core.claude_outcome import claude_end

FOLDER = Path(__file__).parent / "recordings"
ROOT = Path(__file__).parents[4]
ANSWER, PRICE = 120, 0.0004
"""Tokens and dollars of one answer of the model stand-in."""

TABLE = [
    # recording, how it exited, the end, answers that were counted, a word of the sentence
    ("done", 0, AgentEnd.DONE, 4, ""),
    ("denied", 0, AgentEnd.DONE, 2, "Denied to it: Bash."),
    ("plans", 0, AgentEnd.DONE, 2, ""),
    ("hiccup", 0, AgentEnd.DONE, 1, ""),
    ("twice", 0, AgentEnd.DONE, 2, ""),
    ("resumed", 0, AgentEnd.DONE, 1, ""),
    ("unpriced", 0, AgentEnd.DONE, 1, ""),
    ("credit", 1, AgentEnd.QUOTA, 0, "Credit balance is too low"),
    ("rate", 1, AgentEnd.QUOTA, 0, "more times (rate_limit)"),
    ("overloaded", 1, AgentEnd.QUOTA, 0, "(529)"),
    ("key", 1, AgentEnd.UNSTARTED, 0, "does not accept the key (401)"),
    ("broken", 1, AgentEnd.FAILED, 0, "failed (500)"),
    ("wrong", 1, AgentEnd.FAILED, 0, "failed (400)"),
    ("turns", 1, AgentEnd.FAILED, 2, "Reached maximum number of turns (2)"),
    ("budget", 1, AgentEnd.FAILED, 2, "Reached maximum budget"),
    ("interrupted", 1, AgentEnd.FAILED, 1, "aborted_tools"),
    ("killed", 137, AgentEnd.CRASHED, 0, "by signal 9, without a result."),
    ("option", 1, AgentEnd.UNSTARTED, 0, "unknown option '--no-such-option'"),
]


def recorded(name: str) -> tuple[int, list[bytes]]:
    """How the process exited, and its lines."""
    first, *lines = (FOLDER / f"{name}.jsonl").read_bytes().splitlines()
    head = json.loads(first)
    assert head["version"] == TESTED, "run `make recordings`"
    return head["exit_code"], lines


def heard(lines: list[bytes]) -> tuple[Tally, list[AgentEvent]]:
    tally, events = Tally(), []
    for line in lines:
        ours, frame = read_line(line)
        if not ours:
            tally.noise(plain(line))
            continue
        tally.spoke()
        if frame is not None:
            tally.take(frame)
            events += events_of(frame)
    return tally, events


def test_every_recording_is_in_the_table() -> None:
    assert {path.stem for path in FOLDER.glob("*.jsonl")} == {row[0] for row in TABLE}


@pytest.mark.parametrize(("name", "code", "end", "answers", "says"), TABLE, ids=[row[0] for row in TABLE])
def test_how_it_ended_and_what_it_cost(name: str, code: int, end: AgentEnd, answers: int, says: str) -> None:
    exit_code, lines = recorded(name)
    tally, _ = heard(lines)
    found, detail = claude_end(tally.run(exit_code))
    assert (exit_code, found) == (code, end), detail
    assert says in detail
    assert tally.tokens == answers * ANSWER
    unknown = name in ("killed", "option", "unpriced")
    assert tally.cost_usd == (None if unknown else pytest.approx(answers * PRICE))


@pytest.mark.parametrize("name", [row[0] for row in TABLE if row[0] not in ("twice", "option")])
def test_where_its_first_line_stands_does_not_matter(name: str) -> None:
    """`system/init` comes late, and again, and lines of unknown kinds between all others."""
    exit_code, lines = recorded(name)
    init = [line for line in lines if b'"subtype":"init"' in line]
    rest = [line for line in lines if line not in init]
    strange = [b'{"type":"later/kind","x":[1]}', b'{"type":"system","subtype":"new"}']
    moved = [each for line in rest for each in (*strange, line)] + init + init
    tally, events = heard(moved)
    expected, told = heard(lines)
    assert claude_end(tally.run(exit_code))[0] is claude_end(expected.run(exit_code))[0]
    assert (tally.tokens, tally.cost_usd, tally.version) == (expected.tokens, expected.cost_usd, expected.version)
    assert events == told


@pytest.mark.parametrize("name", [row[0] for row in TABLE])
def test_torn_and_hostile_lines_raise_nothing(name: str) -> None:
    """Cut anywhere, with any value replaced by one of another type: read as something, or as nothing."""
    _, lines = recorded(name)
    chance = random.Random(name)
    for line in lines:
        for _ in range(20):
            heard([line[: chance.randrange(len(line) + 1)]])
            heard([bytes(chance.randrange(256) if chance.random() < 0.01 else byte for byte in line)])
            heard([_twisted(line, chance)])


def _twisted(line: bytes, chance: random.Random) -> bytes:
    try:
        data = json.loads(line)
    except ValueError:
        return line
    values = [None, True, -1, 10**400, "x" * 100, [], [[]], {}, {"type": {}}]
    for name in list(data):
        if name != "type" and chance.random() < 0.3:
            data[name] = chance.choice(values)
    return json.dumps(data).encode()


def test_the_total_of_a_resumed_session_is_not_what_it_cost() -> None:
    """Its own total begins where the first process ended; ours counts what was used since."""
    _, lines = recorded("resumed")
    (result,) = [json.loads(line) for line in lines if b'"type":"result"' in line]
    tally, _ = heard(lines)
    assert result["total_cost_usd"] == pytest.approx(2 * PRICE)
    assert tally.cost_usd == pytest.approx(PRICE)


def test_the_pinned_version_is_the_tested_one() -> None:
    assert f"@anthropic-ai/claude-code@{TESTED}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
