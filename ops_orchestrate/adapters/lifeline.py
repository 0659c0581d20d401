"""Ends a worker whose keeper is gone; used in the worker, at its start. Standard library only.

The keeper (keeper.py) holds the only writing end of a pipe and writes nothing. Each worker has the reading
end. The kernel closes the writing end however the keeper ends, SIGKILL included, and the worker then stops
as if the keeper had asked it to: SIGTERM to itself, and after the grace SIGKILL to its whole process group.
"""

from __future__ import annotations

import os
import signal
import threading
import time

LIFELINE = "OPS_LIFELINE_FD"
"""The environment variable with the number of the reading end."""


def watch_lifeline(*, grace: float) -> threading.Thread | None:
    """Watch the keeper from a thread of this process; None where no keeper started it.

    `grace` is in seconds. The descriptor is not passed on to this process's own children.
    """
    number = os.environ.pop(LIFELINE, "")
    if not number.isdecimal():
        return None
    fd = int(number)
    os.set_inheritable(fd, False)
    thread = threading.Thread(target=_watch, args=(fd, grace), name="lifeline", daemon=True)
    thread.start()
    return thread


def _watch(fd: int, grace: float) -> None:
    while os.read(fd, 1):
        pass  # nobody writes; only the end of the file means something
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
