"""Who may start now: at most five agents in all, one writer a repository, nothing before the quiet ends.

Two tasks work in one repository at once only if both declared their paths and the paths cannot meet. It picks
in rank order and passes over what does not fit, so no slot waits for a busy repository. Members of a team that start
before their blockers have finished come after all others, and never take the last slot: somebody who waits for nobody
can always work. It grants nothing: the ledger does that in one step, or not at all when the board has moved.
"""

from __future__ import annotations

from typing import NamedTuple

from ops_orchestrate.core.board import MAX_AGENTS, Board, Candidate
from ops_orchestrate.core.budget import Budget, Wait
from ops_orchestrate.core.ownership import overlap
from ops_orchestrate.core.rank import order
from ops_orchestrate.core.spend import Reserve


class Pick(NamedTuple):
    """A candidate to grant, and what its attempt sets aside."""

    candidate: Candidate
    reserve: Reserve | None = None


#: Free slots that there have to be where a member starts early: its own, and one for others.
_BESIDE_EARLY = 2


def room(board: Board, now: float) -> int:
    """How many agents may start now: free slots under the cap that no reviewer waits for, and free agent processes."""
    if now < board.quiet_until:
        return 0
    return max(0, min(min(MAX_AGENTS, board.cap) - len(board.slots) - board.reserved, board.capacity))


def choose(board: Board, now: float, budget: Budget | None = None) -> tuple[Pick, ...]:
    """The candidates to grant, best first; never more than fit, and none is left that would still fit.

    `budget`: what money and quotas allow; None: nobody counts.
    """
    free = room(board, now)
    if not free:
        return ()
    held: dict[str, list[tuple[str, ...]]] = {}
    for owner in board.owners:
        held.setdefault(owner.repo, []).append(owner.paths)
    picked: list[Pick] = []
    started = {(slot.run, slot.task) for slot in board.slots}
    for one in sorted(order(board.candidates, board, now), key=lambda candidate: candidate.early):
        writers = held.setdefault(one.repo, [])
        last = one.early and free - len(picked) < _BESIDE_EARLY
        if last or (one.run, one.task) in started or any(overlap(one.paths, paths) for paths in writers):
            continue
        reserve = budget.ask(one) if budget else None
        if isinstance(reserve, Wait):
            continue
        if budget and reserve:
            budget = budget.with_reserve(one, reserve)
        picked.append(Pick(one, reserve))
        started.add((one.run, one.task))
        writers.append(one.paths)
        if len(picked) == free:
            break
    return tuple(picked)
