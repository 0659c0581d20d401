"""After a merge: is it what is served, is the service healthy, and do errors not rise? A look at a time, by a rule.

A commit counts as served when several looks in a row show it (behind a load balancer, one answer is one server).
What nobody can be asked is "not looked at", never "fine", and never "down" either. A service that was well and is down
after the merge is the worst end, also where it no longer says what it serves; for a while it may be restarting. A bad
end is taken back by a pull request that goes through the merge gate as every other one, or by a person.
"""

from __future__ import annotations

from enum import StrEnum

from ops_orchestrate.core.names import short
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
    """Looks in a row that found the service healthy; below zero: unhealthy. Looks that could not ask count as none."""
    sick_since: float = 0.0
    """When the first of those unhealthy looks was; 0: it is not."""
    healthy_before: bool | None = None
    """Whether it was healthy when the watch began; None: nobody could say."""
    errors_before: int | None = None
    """Errors in a window before the merge; None: nobody could say."""
    rollback: bool = False
    """The merge takes another one back: it is not taken back itself."""


class WatchLook(Value):
    """What one look brought."""

    now: float
    served: str | None = None
    """The commit that the service says it runs; None where it has no version URL, "" where it did not say."""
    healthy: bool | None = None
    """None where it has no health URL, or where that could not be asked."""
    answers: bool | None = None
    """Of a service without a health URL: whether it answers at all, or fails; None where nobody could ask."""
    detail: str = ""
    errors: int | None = None
    """Errors since it was served; None where nobody could say."""

    @property
    def sick(self) -> bool:
        """Whether the service itself shows that it is not well."""
        return self.healthy is False or (self.healthy is None and self.answers is False)


class WatchRule(Value):
    """How long is watched, in seconds."""

    window: float = 900.0
    """After it was served."""
    deadline: float = 1800.0
    """For it to be served at all."""
    restart: float = 300.0
    """In which a service may be away before it serves the commit: something replaces it."""


def watch(before: Watched, look: WatchLook, rule: WatchRule) -> tuple[Watched, WatchEnd, str]:
    """The watch after one more look, what it has come to, and why in one sentence."""
    after = _counted(before, look)
    awaited = look.served is not None and not after.served_at
    if _down(after, look, rule, awaited=awaited):
        return after, WatchEnd.BAD, f"the service is not healthy: {look.detail}"
    if awaited:
        return after, *_awaited(after, look, rule)
    if _regressed(after, look):
        return after, WatchEnd.BAD, f"{look.errors} errors since it is served, {after.errors_before} in the time before"
    passed = look.now - (after.served_at or before.began_at)
    if passed < rule.window or (_undecided(after) and passed < rule.window + rule.deadline):
        return after, WatchEnd.WATCHING, "it is being watched"
    return after, *_verdict(after, look)


def _down(after: Watched, look: WatchLook, rule: WatchRule, *, awaited: bool) -> bool:
    """Several looks show it, and not only while something replaces the service. What was down before is not ours."""
    if after.healthy > -IN_A_ROW or not look.sick or after.healthy_before is False:
        return False
    late = look.now - after.began_at >= rule.deadline
    return not awaited or late or look.now - after.sick_since >= rule.restart


def _awaited(after: Watched, look: WatchLook, rule: WatchRule) -> tuple[WatchEnd, str]:
    """The service does not say that it serves the commit. The last looks decide whether it is slow or down."""
    late = look.now - after.began_at >= rule.deadline
    if not late or (look.sick and after.healthy > -IN_A_ROW):
        return WatchEnd.WATCHING, f"it is not served yet ({look.detail})"
    known = "; it was not healthy before the merge either" if look.sick else ""
    return WatchEnd.UNKNOWN, f"{short(after.commit)} was not served within {rule.deadline:.0f} s{known}"


def _undecided(after: Watched) -> bool:
    return 0 < after.healthy < IN_A_ROW or after.healthy < 0


def _counted(before: Watched, look: WatchLook) -> Watched:
    shown = bool(look.served) and before.commit.startswith(str(look.served)) and len(str(look.served)) >= 7
    served = before.served + 1 if shown else 0
    healthy, sick_since = _health(before, look)
    served_at = before.served_at or (look.now if served >= IN_A_ROW else 0.0)
    counted = {"served": served, "healthy": healthy, "served_at": served_at, "sick_since": sick_since}
    return before.model_copy(update=counted)


def _health(before: Watched, look: WatchLook) -> tuple[int, float]:
    """Looks in a row and since when they are bad. A look that could not ask neither adds to a row nor ends it."""
    if look.sick:
        return min(before.healthy, 0) - 1, before.sick_since or look.now
    if look.healthy:
        return max(before.healthy, 0) + 1, 0.0
    return (max(before.healthy, 0), 0.0) if look.answers else (before.healthy, before.sick_since)


def _regressed(after: Watched, look: WatchLook) -> bool:
    if look.errors is None or after.errors_before is None:
        return False
    return look.errors >= FEW and look.errors > FACTOR * after.errors_before


def _verdict(after: Watched, look: WatchLook) -> tuple[WatchEnd, str]:
    if _undecided(after):
        why = "was not healthy before the merge either" if after.healthy_before is False else "did not stay healthy"
        return WatchEnd.UNKNOWN, f"it {why}: {look.detail}"
    said = [
        f"{short(after.commit)} is served" if look.served else "",
        "healthy" if look.healthy else "",
        f"{look.errors} errors" if look.errors is not None and after.errors_before is not None else "",
    ]
    known = [one for one in said if one]
    if not known:
        return WatchEnd.UNKNOWN, "nothing could be looked at"
    left = "; errors were not looked at" if not said[2] else ""
    return WatchEnd.GOOD, ", ".join(known) + left
