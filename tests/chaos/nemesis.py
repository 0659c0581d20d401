"""Faults of processes, one class each, and the list of all faults."""

from __future__ import annotations

import random
import signal
import time
from typing import ClassVar

from tests.chaos import trouble
from tests.chaos.fault import Fault, later, stop
from tests.chaos.processes import children, send
from tests.chaos.world import World
from tests.engine.nemesis import marked, players


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

    def strike(self, world: World, rng: random.Random) -> bool:
        found = children(world.watchman.services["plain"].pid or -1)
        return bool(found) and send(rng.choice(found), signal.SIGKILL)


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
        return stop(rng.choice(found), rng.choice((0.5, 3)))


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


class TwoOrchestrators:
    name: ClassVar[str] = "two orchestrators at once"

    def strike(self, world: World, rng: random.Random) -> bool:
        if world.open_runs() > 5:  # enough to do for two processors
            return False
        world.batch(3, commands=2)
        return True


class StopChild:
    name: ClassVar[str] = "SIGSTOP of a pool child"

    def strike(self, world: World, rng: random.Random) -> bool:
        found = children(world.watchman.services["plain"].pid or -1)
        return bool(found) and stop(rng.choice(found), rng.choice((0.5, 2, 7)))


class StopBeat:
    name: ClassVar[str] = "SIGSTOP of beat"

    def strike(self, world: World, rng: random.Random) -> bool:
        pid = world.watchman.services["beat"].pid
        return bool(pid) and stop(pid, rng.choice((0.5, 3)))


class StopCommand:
    name: ClassVar[str] = "SIGSTOP of the command"

    def strike(self, world: World, rng: random.Random) -> bool:
        found = [one.pid for one in world.commands if one.poll() is None]
        return bool(found) and stop(rng.choice(found), rng.choice((0.5, 3)))


#: Each as often as it stands here.
FAULTS: tuple[Fault, ...] = (
    KillWorker(), KillWorker(), KillWorkers(), StopWorker(), KillChild(), KillChild(), StopChild(),
    KillAgent(), KillAgent(), StopAgent(), KillSupervisor(), KillSupervisor(),
    KillServer(), KillServer(), StopServer(), KillBeat(), StopBeat(), KillCommand(), StopCommand(), TwoOrchestrators(),
    trouble.CutConnections(), trouble.DelayConnections(), trouble.RefuseConnections(), trouble.HalfOpen(),
    trouble.CutOff(),
    trouble.RefuseWrites(), trouble.ClientKill(),
    trouble.DropMessage(), trouble.DoubleMessage(), trouble.DropChordPart(),
    trouble.JumpServersClock(), trouble.JumpHostsClock(), trouble.FillDisk(), trouble.SilentForge(),
)  # fmt: skip
