"""`python -m workers NAME` starts one process of an installation: a pool's worker, beat or Flower.

It is what the embedded stack, the Procfile and the image run. The process keeps only its own secrets: where it was
given others it starts itself again without them, so that they are not in what /proc shows of it either.
"""

from __future__ import annotations

import os
import sys

from ops_orchestrate.adapters.nursery import NURSERY
from ops_orchestrate.adapters.process import become
from ops_orchestrate.cli.exits import guarded
from ops_orchestrate.core.duty import duty_of
from workers.pools import POOLS, PROCESSES


def main(argv: list[str]) -> int:
    """Run until stopped. Exit 2 for an unknown name."""
    if argv[1:] == ["nursery"] and NURSERY in os.environ:
        from workers.nursery import born  # late: it imports everything

        return _run(name) if (name := born()) else 0
    if len(argv) != 2 or argv[1] not in PROCESSES:
        sys.stderr.write(f"usage: python -m workers {{{','.join(PROCESSES)}}}\n")
        return 2
    return _run(argv[1])


def _run(name: str) -> int:
    kept = _without(duty_of(name, os.environ).withheld()) | {"OPS_POOL": name}
    if kept != dict(os.environ):
        become([sys.executable, *sys.orig_argv[1:-1], name], env=kept)
    from ops_orchestrate.adapters.machine import memory_mb
    from ops_orchestrate.celery import app  # late: it may not see what is dropped here
    from ops_orchestrate.config import process_settings
    from ops_orchestrate.core.placement import places

    if name in POOLS:
        settings = process_settings()
        most = places(settings.host_agents, memory_mb(), settings.agent_memory_mb)
        # Not by Celery's command line: what that imports besides is a third of a worker's start and of its memory.
        worker = app.Worker(**POOLS[name].options(settings.host, most))
        worker.start()
        return worker.exitcode or 0
    from workers import besides

    return besides.beat() if name == "beat" else besides.flower()


def _without(names: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in names}


if __name__ == "__main__":
    raise SystemExit(guarded(lambda: main(sys.argv)))
