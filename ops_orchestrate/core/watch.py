"""After a merge: is it what is served, is the service healthy, and do errors not rise? A look at a time, by a rule.

A commit counts as served when several looks in a row show it (behind a load balancer, one answer is one server).
What nobody can be asked is "not looked at", never "fine". A bad end is taken back by a person, or by a pull request
that a person merges; nothing is rolled back by itself.
"""

from __future__ import annotations

from enum import StrEnum

from ops_orchestrate.core.value import Value

#: Looks in a row that have to agree, good or bad.
IN_A_ROW = 3
#: So many more errors than in the time before are a regression; fewer than FEW in all are noise.
FACTOR = 2.0
FEW = 5


class WatchEnd(StrEnum):
    """What a watch has come to."""

    WATCHING = "watching"
    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"  #: nobody could say


class Watched(Value):
    """One merge that is being watched."""

    branch: str
    commit: str
    began_at: float
    served: int = 0
    """Looks in a row that showed the commit."""
    served_at: float = 0.0
    """When it counted as served; 0: not yet."""
    healthy: int = 0
    """Looks in a row that found the service healthy; below zero: unhealthy."""
    errors_before: int | None = None
    """Errors in a window before the merge; None: nobody could say."""


class WatchLook(Value):
    """What one look brought."""

    now: float
    served: str | None = None
    """The commit that the service says it runs; None where it has no version URL, "" where it did not say."""
    healthy: bool | None = None
    """None where it has no health URL."""
    detail: str = ""
    errors: int | None = None
    """Errors since it was served; None where nobody could say."""


class WatchRule(Value):
    """How long is watched, in seconds."""

    window: float = 900.0
    """After it was served."""
    deadline: float = 1800.0
    """For it to be served at all."""


def watch(before: Watched, look: WatchLook, rule: WatchRule) -> tuple[Watched, WatchEnd, str]:
    """The watch after one more look, what it has come to, and why in one sentence."""
    after = _counted(before, look)
    if look.served is not None and not after.served_at:
        if look.now - before.began_at < rule.deadline:
            return after, WatchEnd.WATCHING, f"it is not served yet ({look.detail})"
        return after, WatchEnd.UNKNOWN, f"{before.commit[:10]} was not served within {rule.deadline:.0f} s"
    if after.healthy <= -IN_A_ROW:
        return after, WatchEnd.BAD, f"the service is not healthy: {look.detail}"
    if _regressed(after, look):
        return after, WatchEnd.BAD, f"{look.errors} errors since it is served, {after.errors_before} in the time before"
    start = after.served_at or before.began_at
    if look.now - start < rule.window or 0 < after.healthy < IN_A_ROW or after.healthy < 0:
        return after, WatchEnd.WATCHING, "it is being watched"
    return after, *_verdict(after, look)


def _counted(before: Watched, look: WatchLook) -> Watched:
    shown = bool(look.served) and before.commit.startswith(str(look.served)) and len(str(look.served)) >= 7
    served = before.served + 1 if shown else 0
    healthy = before.healthy
    if look.healthy is not None:
        healthy = max(before.healthy, 0) + 1 if look.healthy else min(before.healthy, 0) - 1
    served_at = before.served_at or (look.now if served >= IN_A_ROW else 0.0)
    return before.model_copy(update={"served": served, "healthy": healthy, "served_at": served_at})


def _regressed(after: Watched, look: WatchLook) -> bool:
    if look.errors is None or after.errors_before is None:
        return False
    return look.errors >= FEW and look.errors > FACTOR * after.errors_before


def _verdict(after: Watched, look: WatchLook) -> tuple[WatchEnd, str]:
    said = [
        f"{after.commit[:10]} is served" if look.served is not None else "",
        "healthy" if look.healthy is not None else "",
        f"{look.errors} errors" if look.errors is not None and after.errors_before is not None else "",
    ]
    known = [one for one in said if one]
    if not known:
        return WatchEnd.UNKNOWN, "nothing could be looked at"
    left = "; errors were not looked at" if not said[2] else ""
    return WatchEnd.GOOD, ", ".join(known) + left
