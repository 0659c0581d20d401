"""What a worker process keeps doing beside its jobs: announce itself, wake what is due, reconcile, sweep.

One thread, in the worker's main process. The reconciler runs where planners are, one process at a time (a lock of
the ledger); the sweep runs where agents are, because trees are local to a host.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid

from ops_orchestrate import canvas
from ops_orchestrate.core.board import Host
from ops_orchestrate.core.clock import why_refused
from ops_orchestrate.engine.keep import drop_mirrors, forget_sessions, tidy_mirrors
from ops_orchestrate.engine.reconcile import reconcile, wake
from ops_orchestrate.engine.salvage import sweep
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError, UsageError
from workers.abilities import Abilities
from workers.announcement import Announcement
from workers.taps import Taps

log = logging.getLogger("ops_orchestrate.upkeep")

#: How often due snoozes and a request to drain are looked for, in seconds; more often where one reconciles so.
_TICK = 1.0

_DAY = 24 * 3600.0

#: Pools whose workers have mirrors; in containers each pool has its own.
_HAVE_MIRRORS = frozenset({"audit", "agent", "ship"})


class Upkeep(threading.Thread):
    """The thread; `end` stops it and takes the announcement back."""

    def __init__(self, tools: Toolbox, host: Host, taps: Taps, abilities: Abilities, *, process: str) -> None:
        super().__init__(name="upkeep", daemon=True)
        self._tools = tools
        self._host = host
        self._taps = taps
        self._abilities = abilities
        self._process = process
        self._announcement = Announcement(tools.ledger.hosts, process)
        self._daily = f"tidy:{host.machine}:{'+'.join(sorted(host.pools))}"
        self._ended = threading.Event()
        self._skew = 0.0
        self._late = ""
        self._unread = ""

    def run(self) -> None:
        """Tick until the process ends. An error of one tick is logged; the next one tries again."""
        last = 0.0
        first = True
        while not self._ended.is_set():
            due = time.monotonic() - last >= self._tools.settings.reconcile_every
            if due:
                last = time.monotonic()
            try:
                self._tick(due=due, first=first)
                first = False
            except OpsError as error:
                log.warning("upkeep: %s", error)
            except Exception:
                log.exception("upkeep failed; it goes on")
            self._ended.wait(min(_TICK, self._tools.settings.reconcile_every))

    def end(self) -> None:
        """Stop ticking and withdraw from the board."""
        self._ended.set()
        try:
            self._announcement.withdraw(self._host.name)
        except OpsError as error:
            log.info("the announcement runs out by itself: %s", error)

    def _look_at_the_clock(self) -> None:
        """A machine whose clock goes wrong takes no new jobs until it goes right again."""
        self._skew = self._tools.ledger.skew()
        late = why_refused(self._skew, self._tools.settings.clock_skew)
        if late and not self._late:
            log.error("%s", late)
        self._late = late

    def _terms(self) -> tuple[str, ...]:
        """By which settings this process grants: not known until the owner's files behind them can be read."""
        if "planner" not in self._host.pools:
            return ()
        try:
            return (self._tools.means.terms(),)
        except UsageError as error:
            if str(error) != self._unread:
                log.warning("what is spent here cannot be counted until this is mended: %s", error)
            self._unread = str(error)
            return ("",)

    def _tick(self, *, due: bool, first: bool) -> None:
        ledger = self._tools.ledger
        if due:
            self._look_at_the_clock()
        drained = ledger.hosts.is_drained(self._host.name)
        self._taps.turn(shut=drained or bool(self._late))
        offered = {} if drained or self._late else self._host.pools
        host = self._host.model_copy(
            update={
                **{"pools": offered, "drained": drained, "skew": self._skew, "terms": self._terms()},
                **self._abilities.now(),
            }
        )
        self._announcement.say(host)
        if first and "agent" in host.pools:
            canvas.publish(canvas.admit("", again=f"joined:{self._process}"))
        if "planner" in self._host.pools:
            if ledger.looks.due():
                wake(self._tools)
            if due and ledger.locks.acquire("reconcile", self._process, self._tools.settings.reconcile_every):
                reconcile(self._tools)
                ledger.locks.release("reconcile", self._process)
        if due and "agent" in self._host.pools:
            sweep(self._tools)
        if due and self._host.pools.keys() & _HAVE_MIRRORS and self._is_first_today():
            tidy_mirrors(self._tools)
            drop_mirrors(self._tools)
            forget_sessions(self._tools)

    def _is_first_today(self) -> bool:
        """Whoever of this machine comes first; a failure waits for the next day. Each time as another holder: a lock
        is given again to whoever has it."""
        return self._tools.ledger.locks.acquire(self._daily, f"{self._process}:{uuid.uuid4().hex}", _DAY)
