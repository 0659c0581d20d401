"""The nursery: imports once what every process of an installation needs, then forks each of them.

Nothing here may read a setting, start a thread or open a connection: a fork would share it, or hold what was meant for
another pool.
"""

from __future__ import annotations

import gc
import os
import socket
from contextlib import suppress
from importlib import import_module

from ops_orchestrate.adapters.nursery import NURSERY, serve
from ops_orchestrate.wiring import STOPPING
from workers.pools import POOLS

#: What processes import when they start or with their first job, by name because nothing here calls it.
_NEEDED = (
    *("celery.apps.worker", "celery.apps.beat", "celery.concurrency.thread", "celery.worker.consumer"),
    *("celery.worker.strategy", "celery.events.state", "celery.backends.redis", "kombu.transport.redis"),
    *(f"workers.{pool}" for pool in POOLS),
    *("workers.lifecycle", "workers.besides", "beat_schedule"),
)

#: What a machine may lack without harm to those that do not need it.
_WANTED = ("git.cmd",)


def born() -> str:
    """Whom this process is to be: in each fork its name; empty in the nursery, once nobody needs it any more."""
    channel = socket.socket(fileno=int(os.environ.pop(NURSERY)))
    gc.disable()  # a collection leaves holes in pages, and what a fork puts there copies the page
    for name in _NEEDED:
        import_module(name)
    for name in _WANTED:
        with suppress(ImportError):
            import_module(name)
    name = serve(channel)
    STOPPING.renew()  # or one worker that is told to stop would tell its siblings, and whoever is forked after it
    gc.enable()
    return name
