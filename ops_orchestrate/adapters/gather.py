"""Ask one source about many places (Sentry projects, Linear teams): what one of them lacks never hides the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from ops_orchestrate.adapters.credential import NotSetUp
from ops_orchestrate.adapters.web import Outage, Refused
from ops_orchestrate.core.finding import AuditPart, Finding
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.project import Skipped
from ops_orchestrate.errors import SourceUnavailable

_Client = TypeVar("_Client")


def gather(
    name: str,
    places: Sequence[str],
    opened: AbstractContextManager[_Client],
    ask: Callable[[_Client, str], Iterable[Finding]],
) -> AuditPart:
    """The findings of all places; a place that failed is unknown, with its reason, and a source not set up is skipped.

    Once nobody answers any more, the rest is unknown without being asked: two hundred time limits are not waited for
    one after the other. Raises SourceUnavailable where nothing at all came back, or the credentials are not accepted.
    """
    if not places:
        return AuditPart(part=name)
    try:
        with opened as client:
            return _asked(name, places, lambda place: ask(client, place))
    except NotSetUp as why:
        return AuditPart(part=name, skipped=(Skipped(name=name, reason=str(why)),))


def _asked(name: str, places: Sequence[str], ask: Callable[[str], Iterable[Finding]]) -> AuditPart:
    found: list[Finding] = []
    unknown: list[Skipped] = []
    for at, place in enumerate(places):
        shown = one_line(place, 60)
        try:
            found += ask(place)
        except Refused:
            raise
        except Outage as error:
            if not at:
                raise
            unknown.append(Skipped(name=name, reason=f"{error} (from {shown} on)"))
            break
        except SourceUnavailable as error:
            unknown.append(Skipped(name=f"{name}/{shown}", reason=str(error)))
    return AuditPart(part=name, findings=tuple(found), unknown=tuple(unknown))
