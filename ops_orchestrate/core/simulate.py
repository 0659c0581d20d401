"""A plan played through on a number of slots: when each task would start and end, if nothing goes wrong.

The same rules as admission: no slot is held while waiting, one writer per repository unless declared paths
are disjoint. Used to choose between two ranks, to forecast a plan, and by the benchmark. It plays expected
lengths, so it predicts no day in particular, and it never looks at a clock.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ops_orchestrate.core.ownership import overlap

#: Score of a task from (its longest path left, the work left in its repository), in seconds; larger starts
#: first.
Rule = Callable[[float, float], float]

#: How many waiting tasks of one busy repository are tried for disjoint paths before it is left alone.
_LOOK = 64


class Piece(NamedTuple):
    """One task, as far as a simulation cares."""

    id: str
    repo: str
    seconds: float
    path_left: float = 0.0
    priority: str = ""
    """Smaller starts first, before any score."""
    paths: tuple[str, ...] = ()
    blockers: tuple[str, ...] = ()
    bonus: float = 0.0
    """Seconds added to the score: waiting, standing."""


class Played(NamedTuple):
    """What came out; times are seconds from the beginning."""

    makespan: float
    starts: dict[str, float]
    ends: dict[str, float]
    most: int
    """The largest number of slots in use at once."""


def by_path(path_left: float, work_left: float) -> float:
    """The longest path alone."""
    del work_left
    return path_left


def by_both(path_left: float, work_left: float) -> float:
    """The larger of path and repository."""
    return max(path_left, work_left)


def simulate(
    pieces: Sequence[Piece],
    slots: int,
    rule: Rule = by_both,
    *,
    busy: Sequence[Piece] = (),
    work: Mapping[str, float] | None = None,
) -> Played:
    """Play the pieces through. Blockers that are not among them count as done.

    `busy` runs already, for `seconds` more. `work` is the work left per repository at the beginning, where
    more is known than the pieces show; by default it is their sum.
    """
    game = _Game(pieces, slots, rule, work)
    for piece in busy:
        game.start(piece)
    game.fill()
    while game.running:
        game.finish_next()
        game.fill()
    return Played(max(game.ends.values(), default=0.0), game.starts, game.ends, game.most)


_Key = tuple[str, float, int]


class _Game:
    """The state of one simulation."""

    def __init__(self, pieces: Sequence[Piece], slots: int, rule: Rule, work: Mapping[str, float] | None) -> None:
        self.rule, self.slots, self.now, self.most = rule, slots, 0.0, 0
        self.pieces = list(pieces)
        self.index = {piece.id: at for at, piece in enumerate(self.pieces)}
        self.work: dict[str, float] = dict(work or {})
        self.waits: list[int] = []
        self.later: dict[str, list[int]] = {}
        self.ready: dict[str, list[_Key]] = {}
        self.writers: dict[str, list[Piece]] = {}
        self.offers: dict[str, Piece | None] = {}
        self.running: list[tuple[float, int, Piece]] = []
        self.starts: dict[str, float] = {}
        self.ends: dict[str, float] = {}
        self._begin(work is None)

    def _begin(self, add_work: bool) -> None:
        for at, piece in enumerate(self.pieces):
            blockers = {blocker for blocker in piece.blockers if blocker in self.index}
            self.waits.append(len(blockers))
            for blocker in blockers:
                self.later.setdefault(blocker, []).append(at)
            if add_work:
                self.work[piece.repo] = self.work.get(piece.repo, 0.0) + piece.seconds
        for at, count in enumerate(self.waits):
            if not count:
                self._make_ready(at)

    def _make_ready(self, at: int) -> None:
        piece = self.pieces[at]
        insort(self.ready.setdefault(piece.repo, []), (piece.priority, -(piece.path_left + piece.bonus), at))
        self.offers.pop(piece.repo, None)

    def start(self, piece: Piece) -> None:
        """It takes a slot and its repository (or its paths in it)."""
        heapq.heappush(self.running, (self.now + piece.seconds, len(self.starts), piece))
        self.writers.setdefault(piece.repo, []).append(piece)
        self.offers.pop(piece.repo, None)
        self.starts[piece.id] = self.now
        self.most = max(self.most, len(self.running))

    def finish_next(self) -> None:
        """Time goes on to the next end, and to all ends at that moment."""
        self.now = self.running[0][0]
        while self.running and self.running[0][0] <= self.now:
            piece = heapq.heappop(self.running)[2]
            self.ends[piece.id] = self.now
            self.writers[piece.repo].remove(piece)
            self.work[piece.repo] = self.work.get(piece.repo, 0.0) - piece.seconds
            self.offers.pop(piece.repo, None)
            for at in self.later.get(piece.id, ()):
                self.waits[at] -= 1
                if not self.waits[at]:
                    self._make_ready(at)

    def fill(self) -> None:
        """Start the best of what fits until no slot is free or nothing fits."""
        while len(self.running) < self.slots:
            best = min(self._offered(), key=self._score, default=None)
            if best is None:
                return
            keys = self.ready[best.repo]
            keys.remove((best.priority, -(best.path_left + best.bonus), self.index[best.id]))
            if not keys:
                del self.ready[best.repo]
            self.start(best)

    def _score(self, piece: Piece) -> tuple[str, float, float, int]:
        score = self.rule(piece.path_left, self.work.get(piece.repo, 0.0)) + piece.bonus
        return piece.priority, -score, -(piece.path_left + piece.bonus), self.index[piece.id]

    def _offered(self) -> Iterable[Piece]:
        for repo in self.ready:
            if repo not in self.offers:
                self.offers[repo] = self._offer(repo)
            offer = self.offers[repo]
            if offer is not None:
                yield offer

    def _offer(self, repo: str) -> Piece | None:
        """The first waiting task of a repository that its writers leave room for."""
        writers = self.writers.get(repo)
        waiting = self.ready[repo]
        if not writers:
            return self.pieces[waiting[0][2]]
        if any(not writer.paths for writer in writers):
            return None
        for _, _, at in waiting[:_LOOK]:
            piece = self.pieces[at]
            if not any(overlap(piece.paths, writer.paths) for writer in writers):
                return piece
        return None
