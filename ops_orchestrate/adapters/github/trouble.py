"""What GitHub's refusals mean for whoever asked. Each is SourceUnavailable: nobody knows, which is not "none"."""

from __future__ import annotations

from ops_orchestrate.errors import SourceUnavailable


class Missing(SourceUnavailable):
    """404 or 410: it is not there, or we may not know that it is."""


class Denied(SourceUnavailable):
    """401 or 403 for another reason than a limit: this identity may not see it."""


class Transient(SourceUnavailable):
    """An answer that another try may mend: a broken connection, a 5xx, half an answer. Only reads are tried again."""


def worth_another_try(error: Exception) -> bool | float:
    """For stamina: whether a failed read is tried again, or after how many seconds at the least."""
    if not isinstance(error, Transient):
        return False
    return error.retry_after or True
