"""`python -m tests.chaos.worker NAME`: a worker of the product that can be made to die at each of its crash points.

NAME is one that `python -m workers` knows, or `plain` for the worker that serves every queue.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.machine import CLOCK
from tests.chaos.points import FOLDER, Armed, install

_AGAIN = 0.2
"""Seconds after which the shift is read again."""


def main(argv: list[str]) -> int:
    """Run until stopped, or struck dead."""
    if CLOCK in os.environ:
        time.time = shifted(time.time, Path(os.environ[CLOCK]))
    install(Armed(Path(os.environ[FOLDER])))
    if argv[1:] != ["plain"]:
        from workers.__main__ import main as start

        return start(argv)
    from ops_orchestrate.celery import app

    app.worker_main(argv=["worker", "--concurrency=3", "--loglevel=warning"])
    return 0


def shifted(true: Callable[[], float], file: Path) -> Callable[[], float]:
    """A wall clock that is wrong by as many seconds as the file says: `+1000s`."""
    due, shift = 0.0, 0

    def now() -> float:
        nonlocal due, shift
        if time.monotonic() >= due:
            due = time.monotonic() + _AGAIN
            shift = int(file.read_text().rstrip("s\n"))
        return true() + shift

    return now


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
