"""A worker process from its start to its end: what it announces, what it keeps doing, how it stops.

The process announces its pools to the ledger, which is how admission knows how many agents fit. When it is told to
stop, running agents are interrupted and their work salvaged (engine.lease reads `STOPPING`).
"""

from __future__ import annotations

import logging
import os
from typing import Any

from celery import signals

from ops_orchestrate import __version__, log
from ops_orchestrate.adapters.lifeline import watch_lifeline
from ops_orchestrate.adapters.proctree import KEPT_SERVER
from ops_orchestrate.celery import POOLS
from ops_orchestrate.config import process_settings
from ops_orchestrate.core.board import Host
from ops_orchestrate.wiring import STOPPING, sandbox_line, toolbox
from workers import traces
from workers.upkeep import Upkeep

logger = logging.getLogger("ops_orchestrate.worker")

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


@signals.worker_ready.connect
def _announce(sender: Any, **_: Any) -> None:
    queues = {queue.name for queue in sender.task_consumer.queues}
    pools = pools_of(queues, sender.controller.concurrency)
    if len(pools) > 1:
        logger.warning("this worker serves %s: it is one trust domain", ", ".join(pools))
    tools = toolbox()
    # Our own server forgets nothing; somebody else's may come back without its last moments.
    tools.ledger.open(quiet=tools.settings.lease, restarted=0 if KEPT_SERVER in os.environ else None)
    host = Host(name=tools.host, pools=pools, seen_at=tools.ledger.now(), sandbox=sandbox_line(), version=__version__)
    upkeep = Upkeep(tools, host, process=f"{os.getpid()}:{','.join(pools)}")
    upkeep.start()
    _upkeep.append(upkeep)


def pools_of(queues: set[str], concurrency: int) -> dict[str, int]:
    """How many jobs of each pool this process takes. One process for everything keeps one place free of agents,
    so that planning and settling never wait for an agent of hours."""
    pools = {name: concurrency for name in POOLS if name in queues}
    if "agent" in pools and len(pools) > 1:
        pools["agent"] = max(1, concurrency - 1)
    return pools


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
