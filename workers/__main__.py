"""`python -m workers POOL` starts the worker of one pool: what the embedded stack runs."""

from __future__ import annotations

import sys

from ops_orchestrate.celery import app
from workers.pools import POOLS


def main(argv: list[str]) -> int:
    """Run until stopped. Exit 2 for an unknown pool."""
    if len(argv) != 2 or argv[1] not in POOLS:
        sys.stderr.write(f"usage: python -m workers {{{','.join(POOLS)}}}\n")
        return 2
    app.worker_main(argv=[*POOLS[argv[1]].options(), "--loglevel=warning"])
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
