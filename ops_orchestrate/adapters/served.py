"""One look at a deployed service over HTTP: does its health URL answer? Reads nothing else and sends nothing.

The URL is the owner's, from the registry. Redirects are not followed: a health page that moves is not healthy.
"""

from __future__ import annotations

import httpx

from ops_orchestrate.core.change import HealthLook
from ops_orchestrate.core.names import one_line

#: Seconds for one answer; tries of a connection that is refused (a deployment may be restarting).
TIMEOUT = 10.0
TRIES = 2


class HttpHealth:
    """Implements ports.Health with httpx."""

    def look(self, url: str) -> HealthLook:
        """Whether the URL answers 200. Never raises: what can't be reached is not healthy, and says why."""
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=TRIES), timeout=TIMEOUT) as client:
                answer = client.get(url)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return HealthLook(ok=False, detail=f"no answer: {one_line(str(error), 200) or type(error).__name__}")
        return HealthLook(ok=answer.status_code == httpx.codes.OK, detail=f"HTTP {answer.status_code}")
