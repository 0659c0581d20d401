"""Split a task in place of another attempt at the whole of it. The parts join the plan; nobody else notices."""

from __future__ import annotations

from ops_orchestrate.core.attempt import Outcome, Settlement, StageKey
from ops_orchestrate.core.narrowing import failures_of
from ops_orchestrate.core.split import composite_of, may_be_split, parts_of, pieces, worn_out
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.engine.admit import admit
from ops_orchestrate.engine.toolbox import Toolbox

#: A split stands in for these; what a person has to decide, or has withdrawn, is not split.
_INSTEAD_OF = (TaskState.RETRYABLE, TaskState.DISCARDED)


def split(key: StageKey, outcome: Outcome, settlement: Settlement, *, stopping: bool, tools: Toolbox) -> bool:
    """Split the task where its attempts have shown that it is too big; False where it goes on undivided."""
    record = tools.ledger.tasks.get(key.run, key.task)
    if stopping or settlement.state not in _INSTEAD_OF or not may_be_split(record.spec):
        return False
    limit = tools.settings.split_after
    attempts = tools.ledger.tasks.attempts(key.run, key.task)
    if not worn_out(failures_of(attempts), limit):
        return False
    found = pieces(record.spec)
    if not found:
        return False
    taken = {task.spec.id for task in tools.ledger.tasks.all(key.run)}
    parts = parts_of(record.spec, found, taken, by="rule")
    why = f"split in {len(parts)}: {limit} attempts in a row were {outcome.kind}"
    if not tools.ledger.tasks.split(key, composite_of(record.spec, parts), parts, why=why, by="rule"):
        return False
    for part in parts:
        admit(key.run, part.id, tools)
    return True
