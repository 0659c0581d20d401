"""The rate limit as GitHub tells it in every answer, and the reserve that an audit never spends.

Who would have to wait is told so (SourceUnavailable with `retry_after`) instead of waiting or spinning: going on
against a limit gets an account banned.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from ops_orchestrate.errors import SourceUnavailable

_UNTOLD_WAIT = 60.0
"""Seconds to stay away where a limit is named without a time."""


class Purpose(StrEnum):
    """What a request is for: an audit can wait for tomorrow, a merge that is under way can't."""

    AUDIT = "audit"
    SHIP = "ship"


class Quota(NamedTuple):
    """What is left of one kind of points until `reset`, in seconds since 1970."""

    limit: int
    remaining: int
    reset: float


class RateLimits:
    """What every answer has said about the limits. Shared by all threads of a process."""

    def __init__(self, reserve: int, now: Callable[[], float]) -> None:
        self._reserve = reserve
        self._now = now
        self._lock = threading.Lock()
        self._quotas: dict[str, Quota] = {}
        self._silent_until = 0.0

    def check(self, resource: str, purpose: Purpose) -> None:
        """Raise SourceUnavailable where a request of this purpose has to wait."""
        now = self._now()
        with self._lock:
            silent, quota = self._silent_until, self._quotas.get(resource)
        if silent > now:
            raise _wait("GitHub has asked to be left alone", silent - now)
        if quota is None or quota.reset <= now:
            return
        if quota.remaining <= 0:
            raise _wait(f"GitHub's rate limit ({resource}) is used up", quota.reset - now)
        if purpose is Purpose.AUDIT and quota.remaining <= self.reserve_of(quota):
            raise _wait(
                f"{quota.remaining} points of GitHub's rate limit ({resource}) are left, kept for shipping",
                quota.reset - now,
            )

    def reserve_of(self, quota: Quota) -> int:
        """Points that audits leave untouched: the setting, and never more than a tenth of a small limit."""
        return min(self._reserve, quota.limit // 10)

    def note(self, headers: Mapping[str, str]) -> None:
        """Remember what an answer says about its limit."""
        try:
            quota = Quota(
                int(headers["x-ratelimit-limit"]),
                int(headers["x-ratelimit-remaining"]),
                float(headers["x-ratelimit-reset"]),
            )
        except (KeyError, ValueError):
            return
        resource = headers.get("x-ratelimit-resource", "core")
        with self._lock:
            known = self._quotas.get(resource)
            # Answers of parallel requests arrive in any order: within one window the smaller number is newer.
            if known is None or known.reset != quota.reset or quota.remaining < known.remaining:
                self._quotas[resource] = quota

    def refused(self, status: int, headers: Mapping[str, str], text: str) -> float | None:
        """Seconds to stay away if this answer is a limit's refusal; None if it is something else."""
        if status not in {200, 403, 429}:
            return None
        wait = self._wait_named(headers)
        named = "rate limit" in text.lower()  # also how GraphQL says it, with status 200
        if status == 200 and not named:
            return None
        if status == 403 and not (named or "retry-after" in headers or self._used_up(headers)):
            return None
        wait = _UNTOLD_WAIT if wait is None else wait
        if "retry-after" in headers or not self._used_up(headers):  # a secondary limit is on everything
            with self._lock:
                self._silent_until = max(self._silent_until, self._now() + wait)
        return wait

    def left(self, resource: str = "core") -> Quota | None:
        """What is known of one kind of points."""
        with self._lock:
            return self._quotas.get(resource)

    def _used_up(self, headers: Mapping[str, str]) -> bool:
        return headers.get("x-ratelimit-remaining") == "0"

    def _wait_named(self, headers: Mapping[str, str]) -> float | None:
        try:
            if "retry-after" in headers:
                return max(0.0, float(headers["retry-after"]))
            if self._used_up(headers):
                return max(0.0, float(headers["x-ratelimit-reset"]) - self._now())
        except (KeyError, ValueError):
            return None
        return None


def _wait(what: str, seconds: float) -> SourceUnavailable:
    return SourceUnavailable(f"{what}; again in {seconds:.0f} s", retry_after=seconds)
