"""Secrets in the added lines of a change: kind and place, never the value.

Two sets of eyes: the structural detectors of detect-secrets and our own shapes (core/redaction). The entropy and
keyword detectors are left out, because a refusal here is final for the change: they cry at lock files and at
`password = "example"` in tests. So is the one for URLs: it cries at placeholders, which our own shape knows. The
detectors are called directly, so that no setting of detect-secrets can make them verify a find over the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ops_orchestrate.core.change import Diff
from ops_orchestrate.core.redaction import kinds_in, redact
from ops_orchestrate.core.refusal import SecretFinding

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

__all__ = ["redact", "scan", "scan_lines"]

#: A longer line (minified code) is looked at in pieces that overlap, so that no search takes quadratic time.
_PIECE, _OVERLAP = 4000, 600


def scan(diff: Diff) -> tuple[SecretFinding, ...]:
    """Every kind of secret in every added line, in the order of the diff."""
    return tuple(found for change in diff.files for found in scan_lines(change.path, change.added))


def scan_lines(path: str, lines: Sequence[str]) -> tuple[SecretFinding, ...]:
    """The finds in some lines of one file, numbered from 1; one per line and kind."""
    found = []
    for number, line in enumerate(lines, start=1):
        kinds = dict.fromkeys(kind for piece in _pieces(line) for kind in _kinds(piece))
        found += [SecretFinding(path=path, kind=kind, line=number) for kind in kinds]
    return tuple(found)


def _pieces(line: str) -> Iterator[str]:
    for start in range(0, max(1, len(line)), _PIECE):
        yield line[max(0, start - _OVERLAP) : start + _PIECE]


def _kinds(piece: str) -> Iterator[str]:
    ours = kinds_in(piece)
    if ours:
        yield from ours
        return
    for detector in _plugins():
        if any(True for _ in detector.analyze_string(piece)):
            yield str(detector.secret_type)


@lru_cache(maxsize=1)
def _plugins() -> tuple[BasePlugin, ...]:
    from ops_orchestrate.adapters.secretdetectors import DETECTORS  # takes 60 ms, and one step of many scans

    return tuple(detector() for detector in DETECTORS)
