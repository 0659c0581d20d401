"""Seconds, money and numbers of things as people say them."""

from __future__ import annotations


def duration(seconds: float | None) -> str:
    """`0.4 s`, `45 s`, `12 min 4 s`, `2 h 5 min`, `3 d 4 h`; a dash where it is not known."""
    if seconds is None:
        return "—"
    if seconds < 1:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    for size, unit, small, below in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {unit}" + (f" {rest} {below}" if rest else "")
    return f"{whole} s"


def money(dollars: float) -> str:
    """US dollars in cents; less than a cent is not shown as nothing."""
    return f"${dollars:.4f}" if 0 < dollars < 0.01 else f"${dollars:,.2f}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 project`, `2 projects`, `0 projects`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
