"""Faults, one class each. A fault is a name and what it does to a world; what it leaves broken heals after seconds.

`strike` is False where there was nothing to strike at that moment, and then it does not count.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from typing import ClassVar, Protocol

from tests.chaos.processes import children, send
from tests.chaos.world import World
from tests.engine.nemesis import marked, players


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


class KillWorker:
    name: ClassVar[str] = "SIGKILL of a worker"

    def strike(self, world: World, rng: random.Random) -> bool:
        return rng.choice(world.workers()).signal(signal.SIGKILL)


class KillWorkers:
    name: ClassVar[str] = "SIGKILL of three workers at once"

    def strike(self, world: World, rng: random.Random) -> bool:
        return sum(one.signal(signal.SIGKILL) for one in rng.sample(world.workers(), 3)) > 0


class StopWorker:
    """For longer than a lease, now and then."""

    name: ClassVar[str] = "SIGSTOP of a worker"

    def strike(self, world: World, rng: random.Random) -> bool:
        victim = rng.choice(world.workers())
        pid = victim.pid
        if not pid or not victim.signal(signal.SIGSTOP):
            return False
        later(rng.choice((0.5, 2, 7)), lambda: victim.pid == pid and victim.signal(signal.SIGCONT))
        return True


class KillChild:
    name: ClassVar[str] = "SIGKILL of a pool child"
    number: ClassVar[int] = signal.SIGKILL

    def strike(self, world: World, rng: random.Random) -> bool:
        found = children(world.watchman.services["plain"].pid or -1)
        return bool(found) and send(rng.choice(found), self.number)


class KillAgent:
    name: ClassVar[str] = "SIGKILL of an agent"

    def strike(self, world: World, rng: random.Random) -> bool:
        found = players(world.home)
        return bool(found) and send(rng.choice(found), signal.SIGKILL)


class StopAgent:
    name: ClassVar[str] = "SIGSTOP of an agent"

    def strike(self, world: World, rng: random.Random) -> bool:
        found = players(world.home)
        if not found:
            return False
        pid = rng.choice(found)
        later(rng.choice((0.5, 3)), lambda: send(pid, signal.SIGCONT))
        return send(pid, signal.SIGSTOP)


class KillSupervisor:
    name: ClassVar[str] = "SIGKILL of an agent's supervisor"

    def strike(self, world: World, rng: random.Random) -> bool:
        found: dict[str, int] = {}
        for pid, mark in marked(world.home).items():
            found[mark] = min(pid, found.get(mark, pid))
        return bool(found) and send(rng.choice(sorted(found.values())), signal.SIGKILL)


class KillServer:
    name: ClassVar[str] = "SIGKILL of the server"

    def strike(self, world: World, rng: random.Random) -> bool:
        return world.watchman.services["server"].signal(signal.SIGKILL)


class StopServer:
    name: ClassVar[str] = "SIGSTOP of the server"

    def strike(self, world: World, rng: random.Random) -> bool:
        server = world.watchman.services["server"]
        if not server.signal(signal.SIGSTOP):
            return False
        time.sleep(rng.choice((0.3, 1, 2.5)))
        return server.signal(signal.SIGCONT)


class KillBeat:
    name: ClassVar[str] = "SIGKILL of beat"

    def strike(self, world: World, rng: random.Random) -> bool:
        return world.watchman.services["beat"].signal(signal.SIGKILL)


class KillCommand:
    name: ClassVar[str] = "SIGKILL of the command"

    def strike(self, world: World, rng: random.Random) -> bool:
        found = [one.pid for one in world.commands if one.poll() is None]
        return bool(found) and send(rng.choice(found), signal.SIGKILL)


class CutConnections:
    name: ClassVar[str] = "connections cut"

    def strike(self, world: World, rng: random.Random) -> bool:
        line = world.lines[rng.choice(sorted(world.lines))]
        line.cut()
        return True


class DelayConnections:
    name: ClassVar[str] = "connections delayed"

    def strike(self, world: World, rng: random.Random) -> bool:
        line = world.lines[rng.choice(sorted(world.lines))]
        line.delay = rng.choice((0.05, 0.2, 0.5))
        later(rng.uniform(0.5, 2), line.heal)
        return True


class ClientKill:
    name: ClassVar[str] = "CLIENT KILL of everybody"

    def strike(self, world: World, rng: random.Random) -> bool:
        with world.broker() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        return True


class TwoOrchestrators:
    name: ClassVar[str] = "two orchestrators at once"

    def strike(self, world: World, rng: random.Random) -> bool:
        if world.open_runs() > 3:  # enough to do for two processors
            return False
        world.batch(3, commands=2)
        return True


FAULTS: tuple[Fault, ...] = (
    KillWorker(), KillWorkers(), StopWorker(), KillChild(), KillAgent(), StopAgent(), KillSupervisor(), KillServer(),
    StopServer(), KillBeat(), KillCommand(), CutConnections(), DelayConnections(), ClientKill(), TwoOrchestrators(),
)  # fmt: skip
