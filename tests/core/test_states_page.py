"""docs/states.md and core/states.py say the same: every state, every move, in the table and in the chart."""

from __future__ import annotations

import re
from pathlib import Path

from ops_orchestrate.core.ask import ANSWERS
from ops_orchestrate.core.states import MOVES, RunState, TaskState
from tests.pages import rows, section

PAGE = (Path(__file__).parents[2] / "docs" / "states.md").read_text(encoding="utf-8")


MOVES_OF_CODE = {(str(state), str(to)) for state, targets in MOVES.items() for to in targets}


def test_every_state_of_a_task_has_its_row() -> None:
    assert [row[0] for row in rows(PAGE, "States of a task")] == [str(state) for state in TaskState]


def test_every_state_of_a_run_has_its_row() -> None:
    assert [row[0] for row in rows(PAGE, "States of a run")] == [str(state) for state in RunState]


def test_the_table_of_moves_is_the_one_of_the_code() -> None:
    table = [(row[0], row[1]) for row in rows(PAGE, "Moves")]
    assert set(table) == MOVES_OF_CODE
    assert len(table) == len(set(table))
    assert all(row[2] for row in rows(PAGE, "Moves"))


def test_the_chart_is_the_table() -> None:
    chart = set(re.findall(r"^    (\w+) --> (\w+)$", section(PAGE, "Moves"), re.MULTILINE))
    assert chart == MOVES_OF_CODE


def test_every_question_has_its_row_with_its_answers_in_their_order() -> None:
    table = {row[0]: row[2].split(", ") for row in rows(PAGE, "What a blocked task asks")}
    assert table == {ask: [answer.word for answer in answers] for ask, answers in ANSWERS.items()}


def test_what_has_no_way_out_ends_in_the_chart() -> None:
    ends = set(re.findall(r"^    (\w+) --> \[\*\]$", section(PAGE, "Moves"), re.MULTILINE))
    assert ends == {str(state) for state in TaskState if not MOVES[state]}
