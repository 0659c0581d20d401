"""Says something to the agent of a task: a person from outside, or the engine by itself."""

from __future__ import annotations

import uuid

from ops_orchestrate.core.attempt import Outcome, OutcomeKind, StageKey
from ops_orchestrate.core.mail import LONGEST, Topic, audit_failed, letter
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.steering import meaning
from ops_orchestrate.core.task import TaskMode
from ops_orchestrate.core.value import Value
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError, UsageError

#: Who sends what nobody typed.
ENGINE = "ops-orchestrate"

_AUDITED = frozenset({OutcomeKind.REJECTED, OutcomeKind.REFUSED, OutcomeKind.CONFLICT, OutcomeKind.SENT_BACK})


class Sent(Value):
    """What became of a message, in one sentence; its number, and whether an agent is at work that may be told now."""

    text: str
    number: int
    running: bool


def send(run: str, task: str, words: str, *, by: str, tools: Toolbox) -> Sent:
    """Put a person's words into a task's mailbox, without secrets.

    Raises UsageError for words that are none or too many, OpsError where nobody would read them, UnknownTask.
    """
    if len(words) > LONGEST:
        raise UsageError(f"A message has at most {LONGEST:,} characters; put what is longer into the repository.")
    made = letter(by, Topic.PERSON, tools.secrets.redact(words))
    if not made.text:
        raise UsageError("The message is empty.")
    record = tools.ledger.tasks.get(run, task)
    name = record.spec.member or task
    posted = tools.ledger.mail.send(run, task, made, id=f"person:{uuid.uuid4().hex}")
    if posted.kind == "ended":
        raise OpsError(meaning(tools.ledger.tasks.get(run, task).state, name))
    if posted.kind == "full":
        raise OpsError(f"The mailbox of {name} is full; `cancel` or `retry --note` is the way to say more.")
    running = record.state is TaskState.RUNNING
    return Sent(
        text=f"{name} is at work." if running else meaning(record.state, name), number=posted.number, running=running
    )


def tell_what_failed(key: StageKey, outcome: Outcome, tools: Toolbox) -> None:
    """The seed's word to a member whose work did not pass: it is told once, with the start of its next attempt."""
    spec = tools.ledger.tasks.get(key.run, key.task).spec
    if spec.mode is TaskMode.TEAM and outcome.kind in _AUDITED:
        made = letter(ENGINE, Topic.AUDIT, tools.secrets.redact(audit_failed(outcome.summary)))
        tools.ledger.mail.send(key.run, key.task, made, id=f"audit:{key.attempt}")
