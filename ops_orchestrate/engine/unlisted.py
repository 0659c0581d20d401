"""What foreign code wanted to reach and could not: told to the owner, who alone can put it on a list."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.hosts import why_refused
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import LedgerUnavailable


def tell_unlisted(key: StageKey, who: str, hosts: Sequence[str], setting: str, tools: Toolbox) -> None:
    """A warning in the story of the attempt, where there is something to tell. `setting`: where the list is."""
    text = why_refused(who, hosts, setting)
    if text:
        with suppress(LedgerUnavailable):  # no reason to end an attempt
            tools.note(key, EventKind.WARNING, {"text": tools.secrets.redact(f"{key.task}: {text}")})
