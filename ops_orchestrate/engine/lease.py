"""A stage's claim, kept alive by a thread of its own while the step works on, and the flags read on the way.

A worker that is stopped or killed can't renew: its lease ends, the reconciler drives the work on, and the agent's
supervisor, which hears no beat, ends the agent before that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ops_orchestrate.config import Settings
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.states import Stage
from ops_orchestrate.engine.late import beside
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import LedgerUnavailable

#: How often the flags (stop, cancel) are read: what a person waits for after Ctrl-C.
_FLAGS_EVERY = 0.5


@dataclass(slots=True)
class Lease:
    """What the keeping thread learnt; read by the step."""

    key: StageKey
    stage: Stage
    holder: str
    lost: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    stop: str = ""
    """`salvage`, `now` or `cancel` once it was asked for."""
    halt: threading.Event = field(default_factory=threading.Event)
    """Set once the claim is lost or a stop was asked for: a gate that runs is killed then."""
    renewals: int = 0
    """Grows with each renewal; the agent's supervisor is told of each."""
    renewed_at: float = 0.0
    """When the last renewal was asked for, by this host's `boot_clock`: the lease holds for that long at least."""


def boot_clock() -> float:
    """Seconds, those of a suspended machine included: what the supervisor counts in too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def last_beat(settings: Settings) -> tuple[float, float]:
    """(how long a supervisor waits for a renewal, the grace of its ladder), in seconds.

    Two thirds of the lease, or less: its whole ladder must have ended the agent before the lease ends, because then
    another agent may start. A twelfth of the lease is left for a slow machine.
    """
    grace = min(settings.grace, settings.lease / 4)
    return min(settings.lease * 2 / 3, settings.lease * 11 / 12 - 2 * grace), grace


@contextmanager
def keep(
    key: StageKey, stage: Stage, holder: str, tools: Toolbox, *, asked_at: float, stop: str = ""
) -> Iterator[Lease]:
    """Renew the claim until the block ends. `asked_at`: when it was asked for, by `boot_clock`; `stop`: its word."""
    lease = Lease(key, stage, holder, renewed_at=asked_at, stop=stop or ("salvage" if tools.stopping() else ""))
    if lease.stop:
        lease.halt.set()
    with beside(_keep, lease, tools, name=f"lease-{key.task}-{stage}", after=_tick(tools), ended=lease.ended):
        yield lease


def _tick(tools: Toolbox) -> float:
    return min(_FLAGS_EVERY, tools.settings.heartbeat)


def _keep(lease: Lease, tools: Toolbox) -> None:
    """Begins when there is something to do for the first time."""
    every = tools.settings.heartbeat
    since_renewal = boot_clock() - lease.renewed_at  # the claim was the first
    pause = 0.0
    while not lease.ended.wait(pause):
        since_renewal += pause
        pause = _tick(tools)
        try:
            if since_renewal >= every:
                since_renewal = 0.0
                asked_at = boot_clock()
                renewal = tools.ledger.attempts.renew(
                    lease.key, lease.stage, holder=lease.holder, lease=tools.settings.lease
                )
                lease.stop = renewal.stop or lease.stop
                if not renewal.ok:
                    lease.lost.set()
                    lease.halt.set()
                    return
                lease.renewed_at = asked_at
                lease.renewals += 1
            else:
                lease.stop = tools.ledger.attempts.stop_asked(lease.key.run, lease.key.task) or lease.stop
        except LedgerUnavailable:
            # No answer is not a no: the lease runs out by the server's clock, and no beat reaches the supervisor.
            since_renewal = every
        if tools.stopping() and not lease.stop:
            lease.stop = "salvage"
        if lease.stop:
            lease.halt.set()


def base_lock(repo: str, branch: str) -> str:
    """The lock of a branch that is merged or promoted into: whoever moves it holds this one."""
    return f"base:{repo}:{branch}"


@contextmanager
def hold(name: str, holder: str, tools: Toolbox) -> Iterator[bool]:
    """Hold a named lock of the ledger for the length of the block; False where somebody else has it."""
    if not tools.ledger.locks.acquire(name, holder, tools.settings.lease):
        yield False
        return
    ended = threading.Event()
    try:
        with beside(
            _hold, name, holder, ended, tools, name=f"hold-{name}", after=tools.settings.heartbeat, ended=ended
        ):
            yield True
    finally:
        tools.ledger.locks.release(name, holder)


def _hold(name: str, holder: str, ended: threading.Event, tools: Toolbox) -> None:
    """Begins when it is to be renewed for the first time."""
    pause = 0.0
    while not ended.wait(pause):
        pause = tools.settings.heartbeat
        try:
            # Taken anew where it has ended by a clock that was set forward, and nobody else has it.
            tools.ledger.locks.acquire(name, holder, tools.settings.lease)
            if ended.is_set():  # a server that was slow has answered after the lock was given back
                tools.ledger.locks.release(name, holder)
        except LedgerUnavailable:
            continue  # the lock runs out by the server's clock; whoever takes it then does the same work again
