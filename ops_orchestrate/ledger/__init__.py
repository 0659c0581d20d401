"""The ledger: the truth about runs, tasks, attempts, slots and ownership, in one Redis-compatible server.

Every change is one script, a compare-and-set that may be repeated; the server's clock is the only one. It decides
nothing that a rule should decide: which candidate goes first, whether an attempt is tried again, when a run ends.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from ops_orchestrate.core.clock import skew_of
from ops_orchestrate.ledger.attempts import Attempts
from ops_orchestrate.ledger.board import BoardLedger
from ops_orchestrate.ledger.check import check_server, examine_server, examine_servers
from ops_orchestrate.ledger.claims import Claims
from ops_orchestrate.ledger.closing import Closing
from ops_orchestrate.ledger.events import Events
from ops_orchestrate.ledger.facts import Facts
from ops_orchestrate.ledger.hosts import Hosts
from ops_orchestrate.ledger.keys import Keys
from ops_orchestrate.ledger.locks import Locks
from ops_orchestrate.ledger.looks import Looks
from ops_orchestrate.ledger.mail import Mail
from ops_orchestrate.ledger.money import Money
from ops_orchestrate.ledger.parcels import Parcels
from ops_orchestrate.ledger.results import (
    Announced,
    Claim,
    ClaimView,
    Edge,
    End,
    Granted,
    Offered,
    Posted,
    Reaped,
    Renewal,
    Settled,
)
from ops_orchestrate.ledger.runs import Runs
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server, client_for
from ops_orchestrate.ledger.tasks import Tasks

PREFIX = "{ops}:"

#: Looks at the server's clock in one comparison with it: one of them will not have been held up.
_LOOKS = 3


class Ledger:
    """The whole ledger over one client (made with `decode_responses=True`)."""

    def __init__(self, redis: Any, prefix: str = PREFIX) -> None:
        server, keys = Server(redis), Keys(prefix)
        scripts = Scripts(server, prefix)
        self._server = server
        self._scripts = scripts
        self.runs = Runs(server, scripts, keys)
        self.tasks = Tasks(server, scripts, keys)
        self.claims = Claims(server, scripts, keys)
        self.board = BoardLedger(server, scripts, keys)
        self.looks = Looks(server, keys)
        self.attempts = Attempts(server, scripts, keys, self.runs)
        self.locks = Locks(server, scripts, keys)
        self.hosts = Hosts(server, scripts, keys)
        self.parcels = Parcels(server, scripts, keys)
        self.events = Events(server, keys)
        self.money = Money(server, scripts, keys)
        self.facts = Facts(server, keys)
        self.mail = Mail(server, scripts, keys)

    @property
    def address(self) -> str:
        """Where the ledger is, without user and password."""
        return self._server.address

    def now(self) -> float:
        """The server's clock, seconds since 1970."""
        seconds, micros = self._server.ask(self._server.client.time)
        return float(seconds) + float(micros) / 1e6

    def skew(self, clock: Callable[[], float] = time.time) -> float:
        """How many seconds this machine's clock is ahead of the server's."""
        return skew_of([(clock(), self.now(), clock()) for _ in range(_LOOKS)])

    def open(self, *, quiet: float, restarted: float | None = None) -> None:
        """Notice a new ledger or a restarted server: then nothing is admitted for `quiet` seconds.

        `restarted`: another period for a server that came back with its data; 0 where every answered write was on
        the disk (our own server), so that no lease can have been forgotten. May be called by every process; fences
        go on above every one that was ever given. A failover, or a restart, is not told to anybody: a look at the board
        shows it (`noticed`), and a grant in a life that nobody has noticed gives nothing.
        """
        again = quiet if restarted is None else restarted
        self._scripts("ledger_open", self._server.run_id(), quiet, uuid.uuid4().hex, again)

    def close(self) -> None:
        """Give the connections back."""
        self._server.close()


def connect(url: str, prefix: str = PREFIX) -> Ledger:
    """The ledger at an address. Nothing is sent yet, so a server that is away shows at the first call.

    Raises UsageError if the address cannot be read.
    """
    return Ledger(client_for(url), prefix)


__all__ = [
    "Announced",
    "Claim",
    "ClaimView",
    "Closing",
    "Edge",
    "End",
    "Granted",
    "Ledger",
    "Offered",
    "Posted",
    "Reaped",
    "Renewal",
    "Settled",
    "check_server",
    "connect",
    "examine_server",
    "examine_servers",
]
