"""The Protocols behind which stands what comes after a merge: errors in production, and the issues that it was for."""

from __future__ import annotations

from typing import Protocol

from ops_orchestrate.core.severity import ErrorCount


class Errors(Protocol):
    """Errors in production, as a window after a deployment shows them."""

    def count(self, project: str, *, since: float, until: float, release: str = "") -> ErrorCount:
        """The errors of a Sentry project between two moments (seconds since 1970), of one release or of all.

        Raises SourceUnavailable, also where it is not set up: what is not known is never none."""


class Tracker(Protocol):
    """A place whose issues or tickets have a state. It moves one only when it is told to, never by itself."""

    name: str

    def close(self, closes: str) -> bool:
        """Mark as done what `Finding.closes` names (`sentry:4711`, `linear:ENG-12`); False where it was done already.

        Raises SourceUnavailable: it may have happened, and doing it again is safe. UsageError: not of this place."""
