"""The nightly, as a planner sees it once a minute: begin tonight's run if it is due, tell the owner how it ended.

Whatever beats do, a night has one run: its name is made of its date, and the ledger begins a run of one name once.
Nobody is there to be asked, so the flags in the settings answer what `run` would ask (docs/operating.md).
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from zoneinfo import ZoneInfo

from ops_orchestrate.adapters.notify import NotToldError, tell
from ops_orchestrate.adapters.preferences import load_preferences
from ops_orchestrate.cli.night_check import addresses
from ops_orchestrate.cli.ready import check_services
from ops_orchestrate.cli.request import asked_of, gather, make_request
from ops_orchestrate.core.night import night_due, night_missed, nights_before, nights_to_tell, read_time, run_of
from ops_orchestrate.core.states import RUN_OPEN
from ops_orchestrate.engine.begin import submit
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError, UnknownRun
from ops_orchestrate.report.commands import command
from ops_orchestrate.report.digest import Digest, digest
from ops_orchestrate.report.fold import fold

log = logging.getLogger("ops_orchestrate.night")

#: What was said once is not said again for as long, in seconds.
_SAID = 30 * 24 * 3600
#: How often an address is tried that does not take what it is told.
_TRIES = 5


def look(tools: Toolbox) -> str:
    """Do what is due tonight, in a word for Flower."""
    settings = tools.settings
    if settings.nightly is None:
        return "off"
    at, zone, now = read_time(settings.nightly), ZoneInfo(load_preferences(settings).timezone), tools.ledger.now()
    newest, before = nights_to_tell(at, zone, now)
    _follow(run_of(before), tools)
    night = night_due(at, zone, now)
    if night and not _exists(run_of(night), tools):
        return _begin(night, tools)
    missed = night_missed(at, zone, now)
    if missed and not _exists(run_of(missed), tools) and any(_exists(run_of(n), tools) for n in nights_before(missed)):
        return _tell_missed(missed, tools)
    return _follow(run_of(newest), tools)


def _begin(night: str, tools: Toolbox) -> str:
    """Submit tonight's run; what keeps it from that is told once, and tried again until the night is over."""
    try:
        settings = tools.settings
        check_services(settings)
        asked = asked_of(settings.nightly_flags)
        request = make_request(settings, asked, gather(settings, asked, anywhere=True), terminal=False)
        submit(run_of(night), request.model_copy(update={"night": night, "requested_by": "nightly"}), tools)
    except OpsError as error:
        log.warning("the night of %s has not begun: %s", night, error)
        words = Digest("ops-orchestrate: the nightly did not begin", f"The night of {night}: {error}")
        _tell_once(f"{run_of(night)}:not-begun", lambda: words, tools)
        return "not begun"
    return f"began {run_of(night)}"


def _tell_missed(night: str, tools: Toolbox) -> str:
    """A night that came while nobody was there, in a week that had one: else no word would be taken for no news."""
    begins = tools.settings.nightly
    words = Digest(
        "ops-orchestrate: the nightly did not run",
        f"The night of {night} was to begin at {begins}. No beat or no planner was there then, nor within six hours: "
        "was the machine off, or asleep? The next night begins as usual; this one's work can be done now:\n  $ "
        + command("run", *tools.settings.nightly_flags),
    )
    if not tools.ledger.locks.holder(_mark(f"{run_of(night)}:not-begun", 1)):  # it was tried, and why not was told then
        _tell_once(f"{run_of(night)}:missed", lambda: words, tools)
    return f"missed {run_of(night)}"


def _follow(run: str, tools: Toolbox) -> str:
    """The digest of a night's run that has ended, once."""
    if not _exists(run, tools):
        return "nothing due"
    state = tools.ledger.runs.get(run).state
    if state in RUN_OPEN:
        return f"{run} is {state}"
    told = _tell_once(run, lambda: digest(fold(tools.ledger.events.all(run))), tools)
    return f"{run}: digest sent" if told else f"{run} is {state}"


def _tell_once(what: str, write: Callable[[], Digest], tools: Toolbox) -> bool:
    """Tell each address that has not heard it; whether this call did.

    One that dies while it tells is followed by another: twice, not never. Who is not reached is tried again for some
    minutes: a service that is down comes back, an address that is wrong stays so. `write` is asked only where somebody
    has to be told, not once a minute all day.
    """
    locks, redact, told = tools.ledger.locks, tools.secrets.redact, False
    for number, address in enumerate(addresses(tools.settings), 1):
        mark, me = _mark(what, number), f"{tools.host}:{uuid.uuid4().hex}"
        if not locks.acquire(mark, me, tools.settings.lease):
            continue
        words = write()
        try:
            tell([address], title=redact(words.title), body=redact(words.body))
        except NotToldError as error:
            log.warning("address %d of OPS_NOTIFY: %s", number, error)
            if any(locks.acquire(f"{mark}:{one}", me, _SAID) for one in range(1, _TRIES)):
                continue  # the mark ends with its lease, and whoever comes then tries again
            log.warning("address %d of OPS_NOTIFY is given up for %s", number, what)
            locks.acquire(mark, me, _SAID)
            continue
        locks.acquire(mark, me, _SAID)  # anew, where the clock was set forward meanwhile
        told = True
    return told


def _mark(what: str, number: int) -> str:
    return f"told:{what}:{number}"


def _exists(run: str, tools: Toolbox) -> bool:
    try:
        tools.ledger.runs.get(run)
    except UnknownRun:
        return False
    return True
