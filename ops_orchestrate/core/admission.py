"""Who may start now: at most five agents in all, one writer a repository, nothing before the quiet ends.

Two tasks work in one repository at once only if both declared their paths and the paths cannot meet. It picks
in rank order and passes over what does not fit, so no slot waits for a busy repository. Members of a team that start
before their blockers have finished come after all others, and never take the last slot: somebody who waits for nobody
can always work. It grants nothing: the ledger does that in one step, or not at all when the board has moved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ops_orchestrate.core.board import MAX_AGENTS, Board, Candidate, Host
from ops_orchestrate.core.budget import Budget, Wait
from ops_orchestrate.core.ownership import overlap
from ops_orchestrate.core.placement import ANYONE, Needs, free_places, place, serving
from ops_orchestrate.core.rank import order
from ops_orchestrate.core.spend import Reserve


class Pick(NamedTuple):
    """A candidate to grant, and what its attempt sets aside."""

    candidate: Candidate
    reserve: Reserve | None = None
    host: str = ANYONE
    """The machine that is to do it."""


#: Free slots that there have to be where a member starts early: its own, and one for others.
_BESIDE_EARLY = 2


def room(board: Board, now: float) -> int:
    """How many agents may start now: free slots under the cap that no reviewer waits for, and free agent processes."""
    if now < board.quiet_until:
        return 0
    return max(0, min(min(MAX_AGENTS, board.cap) - len(board.slots) - board.reserved, board.capacity))


def choose(
    board: Board, now: float, budget: Budget | None = None, needs: Callable[[Candidate], Needs] | None = None
) -> tuple[Pick, ...]:
    """The candidates to grant, best first; never more than fit, and none is left that would still fit.

    `budget`: what money and quotas allow; None: nobody counts. `needs`: what each asks of its machine; None: nothing.
    """
    free = room(board, now)
    if not free:
        return ()
    hall = _Hall.of(board)
    picked: list[Pick] = []
    for one in sorted(order(board.candidates, board, now), key=lambda candidate: candidate.early):
        where = None if hall.is_shut_to(one, free - len(picked)) else hall.place(needs(one) if needs else None)
        if where is None:
            continue
        reserve = budget.ask(one) if budget else None
        if isinstance(reserve, Wait):
            continue
        if budget and reserve:
            budget = budget.with_reserve(one, reserve)
        picked.append(Pick(one, reserve, where))
        hall.enter(one, where)
        if len(picked) == free:
            break
    return tuple(picked)


@dataclass
class _Hall:
    """Who is at work, where, and on what; filled as candidates are picked."""

    held: dict[str, list[tuple[str, ...]]]
    """Repository: what its writers have declared."""
    started: set[tuple[str, str]]
    hosts: list[Host]
    places: dict[str, int]

    @classmethod
    def of(cls, board: Board) -> _Hall:
        held: dict[str, list[tuple[str, ...]]] = {}
        for owner in board.owners:
            held.setdefault(owner.repo, []).append(owner.paths)
        hosts = serving("agent", board.hosts)
        started = {(slot.run, slot.task) for slot in board.slots}
        return cls(held, started, hosts, free_places("agent", hosts, board.slots))

    def is_shut_to(self, one: Candidate, free: int) -> bool:
        """Whether it is under way, early where only the last slot is free, or in another writer's way."""
        last = one.early and free < _BESIDE_EARLY
        writers = self.held.get(one.repo, ())
        return last or (one.run, one.task) in self.started or any(overlap(one.paths, paths) for paths in writers)

    def place(self, needs: Needs | None) -> str | None:
        """The machine for it; None: it waits for one."""
        return place(needs, self.hosts, self.places) if needs else ANYONE

    def enter(self, one: Candidate, where: str) -> None:
        """It is granted."""
        self.started.add((one.run, one.task))
        self.held.setdefault(one.repo, []).append(one.paths)
        if where:
            self.places[where] -= 1
