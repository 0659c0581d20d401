"""Who wakes a worker's loop when a job has made room: nobody else does where the message was acknowledged before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workers import consumer, delivery
from workers.job import EARLY, LATE, Job


class Loop:
    """Counts how often it is woken."""

    def __init__(self) -> None:
        self.woken = 0

    def call_soon(self, callback: Callable[[], object]) -> None:
        callback()
        self.woken += 1


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    made = Loop()
    monkeypatch.setattr(consumer, "_consumers", [])
    consumer.known(made)
    return made


def delivered(options: dict[str, Any]) -> delivery.Delivery:
    """The message of a job, taken and acknowledged; nobody watches."""
    made = delivery.Delivery.__new__(delivery.Delivery)
    made._eventer, made._already_cancelled, made.acknowledged = None, False, True
    made._task = type("Named", (), {"acks_late": options["acks_late"], "send_events": True})()
    return made


@pytest.mark.parametrize(
    ("options", "event", "woken"),
    [
        (EARLY, "task-succeeded", 1),
        (EARLY, "task-failed", 1),
        (EARLY, "task-started", 0),
        (LATE, "task-succeeded", 0),  # its acknowledgement is the loop's own business
    ],
)
def test_the_end_of_a_job_that_was_acknowledged_early_wakes_the_loop(
    loop: Loop, options: dict[str, Any], event: str, woken: int
) -> None:
    delivered(options).send_event(event)
    assert loop.woken == woken


def test_a_job_that_set_itself_aside_wakes_the_loop_too(loop: Loop) -> None:
    delivered(EARLY).acknowledge()
    assert loop.woken == 1


def test_every_job_is_delivered_so() -> None:
    assert Job.Request == f"{delivery.__name__}:{delivery.Delivery.__name__}"
