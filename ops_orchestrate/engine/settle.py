"""The end of an attempt: a rule says where its task goes, the ledger moves it, dependants are told.

Only a completed task is counted by the joins that it leads into, once, with no attempt number in the ids of its parts;
every other end leaves the joins pending, so that an answer in the morning goes on where it stopped. An attempt may also
end in the split of its task.
"""

from __future__ import annotations

from ops_orchestrate.core.attempt import Outcome, OutcomeKind, StageKey
from ops_orchestrate.core.attempt_rule import after
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.engine.admit import fill, publish_edges
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
    request = tools.ledger.runs.request(key.run)
    settlement = after(
        outcome,
        spent=over.spent,
        max_attempts=tools.settings.max_attempts,
        run_stopping=over.stopping,
        cancelled=over.cancelled,
        now=over.now,
        quota_pause=tools.settings.quota_pause,
        another=outcome.kind is OutcomeKind.QUOTA and another_has_quota(request, tools),
    )
    if split(key, outcome, settlement, stopping=over.stopping, tools=tools):
        fill(tools)
        return
    if settlement.state is TaskState.RETRYABLE:
        tell_what_failed(key, outcome, tools)
    settled = tools.ledger.attempts.settle(key, settlement)
    offered = publish_edges(key.run, key.task, tools, settled.edges) if settled.edges else False
    if settled.state is TaskState.COMPLETED and settled.blocked:
        after_merge(key.run, key.task, tools)
    if settled.wanted or offered:
        fill(tools)
    if not settled.in_flight:
        finish(key.run, tools)
