"""Threads that are started a moment from now, unless they are not needed by then.

What renews a claim has nothing to do for the first half second, and most stages end in milliseconds: a thread for each
of them would be started and joined for nothing. One thread of the process starts those that are needed.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: Seconds until it is tried again to start a thread that the system refuses.
_AGAIN = 1.0


class Starter:
    """Starts threads when their time has come."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[threading.Thread, float] = {}
        self._wakes_at = math.inf
        self._own: threading.Thread | None = None

    def begin(self, thread: threading.Thread, after: float) -> None:
        """Start it after so many seconds."""
        due = time.monotonic() + after
        with self._changed:
            self._due[thread] = due
            if self._own is None or not self._own.is_alive():  # it does not outlive a fork
                self._own = threading.Thread(target=self._run, name="late", daemon=True)
                self._own.start()
            elif due < self._wakes_at:
                self._changed.notify()

    def call_off(self, thread: threading.Thread) -> bool:
        """Do not start it. False where it was started before."""
        with self._changed:
            return self._due.pop(thread, None) is not None

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for thread in [thread for thread, due in self._due.items() if due <= now]:
                    self._start(thread, now)
                self._wakes_at = min(self._due.values(), default=math.inf)
                self._changed.wait(None if self._wakes_at == math.inf else max(0.0, self._wakes_at - now))

    def _start(self, thread: threading.Thread, now: float) -> None:
        try:
            thread.start()
        except RuntimeError:  # no more threads are to be had at this moment
            self._due[thread] = now + _AGAIN
        else:
            del self._due[thread]


#: That of this process.
_STARTER = Starter()


@contextmanager
def beside(
    work: Callable[..., None], *args: Any, name: str, after: float, ended: threading.Event, join: float = 5.0
) -> Iterator[None]:
    """Have `work` done beside the block once that has lasted for `after` seconds.

    `ended` is set at the block's end; then `work` has so many seconds (`join`) to return.
    """
    thread = threading.Thread(target=work, args=args, name=name, daemon=True)
    try:
        _STARTER.begin(thread, after)  # may fail with the thread among those that are due
        yield
    finally:
        ended.set()
        if not _STARTER.call_off(thread):
            thread.join(timeout=join)
