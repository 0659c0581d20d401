"""Faults of everything between and below the processes: lines, messages, chords, clocks, disks, the forge."""

from __future__ import annotations

import random
import time
from functools import partial
from typing import ClassVar

from tests.chaos.fault import later
from tests.chaos.world import POOLS, World

#: Seconds that the server's clock jumps by: longer than a world lasts, so that the order of its stamps is known.
JUMP = 1000


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


class CutOff:
    """A host's network: packets are lost, and nobody is told."""

    name: ClassVar[str] = "a host cut off"

    def strike(self, world: World, rng: random.Random) -> bool:
        if world.network.why_not:
            return False
        world.network.cut(cut=True)
        later(rng.choice((0.5, 2, 7)), lambda: world.network.cut(cut=False))
        return True


class ClientKill:
    name: ClassVar[str] = "CLIENT KILL of everybody"

    def strike(self, world: World, rng: random.Random) -> bool:
        with world.broker() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        return True


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


class RefuseWrites:
    """It answers, and says no: out of memory, or a read-only replica."""

    name: ClassVar[str] = "the server refuses writes"

    def strike(self, world: World, rng: random.Random) -> bool:
        with world.broker() as client:
            if rng.random() < 0.5:
                client.config_set("maxmemory", 1)
            else:
                client.execute_command("REPLICAOF", "127.0.0.1", "1")
        later(rng.choice((0.5, 2, 6)), world.let_write)
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
    """Forward, by far more than a lease; the hosts follow a moment later, as when the time is set everywhere."""

    name: ClassVar[str] = "the server's clock jumps"

    def strike(self, world: World, rng: random.Random) -> bool:
        if world.clocks.why_not or len(world.clocks.jumps) > 3:
            return False
        world.clocks.jump("server", JUMP)
        for host in sorted(world.lines):
            later(rng.uniform(0, 2), partial(world.clocks.jump, host, JUMP))
        return True


class JumpHostsClock:
    """Forward or back, and right again after a while. Meanwhile the host is given nothing."""

    name: ClassVar[str] = "a host's clock jumps"

    def strike(self, world: World, rng: random.Random) -> bool:
        if world.clocks.why_not:
            return False
        wrong = rng.choice((-86_400, -3600, -30, 30, 3600, 86_400))
        world.clocks.jump("two", wrong)
        later(rng.uniform(1, 6), partial(world.clocks.jump, "two", -wrong))
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
