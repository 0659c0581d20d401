"""A member of a team that has started before its blockers have finished: does it wait, go on, or have to stop?

It may start while every blocker that has not finished has an agent at work (the ledger grants it by the same rule). It
ships nothing before all of them have completed, and stops where one has ended in any other way.
"""

from __future__ import annotations

from collections.abc import Iterable

from ops_orchestrate.core.states import IN_FLIGHT, STARTABLE, TaskState
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.core.value import Value


class Standing(Value):
    """What an early member's blockers mean for it now. None of both: it goes on, all of them have completed."""

    waits: tuple[str, ...] = ()
    """Blockers that are under way, or will be again."""
    lost: tuple[str, ...] = ()
    """Blockers that only a person moves on: what it does would be built on nothing."""

    @property
    def done(self) -> bool:
        """Whether everything that it builds on is there."""
        return not (self.waits or self.lost)

    @property
    def why(self) -> str:
        """Why it stops or waits, in one sentence."""
        if self.lost:
            return f"What it was to build on has ended otherwise: {', '.join(self.lost)}."
        return f"waits for {', '.join(self.waits)}" if self.waits else ""


def standing(blockers: Iterable[TaskRecord]) -> Standing:
    """Sort its blockers."""
    waits, lost = [], []
    for blocker in blockers:
        if blocker.state in IN_FLIGHT | STARTABLE:
            waits.append(blocker.spec.id)
        elif blocker.state is not TaskState.COMPLETED:
            lost.append(f"{blocker.spec.id} is {blocker.state}")
    return Standing(waits=tuple(waits), lost=tuple(lost))
