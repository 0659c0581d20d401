"""Split a task in place of an attempt at the whole of it. The parts join the plan; nobody else notices."""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate.core.attempt import Outcome, OutcomeKind, Settlement, StageKey
from ops_orchestrate.core.narrowing import failures_of
from ops_orchestrate.core.part import Part
from ops_orchestrate.core.split import composite_of, may_be_split, parts_of, pieces, worn_out
from ops_orchestrate.core.split_question import judge
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import TaskSpec
from ops_orchestrate.engine.admit import admit
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import PlanError

#: A split stands in for these; what a person has to decide, or has withdrawn, is not split.
_INSTEAD_OF = (TaskState.RETRYABLE, TaskState.DISCARDED)


def split(key: StageKey, outcome: Outcome, settlement: Settlement, *, stopping: bool, tools: Toolbox) -> bool:
    """Split the task where an agent was asked how, or its attempts have shown that it is too big.

    False where it goes on undivided.
    """
    if stopping or settlement.state not in _INSTEAD_OF:
        return False
    record = tools.ledger.tasks.get(key.run, key.task)
    if not may_be_split(record.spec):
        return False
    if outcome.kind is OutcomeKind.PLANNED:
        return _as_proposed(key, record.spec, outcome, tools)
    limit = tools.settings.split_after
    attempts = tools.ledger.tasks.attempts(key.run, key.task)
    found = pieces(record.spec) if worn_out(failures_of(attempts), limit) else ()
    why = f"split in {len(found)}: {limit} attempts in a row were {outcome.kind}"
    return bool(found) and _split(key, record.spec, found, tools, why=why, by="rule")


def _as_proposed(key: StageKey, spec: TaskSpec, outcome: Outcome, tools: Toolbox) -> bool:
    """What was let through when the answer came is asked once more: this process may be of another version."""
    try:
        judge(spec, outcome.parts)
    except PlanError:
        return False
    why = f"split in {len(outcome.parts)}: {outcome.summary}"
    return _split(key, spec, outcome.parts, tools, why=why, by="planner")


def _split(key: StageKey, spec: TaskSpec, found: Sequence[Part], tools: Toolbox, *, why: str, by: str) -> bool:
    taken = {task.spec.id for task in tools.ledger.tasks.all(key.run)}
    parts = parts_of(spec, found, taken, by=by)
    if not tools.ledger.tasks.split(key, composite_of(spec, parts), parts, why=why, by=by):
        return False
    for part in parts:
        admit(key.run, part.id, tools)
    return True
