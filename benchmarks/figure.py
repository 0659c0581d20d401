"""What a benchmark brings back: rows of the table, what it ran with, and series for the pictures."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Effort:
    """How thoroughly to measure. `small` is the smallest size that still runs everything: for the smoke test."""

    rounds: int = 3
    small: bool = False

    def of(self, full: int, small: int) -> int:
        """The size that this effort asks for."""
        return small if self.small else full


@dataclass(frozen=True)
class Row:
    """One line of the table. Texts carry their units; `met` is None where the goal is no number."""

    figure: str
    goal: str
    ours: str
    peer: str = ""
    bound: str = ""
    met: bool | None = None


@dataclass
class Result:
    """What one benchmark brought back."""

    name: str
    rows: list[Row]
    conditions: str
    """How it was measured, in a sentence or two, for whoever reads the figure."""
    data: dict[str, Any] = field(default_factory=dict)
    """Plain values: every round's figures, and the series that pictures are drawn from."""

    def as_json(self) -> dict[str, Any]:
        """Everything, ready to be written."""
        return asdict(self)


def median(values: Sequence[float]) -> float:
    """The middle one of the rounds."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of them lie: one of them, never between two."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float], unit: str = "", digits: int = 2) -> str:
    """The median with the lowest and the highest round."""
    low, mid, high = min(values), median(values), max(values)
    text = f"{mid:.{digits}f}{unit}"
    return text if len(values) < 2 else f"{text} ({low:.{digits}f}–{high:.{digits}f})"
