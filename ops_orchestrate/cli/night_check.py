"""What `up` and `doctor` say of the night: when the next one begins, with which flags, and who is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from ops_orchestrate.adapters.notify import unusable
from ops_orchestrate.adapters.preferences import load_preferences
from ops_orchestrate.cli.checkup import Check
from ops_orchestrate.cli.request import asked_of
from ops_orchestrate.config import Settings
from ops_orchestrate.core.night import next_night, read_time
from ops_orchestrate.report.amounts import count, duration


def night_words(settings: Settings, now: float) -> str:
    """When, how and for whom, in one sentence. Raises UsageError for flags or preferences that cannot be read."""
    asked_of(settings.nightly_flags)
    if settings.nightly is None:
        return "off (OPS_NIGHTLY)"
    zone = load_preferences(settings).timezone
    rest = next_night(read_time(settings.nightly), ZoneInfo(zone), now) - now
    flags = " ".join(settings.nightly_flags) or "no flags, so each merge waits for an answer"
    told = count(len(addresses(settings)), "address", "addresses")
    digest = f"a digest to {told}" if addresses(settings) else "no digest (OPS_NOTIFY)"
    return f"at {settings.nightly} ({zone}), the next in {duration(rest)}; {flags}; {digest}"


def night_troubles(settings: Settings) -> Iterator[tuple[str, str]]:
    """(what keeps a digest from being sent, what to do about it)."""
    if not addresses(settings):
        return
    if settings.nightly is None:
        yield "OPS_NOTIFY has addresses, but there is no nightly to tell of", "Set OPS_NIGHTLY, or unset OPS_NOTIFY."
    if trouble := unusable(addresses(settings)):
        yield trouble


def examine_night(settings: Settings, now: float) -> Iterator[Check]:
    """One check, and one for each trouble. Raises UsageError."""
    yield Check(what="nightly", state="ok", found=night_words(settings, now))
    for found, remedy in night_troubles(settings):
        yield Check(what="nightly", state="warning", found=found, remedy=remedy)


def addresses(settings: Settings) -> list[str]:
    """Who is told, as apprise addresses. They are secrets."""
    return settings.notify.get_secret_value().split() if settings.notify else []
