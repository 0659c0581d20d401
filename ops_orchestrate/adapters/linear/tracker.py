"""Moving a ticket to done, when it is told to."""

from __future__ import annotations

import re

import httpx

from ops_orchestrate.adapters.linear.answers import UNKNOWN
from ops_orchestrate.adapters.linear.client import linear_client
from ops_orchestrate.config import Settings
from ops_orchestrate.core.mentions import LINEAR
from ops_orchestrate.errors import SourceUnavailable, UsageError
from ops_orchestrate.ports import Secrets


class LinearTracker:
    """Implements ports.Tracker."""

    name = LINEAR

    def __init__(self, settings: Settings, secrets: Secrets, transport: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        self._secrets = secrets
        self._transport = transport

    def close(self, closes: str) -> bool:
        """Move `linear:ENG-12` to its team's first state that means done; False where it is over already.

        Sent once: after SourceUnavailable it may have happened, and asking again is safe. Raises UsageError for what
        is no ticket of Linear.
        """
        source, _, identifier = closes.partition(":")
        if source != LINEAR or not re.fullmatch(r"[A-Za-z0-9]{1,20}-[0-9]{1,10}", identifier):
            raise UsageError(f"{closes} is no ticket of Linear.")
        with linear_client(self._settings, self._secrets, self._transport) as client:
            ticket, state, done = client.done_states(identifier)
            if state.over:
                return False
            if state.type == UNKNOWN:
                raise SourceUnavailable(f"{identifier} is in a state of a kind we do not know; move it yourself")
            if not done:
                raise SourceUnavailable(f"the team of {identifier} has no state in Linear that means done")
            client.move(ticket, done[0].id)
            return True
