"""Amounts, commands, and the question for the mode."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.names import short
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.amounts import count, duration, money
from ops_orchestrate.report.commands import command, next_command
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.live import event_line
from ops_orchestrate.report.matrix import CHOICES, MATRIX, mode_question
from ops_orchestrate.report.view import TaskView
from tests.report.snapshot import check_snapshot
from tests.report.story import Story


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "—"),
        (0.0, "0.0 s"),
        (0.44, "0.4 s"),
        (-3.0, "0.0 s"),
        (45.0, "45 s"),
        (59.7, "1 min"),
        (724.0, "12 min 4 s"),
        (7500.0, "2 h 5 min"),
        (3600.0, "1 h"),
        (273_600.0, "3 d 4 h"),
    ],
)
def test_duration(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("dollars", "words"),
    [(0.0, "$0.00"), (0.0042, "$0.0042"), (0.5, "$0.50"), (1.005, "$1.00"), (1234.5, "$1,234.50")],
)
def test_money(dollars: float, words: str) -> None:
    assert money(dollars) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 tasks"), (1, "1 task"), (1200, "1,200 tasks")])
def test_count(number: int, words: str) -> None:
    assert count(number, "task") == words


@pytest.mark.parametrize(
    ("commit", "shown"), [("ab" * 20, "abababab"), ("#4417", "#4417"), ("", ""), ("zz" * 20, "zz" * 20)]
)
def test_short(commit: str, shown: str) -> None:
    assert short(commit) == shown


@pytest.mark.parametrize(
    ("state", "ask", "shown"),
    [
        (TaskState.BLOCKED, "approve", "ops-orchestrate answer r1 t yes"),
        (TaskState.BLOCKED, "retry", "ops-orchestrate answer r1 t retry"),
        (TaskState.BLOCKED, "done", "ops-orchestrate answer r1 t done"),
        (TaskState.BLOCKED, "approve-change", "ops-orchestrate answer r1 t yes"),
        (TaskState.BLOCKED, "land", "ops-orchestrate answer r1 t yes"),
        (TaskState.BLOCKED, "verify", "ops-orchestrate answer r1 t yes"),
        (TaskState.BLOCKED, "dispatch", "ops-orchestrate answer r1 t yes"),
        (TaskState.BLOCKED, "something new", "ops-orchestrate answer r1 t retry"),
        (TaskState.DISCARDED, "", "ops-orchestrate retry r1 t"),
        (TaskState.CANCELLED, "", "ops-orchestrate retry r1 t"),
        (TaskState.COMPLETED, "", ""),
        (TaskState.QUEUED, "", ""),
    ],
)
def test_the_command_that_moves_a_task_on(state: TaskState, ask: str, shown: str) -> None:
    assert next_command("r1", TaskView(id="t", state=state, ask=ask)) == shown


def test_a_name_that_a_shell_would_read_is_quoted() -> None:
    assert command("retry", "r1", "x; rm -rf ~") == "ops-orchestrate retry r1 'x; rm -rf ~'"


def test_the_mode_question_is_the_seeds() -> None:
    check_snapshot("mode-question", mode_question())
    assert mode_question().startswith(MATRIX)
    assert list(CHOICES) == ["subagents", "teams", "hybrid", "dry-run"]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("interrupted", "↻ a goes back to those that wait"),
        ("failed", "↻ a will be tried again with a different brief"),
    ],
)
def test_who_was_interrupted_needs_no_other_brief(outcome: str, words: str) -> None:
    story = Story().begin().plan({"id": "a"}).start("a", 1).end("a", outcome).settle("a", "retryable")
    assert event_line(story.events[-1], fold(story.events)) == words
