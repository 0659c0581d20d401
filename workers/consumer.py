"""The consumer of this worker process: what reads its queues, and publishes the events of its jobs.

None in a child of a prefork pool, whose parent reads and publishes.
"""

from __future__ import annotations

from typing import Any

_consumers: list[Any] = []


def known(consumer: Any) -> None:
    """It is this one from now on."""
    _consumers[:] = [consumer]


def wake() -> None:
    """Wake the loop that reads the next message."""
    for consumer in _consumers:
        consumer.call_soon(_nothing)


def _nothing() -> None:
    """What the loop is woken for: to look whether it may read."""


def is_watched() -> bool:
    """Whether anybody asks for the events of this process's jobs (Flower does, and again every few seconds)."""
    return all(sends_events(one.event_dispatcher) for one in _consumers)


def sends_events(dispatcher: Any) -> bool:
    """Whether events of jobs are asked for: one that is there for heartbeats alone is enabled, too."""
    return dispatcher is not None and dispatcher.enabled and (not dispatcher.groups or "task" in dispatcher.groups)
