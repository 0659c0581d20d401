"""The Protocol behind which stands what a host keeps of agents between their attempts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class KeptSessions(Protocol):
    """Sessions that the next attempt of a task may go on with."""

    def forget(self, *, known: Collection[str], before: float) -> int:
        """Remove those of runs that are not `known` and that nobody has used since (seconds since 1970); how many."""
