"""Secret scan and redaction, with the values that this process knows by now."""

from __future__ import annotations

from collections.abc import Callable

from ops_orchestrate.adapters import secretscan
from ops_orchestrate.core import redaction
from ops_orchestrate.core.change import Diff
from ops_orchestrate.core.refusal import SecretFinding


class Secrecy:
    """Implements ports.SecretScan. `values` is asked each time: a token may have been fetched meanwhile."""

    def __init__(self, values: Callable[[], tuple[str, ...]]) -> None:
        self._values = values

    def scan(self, diff: Diff) -> tuple[SecretFinding, ...]:
        """Where the added lines hold what looks like a secret."""
        return secretscan.scan(diff)

    def redact(self, text: str) -> str:
        """`text` without values known to this process, and without known shapes."""
        return redaction.redact(text, self._values())
