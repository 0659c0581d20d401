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
from tests.chaos.world import POOLS, World
from tests.engine.nemesis import marked, players

#: Seconds that the server's clock jumps by: longer than a world lasts, so that the order of its stamps is known.
JUMP = 1000


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
    later(seconds, lambda: send(pid, signal.SIGCONT))
    return send(pid, signal.SIGSTOP)


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


class RefuseConnections:
    name: ClassVar[str] = "connections refused"

    def strike(self, world: World, rng: random.Random) -> bool:
        line = world.lines[rng.choice(sorted(world.lines))]
        line.shut = True
        line.cut()
        later(rng.choice((0.5, 2, 6)), line.heal)
        return True


class HalfOpen:
    """Nothing comes through, and nobody is told."""

    name: ClassVar[str] = "connections half open"

    def strike(self, world: World, rng: random.Random) -> bool:
        line = world.lines[rng.choice(sorted(world.lines))]
        line.silent = True
        later(rng.choice((0.5, 2, 6)), line.heal)
        return True


class DropMessage:
    """Takes a message off its queue as a worker would that dies with it; the reader that has waited longest gets it."""

    name: ClassVar[str] = "a message dropped"
    copies: ClassVar[int] = 0

    def strike(self, world: World, rng: random.Random) -> bool:
        queues = [f"ops:{pool}" for pool in POOLS]
        with world.broker() as client:
            taken = client.brpop(queues, timeout=3)
            if not taken:
                return False
            for _ in range(self.copies):
                client.lpush(*taken)
        return True


class DoubleMessage(DropMessage):
    name: ClassVar[str] = "a message delivered three times"
    copies: ClassVar[int] = 3


class DropChordPart:
    """What a join has counted so far is gone, or how many parts it waits for."""

    name: ClassVar[str] = "a part of a chord dropped"

    def strike(self, world: World, rng: random.Random) -> bool:
        deadline = time.monotonic() + 3
        with world.broker(1) as client:
            while time.monotonic() < deadline:
                found = sorted(client.scan_iter("ops:celery-taskset-meta-*.[js]", count=1000))
                if found:
                    return bool(client.delete(rng.choice(found)))
                time.sleep(0.02)
        return False


class JumpServersClock:
    """Forward, by far more than a lease."""

    name: ClassVar[str] = "the server's clock jumps"

    def strike(self, world: World, rng: random.Random) -> bool:
        if world.clocks.why_not or len(world.clocks.jumps) > 3:
            return False
        world.clocks.jump("server", JUMP)
        return True


class JumpHostsClock:
    """Forward and back."""

    name: ClassVar[str] = "a host's clock jumps"

    def strike(self, world: World, rng: random.Random) -> bool:
        if world.clocks.why_not:
            return False
        world.clocks.jump("two", rng.choice((-86_400, -3600, -30, 30, 3600, 86_400)))
        return True


class FillDisk:
    name: ClassVar[str] = "a full disk"

    def strike(self, world: World, rng: random.Random) -> bool:
        return world.disks[rng.choice(sorted(world.disks))].fill(rng.uniform(0.5, 2))


class SilentForge:
    """The forge does what it is asked, or does not, and nobody hears of it."""

    name: ClassVar[str] = "the forge does not answer"

    def strike(self, world: World, rng: random.Random) -> bool:
        kind = rng.choice(("drop", "status", "html", "cut"))
        method = rng.choice(("POST", "PUT", "*"))
        world.github.control.fault(kind, method=method, after=rng.random() < 0.5, times=rng.choice((1, 3)))
        return True


class ArmPoint:
    """The next worker that comes by dies there, or is not answered. It counts when it has happened."""

    name: ClassVar[str] = "armed"

    def strike(self, world: World, rng: random.Random) -> bool:
        left = sorted(set(world.wanted_points) - world.points.hit())
        for name in rng.sample(left, min(2, len(left))):
            world.points.arm(name)
        return False


FAULTS: tuple[Fault, ...] = (
    KillWorker(), KillWorkers(), StopWorker(), KillChild(), StopChild(), KillAgent(), StopAgent(), KillSupervisor(),
    KillServer(), StopServer(), KillBeat(), StopBeat(), KillCommand(), StopCommand(),
    CutConnections(), DelayConnections(), RefuseConnections(), HalfOpen(), ClientKill(),
    DropMessage(), DoubleMessage(), DropChordPart(), TwoOrchestrators(),
    JumpServersClock(), JumpHostsClock(), FillDisk(), SilentForge(), ArmPoint(), ArmPoint(), ArmPoint(),
)  # fmt: skip
