"""The end of an attempt: a rule says where its task goes, the ledger moves it, dependants are told.

Only a completed task publishes its edges, once, with no attempt number in their ids; every other end leaves the
joins pending, so that an answer in the morning goes on where it stopped. An attempt may also end in the split of its
task.
"""

from __future__ import annotations

from ops_orchestrate.core.attempt import Outcome, OutcomeKind, StageKey
from ops_orchestrate.core.attempt_rule import after
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.engine.admit import fill, offer, publish_edges
from ops_orchestrate.engine.budget import another_has_quota
from ops_orchestrate.engine.finish import finish
from ops_orchestrate.engine.red_base import after_merge
from ops_orchestrate.engine.send import tell_what_failed
from ops_orchestrate.engine.split import split
from ops_orchestrate.engine.toolbox import Toolbox

#: What stands for an attempt of which nothing was recorded: its worker vanished before it could say anything.
_NOTHING = Outcome(kind=OutcomeKind.LOST, summary="The worker vanished before it recorded anything.")


def settle(key: StageKey, tools: Toolbox) -> None:
    """Move the task on, start what it frees, and see whether the run has ended."""
    over = tools.ledger.looks.over(key)
    outcome = over.outcome or _NOTHING
    run = tools.ledger.runs.get(key.run)
    settlement = after(
        outcome,
        spent=over.spent,
        max_attempts=tools.settings.max_attempts,
        run_stopping=bool(run.stop),
        cancelled=over.cancelled,
        now=over.now,
        quota_pause=tools.settings.quota_pause,
        another=outcome.kind is OutcomeKind.QUOTA and another_has_quota(run.request, tools),
    )
    if split(key, outcome, settlement, stopping=bool(run.stop), tools=tools):
        fill(tools)
        return
    if settlement.state is TaskState.RETRYABLE:
        tell_what_failed(key, outcome, tools)
    settled = tools.ledger.attempts.settle(key, settlement)
    if settled.state is TaskState.COMPLETED:
        publish_edges(key.run, key.task, tools, settled.dependants)
        if settled.blocked:
            after_merge(key.run, key.task, tools)
    elif settled.applied and settled.state in (TaskState.RETRYABLE, TaskState.QUEUED):
        offer(key.run, key.task, tools)
    fill(tools)
    finish(key.run, tools)
