"""What the sandbox adds to the start of an agent: the same program in it and without it, in turn."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.clock import seconds
from benchmarks.figure import Effort, Result, Row, median, percentile
from ops_orchestrate.adapters.sandbox import SandboxSpec, confine
from ops_orchestrate.config import Settings


def measure(effort: Effort) -> Result:
    """Pairs of starts; the difference of each pair is one value."""
    pairs = effort.of(60, 2)
    with tempfile.TemporaryDirectory(prefix="bench") as home:
        tree = Path(home) / "tree"
        tree.mkdir()
        spec = SandboxSpec(cwd=tree, write=(tree,))
        confined = confine(["true"], spec, Settings(data_dir=Path(home)))
        plain, inside = [], []
        for _ in range(pairs):
            plain.append(1000 * seconds(["true"], confined.env))
            inside.append(1000 * seconds(confined.argv, confined.env))
    added = [one - other for one, other in zip(inside, plain, strict=True)]
    middle = median(added)
    row = Row(
        "sandbox, added to a start",
        "≤ 50 ms",
        f"p50 {middle:.0f} ms, p90 {percentile(added, 0.9):.0f} ms",
        f"no sandbox {median(plain):.1f} ms",
        met=middle <= 50,
    )
    told = f"`true` in bubblewrap as an agent is started, and without, {pairs} times in turn."
    return Result("sandbox", [row], told, {"added": added, "plain": plain})
