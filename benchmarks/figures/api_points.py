"""Points of GitHub's limits a merged pull request. The figures of `python -m benchmarks.api_points`."""

from __future__ import annotations

from argparse import Namespace

from benchmarks.api_points import measured
from benchmarks.figure import Effort, Result, Row


def measure(effort: Effort) -> Result:
    """Once: the figure is counted, not timed."""
    speed = float(effort.of(3, 30))
    options = Namespace(repositories=effort.of(4, 1), changes=effort.of(5, 1), ci=60.0, speed=speed, timeout=1800.0)
    found = measured(options)
    each = found["points_per_merge"]
    row = Row(
        "API points a merged pull request",
        "≤ 12",
        f"{each:.1f} points, {found['requests_per_merge']:.1f} requests",
        met=each <= 12,
    )
    told = (
        f"{found['merged']} pull requests in {options.repositories} repositories that nobody knows yet, five agents, "
        f"CI of {found['ci_seconds']:g} s, settings at their defaults, "
        + ("in real time." if found["speed"] == 1 else f"time {found['speed']:g} times as fast.")
    )
    return Result("api_points", [row], told, found)
