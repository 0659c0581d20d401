"""The table of all figures, as text for a terminal."""

from __future__ import annotations

from typing import Any

_HEAD = ("figure", "goal", "ours", "peer, same run", "bound", "met")


def table(kept: dict[str, Any]) -> str:
    """Every figure that was measured, one a line."""
    rows = [_HEAD, *(cells(row) for found in kept["results"].values() for row in found["rows"])]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("─" * width for width in widths))
    broken = [
        f"{name} could not be measured ({found['error']})"
        for name, found in kept["results"].items()
        if "error" in found
    ]
    return "\n".join([*lines, *broken])


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """One row's cells as text."""
    met = {True: "yes", False: "no", None: ""}[row["met"]]
    return row["figure"], row["goal"], row["ours"], row["peer"], row["bound"], met
