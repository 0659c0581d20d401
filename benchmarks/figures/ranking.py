"""The rule that decides who starts next, played in time that costs nothing: how far from the bound is it?

The rule is the real one (`core.admission.choose` on boards as the ledger shows them); only the clock is not. It knows
lengths that are guessed with noise, and the play goes by the true ones.
"""

from __future__ import annotations

import heapq
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from benchmarks.figure import Effort, Result, Row, percentile
from benchmarks.graphs import SLOTS, Node, Plan, bound, draw, guesses, waves
from ops_orchestrate.core.admission import choose
from ops_orchestrate.core.board import Board, Candidate, Owner, Slot
from ops_orchestrate.core.graph import Graph

Chooser = Callable[[Board], Sequence[Candidate]]


def measure(effort: Effort) -> Result:
    """Uniform and hot repositories, the same seeds for every rule."""
    seeds = range(effort.of(200, 4))
    size = effort.of(300, 60)
    rows, data = [], {}
    for name, hot in (("uniform", False), ("hot repositories", True)):
        ratios: dict[str, list[float]] = {"ours": [], "first come": [], "waves": []}
        for found in _played(seeds, partial(_ratios, size=size, hot=hot), alone=effort.small):
            for rule, ratio in found.items():
                ratios[rule].append(ratio)
        mean, high = statistics.fmean(ratios["ours"]), percentile(ratios["ours"], 0.95)
        others = ", ".join(f"{rule} {statistics.fmean(ratios[rule]):.3f}" for rule in ("first come", "waves"))
        rows.append(
            Row(
                f"ranking rule, {name}",
                "mean ≤ 1.01, p95 ≤ 1.02",
                f"mean {mean:.3f}, p95 {high:.3f}",
                others,
                "1.000",
                mean <= 1.01 and high <= 1.02,
            )
        )
        data[name] = ratios
    told = f"Makespan over the lower bound; {len(seeds)} random plans of {size} tasks, 20 repositories, {SLOTS} slots."
    return Result("ranking", rows, told, data)


def _played(seeds: range, one: Callable[[int], dict[str, float]], *, alone: bool) -> Iterator[dict[str, float]]:
    """Every seed, on two cores: nothing here is timed."""
    if alone:
        yield from map(one, seeds)
        return
    with ProcessPoolExecutor(2) as pool:
        yield from pool.map(one, seeds, chunksize=10)


def _ratios(seed: int, *, size: int, hot: bool) -> dict[str, float]:
    """Makespan over the bound of one plan, by rule."""
    plan = draw(seed, size, hot=hot)
    least, guessed = bound(plan), guesses(plan, seed)
    return {
        "ours": play(plan, guessed, _ours) / least,
        "first come": play(plan, guessed, _first_come) / least,
        "waves": by_waves(plan) / least,
    }


class _Play:
    """One plan on the board, in simulated seconds."""

    def __init__(self, plan: Plan, guessed: Mapping[str, float]) -> None:
        graph = Graph({one.id: one.blockers for one in plan})
        self.nodes = {one.id: one for one in plan}
        self.guessed, self.dependants = guessed, graph.dependants
        self.left = graph.path_left(guessed)
        self.waits = {one.id: len(one.blockers) for one in plan}
        self.work: dict[str, float] = {}
        for one in plan:
            self.work[one.repo] = self.work.get(one.repo, 0.0) + guessed[one.id]
        self.now = 0.0
        self.running: list[tuple[float, str]] = []
        self.began: dict[str, float] = {}
        self.ready = {one.id: self._candidate(one.id) for one in plan if not one.blockers}

    def board(self) -> Board:
        """What the ledger would show now."""
        busy = [self.nodes[task] for _, task in self.running]
        return Board.model_construct(
            version=0,
            now=self.now,
            cap=SLOTS,
            capacity=SLOTS - len(busy),
            slots=tuple(self._slot(one) for one in busy),
            reserved=0,
            owners=tuple(Owner(repo=one.repo, run="r", task=one.id, fence=1, lease_until=0) for one in busy),
            candidates=tuple(self.ready.values()),
            unmerged=(),
            repo_work=dict(self.work),
            quiet_until=0.0,
            born=0.0,
            parked={},
        )

    def start(self, task: str) -> None:
        """It has a slot."""
        del self.ready[task]
        self.began[task] = self.now
        heapq.heappush(self.running, (self.now + self.nodes[task].seconds, task))

    def end_next(self) -> None:
        """Go on to the next end."""
        self.now, task = heapq.heappop(self.running)
        self.work[self.nodes[task].repo] -= self.guessed[task]
        for later in self.dependants[task]:
            self.waits[later] -= 1
            if not self.waits[later]:
                self.ready[later] = self._candidate(later)

    def _candidate(self, task: str) -> Candidate:
        return Candidate(
            run="r",
            task=task,
            repo=self.nodes[task].repo,
            path_left=self.left[task],
            estimate=self.guessed[task],
            offered_at=self.now,
        )

    def _slot(self, one: Node) -> Slot:
        return Slot(index=1, run="r", task=one.id, attempt=1, fence=1, taken_at=self.began[one.id], lease_until=0)


def play(plan: Plan, guessed: Mapping[str, float], rule: Chooser) -> float:
    """Seconds until everything is done."""
    game = _Play(plan, guessed)
    while True:
        for one in rule(game.board()):
            game.start(one.task)
        if not game.running:
            assert not game.ready
            return game.now
        game.end_next()


def by_waves(plan: Plan) -> float:
    """Seconds where each wave waits for the whole one before; inside a wave, first come."""
    return sum(
        play([one._replace(blockers=()) for one in wave], {one.id: one.seconds for one in wave}, _first_come)
        for wave in waves(plan)
    )


def _ours(board: Board) -> Sequence[Candidate]:
    return [pick.candidate for pick in choose(board, board.now)]


def _first_come(board: Board) -> Sequence[Candidate]:
    """Whoever became ready first, and fits: what most engines do."""
    busy = {owner.repo for owner in board.owners}
    picked: list[Candidate] = []
    for one in sorted(board.candidates, key=lambda one: (one.offered_at, int(one.task[1:]))):
        if len(picked) < board.capacity and one.repo not in busy:
            busy.add(one.repo)
            picked.append(one)
    return picked
