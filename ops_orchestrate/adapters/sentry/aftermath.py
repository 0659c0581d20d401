"""Sentry around a merge: the errors in a window after a deployment, and resolving what the merge has fixed."""

from __future__ import annotations

import httpx

from ops_orchestrate.adapters.sentry.client import sentry_client
from ops_orchestrate.config import Settings
from ops_orchestrate.core.mentions import SENTRY, sentry_name
from ops_orchestrate.core.severity import ErrorCount
from ops_orchestrate.errors import SourceUnavailable, UsageError
from ops_orchestrate.ports import Secrets

#: Levels that are no errors. What is not known counts as one: this answers whether a deployment did harm.
_HARMLESS = frozenset({"sample", "debug", "info", "warning"})


class SentryAftermath:
    """Implements ports.Errors and ports.Tracker."""

    name = SENTRY

    def __init__(self, settings: Settings, secrets: Secrets, transport: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        self._secrets = secrets
        self._transport = transport

    def count(self, project: str, *, since: float, until: float, release: str = "") -> ErrorCount:
        """The errors of a Sentry project between two moments (seconds since 1970), of one release or of all.

        Raises SourceUnavailable, also where Sentry is not set up: what is not known is never none.
        """
        with sentry_client(self._settings, self._secrets, self._transport) as client:
            found = client.between(project, since, until, release)
        issues = [one for one in found if one.level not in _HARMLESS]
        new = [one for one in issues if one.born is not None and one.born.timestamp() >= since]
        return ErrorCount(
            events=sum(one.count for one in issues),
            issues=len(issues),
            new=tuple(sentry_name(one.short_id) for one in new),
        )

    def close(self, closes: str) -> bool:
        """Resolve `sentry:4711`; False where it was resolved already.

        Sent once: after SourceUnavailable it may have happened, and asking again is safe. Raises UsageError for what
        is no Sentry issue.
        """
        source, _, number = closes.partition(":")
        if source != SENTRY:
            raise UsageError(f"{closes} is no issue of Sentry.")
        with sentry_client(self._settings, self._secrets, self._transport) as client:
            status = client.issue(number).status
            if status == "unknown":
                raise SourceUnavailable(f"Sentry's issue {number} is in a state that is not known here")
            if status == "resolved":
                return False
            client.resolve(number)
            return True
