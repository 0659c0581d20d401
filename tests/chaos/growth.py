"""What an installation holds after a night, and whether it holds more with every one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from statistics import median


@dataclass(frozen=True)
class Figures:
    """What an installation holds after a night."""

    keys: int
    """Of the ledger, the broker and the results together."""
    server_kb: int
    """Memory that the server uses for data."""
    workers_mb: int
    """Resident memory of all workers."""
    handles: int
    """Open files of all workers and the server."""
    threads: int
    files: int
    """Below the data directory, without objects of git."""
    disk_kb: int
    """Their size."""
    objects: int
    """Files with objects of git in the mirrors: loose ones and packs."""
    refs: int
    """Refs of ours in the mirrors."""


#: How far the last third of the nights may lie above the middle third: a factor, and something on top. Open files: a
#: connection more is two of them, its worker's and the server's, and pools keep what their busiest moment needed.
BOUNDS = {
    "keys": (1.05, 5), "server_kb": (1.10, 300), "workers_mb": (1.08, 12), "handles": (1.0, 8), "threads": (1.0, 2),
    "files": (1.05, 5), "disk_kb": (1.10, 200), "objects": (1.5, 300), "refs": (1.05, 5),
}  # fmt: skip


def grown(nights: list[Figures]) -> list[str]:
    """What lies beyond its bound: the median of the last third of the nights against that of the middle third."""
    third = len(nights) // 3
    middle, last = nights[third : 2 * third], nights[2 * third :]
    found = []
    for name, (factor, more) in BOUNDS.items():
        was, became = (median(getattr(one, name) for one in part) for part in (middle, last))
        if became > was * factor + more:
            found.append(f"{name} grew from {was:g} to {became:g}")
    return found


def table(nights: list[Figures]) -> str:
    """The first, a middle and the last night, side by side."""
    chosen = [nights[0], nights[len(nights) // 2], nights[-1]]
    lines = [f"| | night 1 | night {len(nights) // 2 + 1} | night {len(nights)} |", "|---|---|---|---|"]
    for one in fields(Figures):
        cells = " | ".join(str(getattr(figures, one.name)) for figures in chosen)
        lines.append(f"| {_WORDS[one.name]} | {cells} |")
    return "\n".join(lines)


_WORDS = {
    "keys": "keys of the server", "server_kb": "its memory, kB", "workers_mb": "memory of the workers, MB",
    "handles": "open files", "threads": "threads", "files": "files of the data directory", "disk_kb": "their size, kB",
    "objects": "files of git objects in mirrors", "refs": "refs of ours in mirrors",
}  # fmt: skip
