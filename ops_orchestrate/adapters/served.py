"""Looks at a deployed service over HTTP: is it healthy, and which commit does it run? Sends nothing.

The URLs are the owner's, from the registry. Redirects are not followed: a health page that moves is not healthy.
"""

from __future__ import annotations

import re

import httpx

from ops_orchestrate.core.change import HealthLook, ServedLook
from ops_orchestrate.core.names import one_line

#: Seconds for one answer; tries of a connection that is refused (a deployment may be restarting).
TIMEOUT = 10.0
TRIES = 2
#: Where a version page says it, as the plugin's services file has it.
_KEYS = ("commit", "sha", "gitSha")
_SHA = re.compile(r"[0-9a-f]{7,64}")


class HttpHealth:
    """Implements ports.Health with httpx."""

    def look(self, url: str) -> HealthLook:
        """Whether the URL answers 200. Never raises: what can't be reached is not healthy, and says why."""
        answer = _get(url)
        if isinstance(answer, str):
            return HealthLook(ok=False, detail=answer)
        return HealthLook(ok=answer.status_code == httpx.codes.OK, detail=f"HTTP {answer.status_code}")

    def served(self, url: str) -> ServedLook:
        """The commit that the URL's JSON names. Never raises: what names none says why."""
        answer = _get(url)
        if isinstance(answer, str):
            return ServedLook(commit="", detail=answer)
        try:
            said = answer.json() if answer.status_code == httpx.codes.OK else None
        except ValueError:
            said = None
        values = [said[key] for key in _KEYS if key in said] if isinstance(said, dict) else []
        commit = next((one.lower() for one in values if isinstance(one, str) and _SHA.fullmatch(one.lower())), "")
        detail = f"it serves {commit[:10]}" if commit else f"HTTP {answer.status_code} without a commit"
        return ServedLook(commit=commit, detail=detail)


def _get(url: str) -> httpx.Response | str:
    """The answer, or why there is none."""
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=TRIES), timeout=TIMEOUT) as client:
            return client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"no answer: {one_line(str(error), 200) or type(error).__name__}"
