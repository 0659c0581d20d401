"""A delivered message whose end wakes the loop that reads the next one.

A worker that is full reads on when a place is free, but Celery's loop sleeps for up to a second unless something wakes
it. Mostly that is the acknowledgement, or an event. An agent's job is acknowledged before it begins, and events are
sent only while somebody watches: so the end of such a job wakes the loop itself.
"""

from __future__ import annotations

from typing import Any

from celery.worker.request import Request

from workers.consumer import wake


class Delivery(Request):
    """Celery's request. It calls one of these two when a job has made room, in the thread that ran the job."""

    def send_event(self, type: str, **fields: Any) -> None:
        """Send an event of the job, if somebody watches."""
        super().send_event(type, **fields)
        if type != "task-started" and not self.task.acks_late:
            wake()

    def acknowledge(self) -> None:
        """Acknowledge the message; asked once more for one that was, the job has set itself aside."""
        if self.acknowledged:
            wake()
        super().acknowledge()
