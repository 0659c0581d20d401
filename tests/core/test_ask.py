"""What can be answered, where each answer leads, and the command that is printed for it."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.ask import ANSWERS, Answer, answers_for, apply, asks, command_for
from ops_orchestrate.core.states import IN_FLIGHT, MOVES, STARTABLE, TaskState
from ops_orchestrate.core.task import TaskRecord
from tests.builders import make_task


def record(state: TaskState = TaskState.BLOCKED, **kw: Any) -> TaskRecord:
    return TaskRecord(**({"run": "r1", "spec": make_task(), "state": state} | kw))


def answered(word: str, task: TaskRecord) -> Answer:
    found = apply(word, task)
    assert isinstance(found, Answer), found
    return found


@pytest.mark.parametrize(
    ("ask", "word", "to"),
    [
        ("approve", "yes", TaskState.SHIPPING),
        ("approve", "no", TaskState.CANCELLED),
        ("approve", "retry", TaskState.QUEUED),
        ("approve-change", "yes", TaskState.VERIFYING),
        ("land", "yes", TaskState.SHIPPING),
        ("land", "done", TaskState.COMPLETED),
        ("verify", "yes", TaskState.VERIFYING),
        ("done", "done", TaskState.COMPLETED),
        ("dispatch", "yes", TaskState.QUEUED),
        ("dispatch", "no", TaskState.CANCELLED),
        ("retry", "retry", TaskState.QUEUED),
        ("an-older-version's", "retry", TaskState.QUEUED),
        ("", "done", TaskState.COMPLETED),
    ],
)
def test_where_an_answer_leads(ask: str, word: str, to: TaskState) -> None:
    assert answered(word, record(ask=ask)).to is to


def test_only_a_yes_to_a_change_approves_and_nothing_approves_what_a_guard_blocks() -> None:
    approving = {(ask, answer.word) for ask, answers in ANSWERS.items() for answer in answers if answer.approves}
    assert approving == {("approve", "yes"), ("approve-change", "yes")}
    assert not any(answer.approves for answer in ANSWERS["retry"])


@pytest.mark.parametrize("state", [TaskState.DISCARDED, TaskState.CANCELLED])
def test_what_was_given_up_can_be_retried_only(state: TaskState) -> None:
    assert [answer.word for answer in answers_for(record(state))] == ["retry"]


@pytest.mark.parametrize("state", sorted(IN_FLIGHT | STARTABLE | {TaskState.COMPLETED}))
def test_what_waits_for_nobody_takes_no_answer(state: TaskState) -> None:
    assert answers_for(record(state)) == ()
    assert apply("yes", record(state)) == f"t1 is {state} and waits for no answer."


def test_a_wrong_answer_is_told_which_there_are() -> None:
    told = apply("retri", record(ask="approve"))
    assert isinstance(told, str)
    assert "yes, no, retry" in told
    assert "retry" in told.rsplit(".", 2)[-2] + told.rsplit(".", 1)[-1]


def test_letter_case_and_blanks_do_not_matter() -> None:
    assert answered(" YES ", record(ask="approve")).word == "yes"


@pytest.mark.parametrize("ask", ANSWERS)
def test_every_answer_is_a_move_that_the_states_allow(ask: str) -> None:
    for answer in ANSWERS[ask]:
        assert TaskState.BLOCKED in answer.expect
        assert all(answer.to in MOVES[state] for state in answer.expect)
        assert answer.text


@pytest.mark.parametrize("ask", [*asks(), "unknown"])
def test_the_printed_command_is_one_that_works(ask: str) -> None:
    task = record(ask=ask)
    words = shlex.split(command_for("r1", task))
    assert words[:4] == ["ops-orchestrate", "answer", "r1", "t1"]
    assert answered(words[4], task) == answers_for(task)[0]


def test_the_command_for_what_was_given_up_tries_again() -> None:
    task = record(TaskState.DISCARDED, ask="approve")
    assert isinstance(apply(command_for("r1", task).split()[-1], task), Answer)


@given(st.text(max_size=20), st.sampled_from(TaskState), st.sampled_from([*ANSWERS, ""]))
def test_any_word_is_an_answer_of_the_list_or_a_sentence(word: str, state: TaskState, ask: str) -> None:
    task = record(state, ask=ask)
    found = apply(word, task)
    assert found in answers_for(task) if isinstance(found, Answer) else bool(found)
