"""The figures, as docs/reliability.md has them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.checker import RULES, percentile
from tests.chaos.points import common_points, every_point


@dataclass
class Figures:
    """What some worlds came to, together."""

    worlds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    runs: int = 0
    tasks: int = 0
    merges: int = 0
    most_agents: int = 0
    outages: list[float] = field(default_factory=list)
    calm: list[float] = field(default_factory=list)
    """Seconds from the last fault to the end of the last run, by world."""
    seconds: float = 0.0
    points: set[str] = field(default_factory=set)
    """Crash points that the sweep hit."""
    points_in_workers: set[str] = field(default_factory=set)
    """Those that real workers died at, or were not answered."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Faults that this machine cannot have, and why."""


def rows(figures: Figures) -> str:
    """Three tables: what was done, what was found, what it cost."""
    lines = ["| fault | times |", "|---|---|"]
    lines += [f"| {name} | {count} |" for name, count in sorted(figures.faults.items())]
    lines += [f"| {name} | skipped: {why} |" for name, why in figures.skipped.items()]
    lines += [f"| all | {figures.faults.total()} |", "", "| violation | times |", "|---|---|"]
    lines += [f"| {name} | {figures.violations[name]} |" for name in RULES]
    outages = sorted(figures.outages)
    ends = ", ".join(f"{name} {count}" for name, count in sorted(figures.outcomes.items()))
    lines += [
        "", "| | |", "|---|---|",
        f"| crash points hit, one after the other | {len(figures.points)}/{len(every_point())} |",
        f"| crash points hit in real workers, as they came | {len(figures.points_in_workers)}/{len(common_points())} |",
        f"| worlds | {figures.worlds} |",
        f"| runs | {figures.runs} |",
        f"| tasks, merged changes | {figures.tasks}, {figures.merges} |",
        f"| attempts | {ends} |",
        f"| processes started again | {figures.restarts} |",
        f"| most agents seen at one moment | {figures.most_agents} |",
        f"| tasks that were disturbed | {len(outages)} |",
        f"| until one was in hands again, p50 | {percentile(outages, 0.5):.1f} s |",
        f"| … p99 | {percentile(outages, 0.99):.1f} s |",
        f"| from the last fault to the end of all runs, at most | {max(figures.calm, default=0):.0f} s |",
        f"| took | {figures.seconds:.0f} s |",
    ]  # fmt: skip
    return "\n".join(lines)
