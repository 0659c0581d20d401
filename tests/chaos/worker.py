"""`python -m tests.chaos.worker NAME`: a worker of the product that can be made to die at each of its crash points.

NAME is one that `python -m workers` knows, or `plain` for the worker that serves every queue.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from tests.chaos.points import FOLDER, Armed, install


def main(argv: list[str]) -> int:
    """Run until stopped, or struck dead."""
    if "faketime" in os.environ.get("LD_PRELOAD", ""):
        # libfaketime hands absolute sleeps on with the wrong clock, and the kernel refuses them; waiting works.
        time.sleep = lambda seconds: threading.Event().wait(seconds) and None
    install(Armed(Path(os.environ[FOLDER])))
    if argv[1:] != ["plain"]:
        from workers.__main__ import main as start

        return start(argv)
    from ops_orchestrate.celery import app

    app.worker_main(argv=["worker", "--concurrency=3", "--loglevel=warning"])
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
