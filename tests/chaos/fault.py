"""What a fault is: a name, and what it does to a world. What it leaves broken heals after seconds.

`strike` is False where there was nothing to strike at that moment, and then it does not count.
"""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable
from typing import ClassVar, Protocol

from tests.chaos.processes import send
from tests.chaos.world import World


class Fault(Protocol):
    """Something that goes wrong."""

    name: ClassVar[str]

    def strike(self, world: World, rng: random.Random) -> bool:
        """Do it now."""
        ...


def later(seconds: float, heal: Callable[[], object]) -> None:
    """Heal after a while, beside whatever else goes wrong meanwhile."""
    timer = threading.Timer(seconds, heal)
    timer.daemon = True
    timer.start()


def stop(pid: int, seconds: float) -> bool:
    """SIGSTOP, and SIGCONT after a while; False where it is gone."""
    stopped = send(pid, signal.SIGSTOP)
    later(seconds, lambda: send(pid, signal.SIGCONT))
    return stopped
