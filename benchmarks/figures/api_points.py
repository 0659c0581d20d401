"""Points of GitHub's limits a merged pull request. The figures of `python -m benchmarks.api_points`."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from pathlib import Path

from benchmarks.api_points import ENV, measured
from benchmarks.figure import Effort, Result, Row
from tests.engine.walk import walking


def measure(effort: Effort) -> Result:
    """Once: the figure is counted, not timed."""
    options = Namespace(repositories=effort.of(4, 1), changes=effort.of(5, 1), ci=2, timeout=400.0)
    with tempfile.TemporaryDirectory(prefix="bench") as home, walking(Path(home), **ENV) as walk:
        found = measured(walk, options)
    each = found["points_per_merge"]
    row = Row(
        "API points a merged pull request",
        "≤ 12",
        f"{each:.1f} points, {found['requests_per_merge']:.1f} requests",
        met=each <= 12,
    )
    told = f"{found['merged']} pull requests in {options.repositories} repositories, CI of 60 s looked at every 30 s."
    return Result("api_points", [row], told, found)
