"""What a task that waits for a person can be answered, and where each answer takes it."""

from __future__ import annotations

from collections.abc import Collection

from ops_orchestrate.core.nearest import did_you_mean
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.core.value import Value

_BLOCKED = frozenset({TaskState.BLOCKED})
_ENDED = frozenset({TaskState.BLOCKED, TaskState.DISCARDED, TaskState.CANCELLED})


class Answer(Value):
    """One possible answer: where it takes the task, and what that means in one sentence."""

    word: str
    to: TaskState
    expect: frozenset[TaskState] = _BLOCKED
    approves: bool = False
    """It approves the change's present head, and no other."""
    text: str


_NO = Answer(word="no", to=TaskState.CANCELLED, text="it is withdrawn")
_RETRY = Answer(word="retry", to=TaskState.QUEUED, expect=_ENDED, text="it gets a fresh set of attempts")
_DONE = Answer(word="done", to=TaskState.COMPLETED, text="it counts as done; what waited for it goes on")

#: By what the task asks (TaskRecord.ask): the answers, the usual one first.
ANSWERS: dict[str, tuple[Answer, ...]] = {
    "approve": (
        Answer(word="yes", to=TaskState.SHIPPING, approves=True, text="it is merged if nothing has moved"),
        _NO,
        _RETRY,
    ),
    "approve-change": (
        Answer(word="yes", to=TaskState.VERIFYING, approves=True, text="it is verified again and then shipped"),
        _NO,
        _RETRY,
    ),
    "land": (Answer(word="yes", to=TaskState.SHIPPING, text="it is landed again"), _DONE, _NO, _RETRY),
    "merged": (
        Answer(word="done", to=TaskState.COMPLETED, text="you have looked; the base takes merges again"),
        _NO,
    ),
    "base": (Answer(word="yes", to=TaskState.VERIFYING, text="it is verified again"), _NO, _RETRY),
    "verify": (Answer(word="yes", to=TaskState.VERIFYING, text="it is verified again"), _NO, _RETRY),
    "done": (_DONE, _NO),
    "dispatch": (Answer(word="yes", to=TaskState.QUEUED, text="it is given to an agent"), _NO),
    "retry": (_RETRY, _DONE, _NO),
}


def answers_for(record: TaskRecord) -> tuple[Answer, ...]:
    """What can be answered now; a discarded or cancelled task can be retried, everything else waits for nobody."""
    if record.state is TaskState.BLOCKED:
        return ANSWERS.get(record.ask, ANSWERS["retry"])
    return (_RETRY,) if record.state in _ENDED else ()


def apply(word: str, record: TaskRecord) -> Answer | str:
    """The answer meant by `word`, or a sentence that says which there are."""
    found = answers_for(record)
    for answer in found:
        if answer.word == word.strip().lower():
            return answer
    task = record.spec.id
    if not found:
        return f"{task} is {record.state} and waits for no answer."
    words = [answer.word for answer in found]
    return f"{task} cannot be answered {word!r}: it takes {', '.join(words)}.{did_you_mean(word, words)}"


def command_for(run: str, record: TaskRecord) -> str:
    """The command line that moves it on, with the usual answer; empty where there is none."""
    return command(run, record.spec.id, record.ask if record.state is TaskState.BLOCKED else "retry")


def command(run: str, task: str, ask: str) -> str:
    """The command line for what a task asks."""
    usual = ANSWERS.get(ask, ANSWERS["retry"])[0].word
    return f"ops-orchestrate answer {run} {task} {usual}"


def asks() -> Collection[str]:
    """Every kind of question."""
    return tuple(ANSWERS)
