"""Two machines as network namespaces, and a cable that is pulled: the cap, ownership and fences hold on both sides.

Run by `make partition`; it needs a machine that lets us make namespaces.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import redis

from ops_orchestrate.adapters.server import find_server
from ops_orchestrate.core.board import MAX_AGENTS
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.check import violations
from tests.engine.nemesis import marked, players
from tests.engine.rig import Rig, requested, work
from tests.engine.test_servers import free_port, running
from tests.repos import read

pytestmark = [pytest.mark.partition, pytest.mark.timeout(300)]

PASSWORD = "correct-horse"
TASKS = "abcdefg"


def ip(*words: str) -> None:
    """Raises CalledProcessError."""
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


class Cable:
    """Between this machine and a namespace; pulled and plugged."""

    def __init__(self, number: int) -> None:
        # Another run of this test may be under way on this machine.
        mine = os.getpid() % 100 * 2 + number
        self.space, self.here, self.there = f"opsn{mine}", f"opsv{mine}", f"opsw{mine}"
        self.address = f"10.213.{mine}.1"
        self._other = f"10.213.{mine}.2"

    def lay(self) -> None:
        """Raises CalledProcessError where that is not allowed."""
        ip("netns", "add", self.space)
        ip("link", "add", self.here, "type", "veth", "peer", "name", self.there, "netns", self.space)
        ip("addr", "add", f"{self.address}/24", "dev", self.here)
        ip("link", "set", self.here, "up")
        ip("-n", self.space, "addr", "add", f"{self._other}/24", "dev", self.there)
        ip("-n", self.space, "link", "set", self.there, "up")
        ip("-n", self.space, "link", "set", "lo", "up")

    def pull(self) -> None:
        """Nothing gets through any more, and nobody is told."""
        ip("-n", self.space, "link", "set", self.there, "down")

    def plug(self) -> None:
        """As before."""
        ip("-n", self.space, "link", "set", self.there, "up")

    def remove(self) -> None:
        """Whatever there is of it."""
        for words in (("link", "del", self.here), ("netns", "del", self.space)):
            with suppress(subprocess.CalledProcessError):
                ip(*words)


@pytest.fixture
def cables() -> Iterator[tuple[Cable, Cable]]:
    if shutil.which("ip") is None:
        pytest.skip("no machines were parted: there is no `ip` here (apt install iproute2)")
    both = Cable(1), Cable(2)
    try:
        for cable in both:
            cable.lay()
        yield both
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no machines were parted: namespaces cannot be made here ({error.stderr.decode().strip()})")
    finally:
        for cable in both:
            cable.remove()


def at_work(rig: Rig) -> set[str]:
    """The attempts whose agents live, on whichever machine."""
    every = marked(rig.home)
    return {every[pid] for pid in players(rig.home) if pid in every}


@contextmanager
def counting(rig: Rig, most: list[int]) -> Iterator[None]:
    """Notes the largest number of agents that were there at one time, on both sides of the cut."""
    ended = threading.Event()

    def count() -> None:
        while not ended.wait(0.1):
            most[0] = max(most[0], len(at_work(rig)))

    thread = threading.Thread(target=count)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(60)


@pytest.fixture
def rig(cables: tuple[Cable, Cable], tmp_path: Path) -> Iterator[Rig]:
    """A server that both reach; `left` has agents, `right` has everything."""
    port = free_port()
    argv = [find_server().binary, "--port", str(port), "--requirepass", PASSWORD, "--save", "", "--dir", str(tmp_path)]
    argv += ["--bind", "127.0.0.1", *(cable.address for cable in cables)]
    url = f"redis://:{PASSWORD}@127.0.0.1:{port}"
    with ExitStack() as stack:
        stack.enter_context(running(argv, redis.Redis.from_url(url)))
        made = Rig.build(tmp_path / "rig", url, tuple(TASKS))
        stack.callback(made.ledger.close)
        stack.callback(made.close)
        for host, cable in zip(("left", "right"), cables, strict=True):
            pools = ("agent",) if host == "left" else ("planner", "audit", "agent", "ship")
            for pool in pools:
                given = {
                    "OPS_HOST": host,
                    "OPS_DATA_DIR": str(made.home / host),
                    "OPS_REDIS_URL": f"redis://:{PASSWORD}@{cable.address}:{port}",
                    "OPS_HOST_AGENTS": "3",
                }
                argv = ["ip", "netns", "exec", cable.space, sys.executable, "-m", "workers", pool]
                made.workers[f"{pool}@{host}"] = made._spawn(f"{pool}@{host}", argv, **given)
            made.until(lambda host=host, pools=pools: set(pools) <= made.pools_on(host), 60, f"{host} to join")
        yield made


def test_a_machine_that_is_cut_off_in_the_middle_of_its_work(cables: tuple[Cable, Cable], rig: Rig) -> None:
    """Its agents are ended by their supervisors before their places are given to others; nothing is done twice."""
    rig.play({name: [work(name, seconds=20), work(name, seconds=1)] for name in TASKS})
    most = [0]
    with counting(rig, most):
        run = rig.submit([requested(name, name) for name in TASKS])
        rig.until(lambda: len(at_work(rig)) == MAX_AGENTS, 60, "five agents to work")
        lost = {slot.task for slot in rig.ledger.board.slots() if slot.host == "left"}
        assert lost, "the machine that is cut off works, too"
        cables[0].pull()
        rig.until(lambda: not any(slot.host == "left" for slot in rig.ledger.board.slots()), 60, "its slots to be free")
        rig.until(
            lambda: "left" not in {host.name for host in rig.ledger.hosts.live()}, 30, "its absence to be noticed"
        )
        cables[0].plug()
        events = rig.finish(run, 200)
    assert violations(events) == []
    assert most[0] == MAX_AGENTS, "never a sixth, on whichever side"
    assert {name: rig.task(run, name).state for name in TASKS} == dict.fromkeys(TASKS, TaskState.COMPLETED)
    again = {event.task for event in events if event.kind is EventKind.ATTEMPT_STARTED and event.attempt == 2}
    assert lost <= again
    for name in TASKS:
        assert read(rig.upstreams[name].bare, "dev", f"src/{name}.txt") == name
    assert rig.agents() == []
