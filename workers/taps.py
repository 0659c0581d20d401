"""Where a worker's jobs come in, and how that is shut: a drained machine reads from no queue."""

from __future__ import annotations

import logging
from typing import Any

log = logging.getLogger("ops_orchestrate.worker")


class Taps:
    """The queues of one Celery consumer. Shut and opened from any thread: Celery does it in its own."""

    def __init__(self, consumer: Any, queues: set[str]) -> None:
        self._consumer = consumer
        self._queues = sorted(queues)
        self._open = True

    def turn(self, *, shut: bool) -> None:
        """Read from the queues, or from none. What is under way goes on."""
        if self._open is not shut:
            return
        self._open = not shut
        change = self._consumer.cancel_task_queue if shut else self._consumer.add_task_queue
        for queue in self._queues:
            self._consumer.call_soon(change, queue)
        log.warning("this machine %s", "takes no new jobs" if shut else "takes jobs again")
