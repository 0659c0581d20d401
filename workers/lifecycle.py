"""A worker process from its start to its end: what it announces, what it keeps doing, how it stops.

The process announces its pools to the ledger, which is how admission knows how many agents fit. When it is told to
stop, running agents are interrupted and their work salvaged (engine.lease reads `STOPPING`).
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from contextlib import closing
from typing import Any

from celery import signals

from ops_orchestrate import __version__, log
from ops_orchestrate.adapters.lifeline import watch_lifeline
from ops_orchestrate.adapters.machine import memory_mb
from ops_orchestrate.adapters.proctree import KEPT_SERVER
from ops_orchestrate.adapters.textfile import private_once
from ops_orchestrate.celery import POOLS
from ops_orchestrate.config import Settings, process_settings
from ops_orchestrate.core.board import Host
from ops_orchestrate.core.clock import why_refused
from ops_orchestrate.core.joining import why_not_join
from ops_orchestrate.core.placement import places
from ops_orchestrate.errors import LedgerUnavailable
from ops_orchestrate.ledger import connect, examine_servers
from ops_orchestrate.wiring import STOPPING, sandbox_line, toolbox
from workers import consumer, traces
from workers.abilities import Abilities
from workers.taps import Taps
from workers.upkeep import Upkeep

logger = logging.getLogger("ops_orchestrate.worker")

#: Between two tries to reach the server at the start, in seconds.
_PAUSE = 1.0

#: Pools that run agents or gates.
_CONFINES = frozenset({"audit", "agent"})

_upkeep: list[Upkeep] = []


@signals.setup_logging.connect
def _log(**_: Any) -> None:
    """Celery leaves the log to us, level and all, because somebody listens to this signal."""
    settings = process_settings()
    log.configure(settings.log_level, settings.log_format, settings.host)


@signals.worker_init.connect
def _begin(**_: Any) -> None:
    traces.check()
    watch_lifeline(grace=3 * process_settings().grace)
    refused = why_not_start(process_settings())
    if refused:
        raise SystemExit(f"error: {refused}")


@signals.worker_init.connect
def _hoard_nothing(sender: Any, **_: Any) -> None:
    """With RabbitMQ an agent's message is acknowledged when its job is done.

    `worker_disable_prefetch` is for Redis only: a busy worker would take the next agent's message from the broker and
    sit on it until the grant runs out. Left unacknowledged, the message in work is the one that it may hold. Should
    RabbitMQ deliver that once more (a broken connection, `consumer_timeout`), the claim refuses it.
    """
    urls = process_settings().urls
    if urls and urls.broker.startswith(("amqp://", "amqps://")):
        sender.app.tasks["agent.implement"].acks_late = True


@signals.worker_ready.connect
def _announce(sender: Any, **_: Any) -> None:
    consumer.known(sender)
    queues = {queue.name for queue in sender.task_consumer.queues}
    pools = pools_of(queues, sender.controller.concurrency)
    tools = toolbox()
    if "agent" in pools:
        pools["agent"] = min(pools["agent"], room_here(tools.settings))
    own = {f"{pool}@{tools.host}" for pool in pools}
    for name in own - queues:  # a pool's worker was told to read the pool's queue only
        sender.add_task_queue(name, exchange="ops", exchange_type="direct", routing_key=name)
    if len(pools) > 1:
        logger.warning("this worker serves %s: it is one trust domain", ", ".join(pools))
    # Our own server forgets nothing; somebody else's may come back without its last moments.
    tools.ledger.open(quiet=tools.settings.lease, restarted=0 if tools.kept else None)
    # Only where foreign code runs: the others of this machine would find the same, with three programs each.
    sandbox = sandbox_line() if _CONFINES & pools.keys() else ""
    host = this_host(tools.settings).model_copy(update={"pools": pools, "sandbox": sandbox})
    upkeep = Upkeep(
        tools, host, Taps(sender, queues | own), Abilities(tools, pools), process=f"{os.getpid()}:{','.join(pools)}"
    )
    upkeep.start()
    _upkeep.append(upkeep)


def this_host(settings: Settings) -> Host:
    """This machine, before it offers anything. It is known again by a mark in its data directory."""
    machine = private_once(settings.state_dir / "machine", f"{uuid.uuid4().hex}\n").strip()
    return Host(name=settings.host, pools={}, seen_at=0, version=__version__, machine=machine)


def why_not_start(settings: Settings) -> str:
    """Why no worker may start here: a server that loses or exposes the ledger, or machines that do not fit together.

    A server that is away is waited for: it may be starting with this machine.
    """
    urls, said = settings.urls, False
    while urls is not None:
        try:
            # Our own server is known to be fit, and is for this machine alone.
            refused = [] if KEPT_SERVER in os.environ else examine_servers(urls, settings.most_lag).refused
            with closing(connect(urls.ledger)) as ledger:
                return (
                    " ".join(refused)
                    or why_refused(ledger.skew(), settings.clock_skew)
                    or why_not_join(this_host(settings), ledger.hosts.live())
                )
        except LedgerUnavailable as error:
            if not said:
                logger.warning("waiting for the server: %s", error)
            said = True
            time.sleep(_PAUSE)
    return ""


def pools_of(queues: set[str], concurrency: int) -> dict[str, int]:
    """How many jobs of each pool this process takes. One process for everything keeps one place free of agents,
    so that planning and settling never wait for an agent of hours."""
    pools = {name: concurrency for name in POOLS if name in queues}
    if "agent" in pools and len(pools) > 1:
        pools["agent"] = max(1, concurrency - 1)
    return pools


def room_here(settings: Settings) -> int:
    """How many agents this machine takes at once."""
    return places(settings.host_agents, memory_mb(), settings.agent_memory_mb)


@signals.worker_shutting_down.connect
def _stop(**_: Any) -> None:
    STOPPING.set()


@signals.worker_shutdown.connect
def _end(**_: Any) -> None:
    for upkeep in _upkeep:
        upkeep.end()
    traces.end()


@signals.worker_process_shutdown.connect
def _end_child(**_: Any) -> None:
    traces.end()
