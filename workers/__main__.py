"""`python -m workers POOL` starts the worker of one pool: what the embedded stack, the Procfile and the image run.

The process keeps only its own pool's secrets: where it was given others it starts itself again without them, so that
they are not in what /proc shows of it either.
"""

from __future__ import annotations

import os
import sys

from ops_orchestrate.adapters.process import become
from ops_orchestrate.core.duty import duty_of
from workers.pools import POOLS


def main(argv: list[str]) -> int:
    """Run until stopped. Exit 2 for an unknown pool."""
    if len(argv) != 2 or argv[1] not in POOLS:
        sys.stderr.write(f"usage: python -m workers {{{','.join(POOLS)}}}\n")
        return 2
    pool = argv[1]
    kept = _without(duty_of(pool, os.environ).withheld()) | {"OPS_POOL": pool}
    if kept != dict(os.environ):
        become([sys.executable, *sys.orig_argv[1:]], env=kept)
    from ops_orchestrate.celery import app  # late: it may not see what is dropped here

    app.worker_main(argv=[*POOLS[pool].options(), "--loglevel=warning"])
    return 0


def _without(names: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in names}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
