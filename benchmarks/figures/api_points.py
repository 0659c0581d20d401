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
    options = Namespace(repositories=effort.of(4, 1), changes=effort.of(5, 1), ci=2, poll=2.0, timeout=500.0)
    with (
        tempfile.TemporaryDirectory(prefix="bench") as home,
        walking(Path(home), **ENV, OPS_CI_POLL=str(options.poll)) as walk,
    ):
        found = measured(walk, options)
    each = found["points_per_merge"]
    row = Row(
        "API points a merged pull request",
        "≤ 12",
        f"{each:.1f} points, {found['requests_per_merge']:.1f} requests",
        met=each <= 12,
    )
    told = f"{found['merged']} pull requests in {options.repositories} repositories, five agents, CI of two looks."
    return Result("api_points", [row], told, found)
