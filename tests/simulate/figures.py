"""Many worlds, split over processes, and the table of what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from statistics import median

from tests.simulate.ledger import CRASH_POINTS, Defect
from tests.simulate.mutants import MUTANTS
from tests.simulate.world import play

#: Worlds that one process plays before it reports.
_CHUNK = 200


@dataclass(slots=True)
class Figures:
    """What came of the worlds of one kind."""

    ruleset: bool
    worlds: int = 0
    pulls: int = 0
    merges: int = 0
    looks: int = 0
    bad_worlds: int = 0
    violations: Counter[str] = field(default_factory=Counter)
    seeds: dict[str, list[int]] = field(default_factory=dict)
    """A few seeds of each violation."""
    crashes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Figures) -> None:
        self.worlds += other.worlds
        self.pulls += other.pulls
        self.merges += other.merges
        self.looks += other.looks
        self.bad_worlds += other.bad_worlds
        self.violations += other.violations
        self.crashes += other.crashes
        for what, seeds in other.seeds.items():
            self.seeds[what] = (self.seeds.get(what, []) + seeds)[:5]


@dataclass(frozen=True, slots=True)
class Kill:
    """How many worlds it took to notice a mutant, from each of several seeds; None: not within the budget."""

    name: str
    worlds: tuple[int | None, ...]
    what: str = ""

    @property
    def killed(self) -> bool:
        return all(n is not None for n in self.worlds)

    @property
    def median(self) -> float:
        return median(float("inf") if n is None else n for n in self.worlds)


def survey(first: int, worlds: int, *, ruleset: bool) -> Figures:
    """The worlds of the seeds `first` … `first + worlds - 1`."""
    figures = Figures(ruleset)
    for seed in range(first, first + worlds):
        outcome = play(seed, ruleset=ruleset)
        figures.worlds += 1
        figures.pulls += outcome.pulls
        figures.merges += outcome.merges
        figures.looks += outcome.looks
        figures.bad_worlds += bool(outcome.violations)
        figures.crashes.update(outcome.crashes)
        for what, _ in outcome.violations:
            figures.violations[what] += 1
            figures.seeds.setdefault(what, []).append(seed)
    return figures


def kill(defect: Defect, first: int, budget: int) -> tuple[int | None, str]:
    """Worlds until it does something wrong where nothing changes between a look and the act, and what that was.

    The real gate does nothing wrong there, with a ruleset or without (`test_simulation.py`). Kinds take turns.
    """
    for n in range(budget):
        outcome = play(first + n // 2, ruleset=bool(n % 2), defect=defect, still=not defect.shows_as)
        found = [what for what, _ in outcome.violations if defect.shows_as in ("", what)]
        if found:
            return n + 1, found[0]
    return None, ""


def kill_from(defect: Defect, seeds: Sequence[int], budget: int) -> Kill:
    """The same from several seeds."""
    found = [kill(defect, seed, budget) for seed in seeds]
    what = Counter(what for _, what in found if what).most_common(1)
    return Kill(defect.name, tuple(n for n, _ in found), what[0][0] if what else "")


def survey_all(first: int, worlds: int, processes: int, tell: Callable[[str], None]) -> list[Figures]:
    """The same seeds with and without a ruleset."""
    totals = {True: Figures(True), False: Figures(False)}
    with ProcessPoolExecutor(processes) as pool:
        starts = [start for start in range(first, first + worlds, _CHUNK) for _ in totals]
        sizes = [min(_CHUNK, first + worlds - start) for start in starts]
        kinds = [True, False] * (len(starts) // 2)
        for part in pool.map(_survey, starts, sizes, kinds):
            total = totals[part.ruleset]
            total.add(part)
            if total.worlds % (_CHUNK * 10) == 0:
                tell(f"{total.worlds} worlds {_kind(part.ruleset)}: {total.bad_worlds} with a violation")
    return list(totals.values())


def kill_all(first: int, starts: int, budget: int, processes: int) -> list[Kill]:
    """Every mutant, from several seeds each."""
    seeds = [first + n * budget for n in range(starts)]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(_kill, [d.name for d in MUTANTS], [seeds] * len(MUTANTS), [budget] * len(MUTANTS)))


def table(figures: Sequence[Figures], kills: Sequence[Kill]) -> Iterator[str]:
    """The figures as lines."""
    for part in figures:
        yield (
            f"{part.worlds} worlds {_kind(part.ruleset)}: {part.bad_worlds} with a violation "
            f"({part.pulls} pull requests, {part.merges} merged by us, {part.looks} decisions)"
        )
        for what, count in part.violations.most_common():
            yield f"  {what:<34} {count:>7}   seeds {', '.join(map(str, part.seeds[what]))}"
    if figures:
        crashed = sum((part.crashes for part in figures), Counter[str]())
        hit = sum(point in crashed for point in CRASH_POINTS)
        yield f"crash points hit: {hit}/{len(CRASH_POINTS)} ({crashed.total()} crashes)"
    if kills:
        killed = [k for k in kills if k.killed]
        middle = median(k.median for k in kills)
        yield f"mutants killed: {len(killed)}/{len(kills)}; median worlds to kill: {middle:g}"
        for k in sorted(kills, key=lambda k: k.median):
            most = max((n for n in k.worlds if n is not None), default=0)
            worlds = "not within the budget" if not k.killed else f"{k.median:g} worlds (at most {most})"
            yield f"  {k.name:<36} {worlds:<34} {k.what}"


def _kind(ruleset: bool) -> str:
    return "with a ruleset" if ruleset else "without a ruleset"


def _survey(first: int, worlds: int, ruleset: bool) -> Figures:
    return survey(first, worlds, ruleset=ruleset)


def _kill(name: str, seeds: Sequence[int], budget: int) -> Kill:
    return kill_from(next(d for d in MUTANTS if d.name == name), seeds, budget)
