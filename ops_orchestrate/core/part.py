"""What a part of a split task has of its own; everything else it has from the whole (core/split.py)."""

from __future__ import annotations

from ops_orchestrate.core.value import Value

MOST_PARTS = 8


class Part(Value):
    """One part as it is proposed, by a rule or by an agent."""

    title: str
    about: str = ""
    """What it is, in words. Data, as every description."""
    acceptance: tuple[str, ...] = ()
    """Empty: the whole's."""
    paths: tuple[str, ...] = ()
    """Empty: the whole's."""
    after: tuple[int, ...] = ()
    """Which parts it waits for: their places in the list, from 0."""
