"""A primary, two replicas and three Sentinels, with TLS, users and passwords; and a failover in the middle of a run.

Run by `make sentinel`.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.sentinel import MasterNotFoundError, Sentinel

from ops_orchestrate.core.states import RUN_OPEN, RunState, TaskState
from ops_orchestrate.ledger import check_server
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, requested, work
from tests.engine.test_servers import binary_with_tls, certificate, free_port
from tests.repos import read

pytestmark = [pytest.mark.sentinel, pytest.mark.timeout(600)]

NAME, PASSWORD, OWN = "ledger", "correct-horse", "battery/staple"

#: Long enough for `min-replicas-max-lag 6`: replicas say once a second that they live, on a busy machine later.
LEASE = {"OPS_LEASE": "24", "OPS_HEARTBEAT": "2"}


@dataclass
class Group:
    """The servers, and how to reach their primary."""

    url: str
    tls: dict[str, Any]
    sentinels: list[int]
    servers: dict[int, subprocess.Popen[bytes]]

    def primary(self) -> int:
        """The port of the server that the Sentinels call the primary now; 0 where they know of none that lives."""
        asked = Sentinel(
            [("127.0.0.1", port) for port in self.sentinels],
            sentinel_kwargs={**self.tls, "password": OWN, "socket_timeout": 2},
        )
        with asked, suppress(MasterNotFoundError):
            return int(asked.discover_master(NAME)[1])
        return 0

    def is_whole(self) -> bool:
        """Whether every Sentinel knows the others and both replicas, and both follow."""
        try:
            for port in self.sentinels:
                with redis.Redis("127.0.0.1", port, password=OWN, socket_timeout=2, **self.tls) as one:
                    state = one.sentinel_masters()[NAME]
                if (state["num-other-sentinels"], state["num-slaves"]) != (2, 2):
                    return False
            with redis.Redis("127.0.0.1", self.primary(), username="ops", password=PASSWORD, **self.tls) as one:
                return int(one.info("replication")["min_slaves_good_slaves"]) == 2
        except redis.RedisError:
            return False


@contextmanager
def started(folder: Path, name: str, lines: list[str], *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server or a Sentinel with this configuration, which it may rewrite."""
    home = folder / name
    home.mkdir()
    (home / "conf").write_text("\n".join([f"dir {home}", "bind 127.0.0.1", "logfile log", *lines, ""]))
    process = subprocess.Popen([binary_with_tls(), str(home / "conf"), *options], stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    pem, key = certificate(tmp_path)
    spoken = [f"tls-cert-file {pem}", f"tls-key-file {key}", f"tls-ca-cert-file {pem}", "tls-auth-clients no"]
    spoken += ["port 0", "tls-replication yes"]
    ports, sentinels = [free_port() for _ in range(3)], [free_port() for _ in range(3)]
    server = [
        *spoken,
        *("user default off", f"user ops on >{PASSWORD} ~* &* +@all", "masteruser ops", f"masterauth {PASSWORD}"),
        *("appendonly yes", "appendfsync always", 'save ""', "repl-diskless-sync-delay 0"),
        *("min-replicas-to-write 1", "min-replicas-max-lag 6"),
    ]
    sentinel = [
        *spoken,
        *(f"requirepass {OWN}", f"sentinel sentinel-pass {OWN}"),
        *(f"sentinel monitor {NAME} 127.0.0.1 {ports[0]} 2", f"sentinel auth-user {NAME} ops"),
        *(f"sentinel auth-pass {NAME} {PASSWORD}", f"sentinel down-after-milliseconds {NAME} 2000"),
        f"sentinel failover-timeout {NAME} 6000",
    ]
    places = ",".join(f"127.0.0.1:{port}" for port in sentinels)
    query = f"sentinel_password={OWN.replace('/', '%2F')}&ssl_ca_certs={pem}"
    made = Group(
        url=f"sentinels://ops:{PASSWORD}@{places}/{NAME}?{query}",
        tls={"ssl": True, "ssl_ca_certs": str(pem)},
        sentinels=sentinels,
        servers={},
    )
    with ExitStack() as stack:
        for number, port in enumerate(ports):
            follows = [f"replicaof 127.0.0.1 {ports[0]}"] if number else []
            lines = [*server, f"tls-port {port}", *follows]
            made.servers[port] = stack.enter_context(started(tmp_path, f"server{number}", lines))
        for number, port in enumerate(sentinels):
            lines = [*sentinel, f"tls-port {port}"]
            stack.enter_context(started(tmp_path, f"sentinel{number}", lines, "--sentinel"))
        deadline = time.monotonic() + 120
        while not made.is_whole():
            assert time.monotonic() < deadline, "the servers do not find each other"
            time.sleep(0.1)
        yield made


@pytest.fixture
def rig(group: Group, tmp_path: Path) -> Iterator[Rig]:
    made = Rig.build(tmp_path / "rig", group.url, empty=False, **LEASE)
    yield made
    made.close()
    made.ledger.close()


def _over(rig: Rig, run: str) -> bool:
    """Whether the run is over. What supervises workers starts those again that have ended.

    kombu 5.7 ends one whose job is done just while it looks for the next primary (an acknowledgement that finds its
    connection gone is an AttributeError there).
    """
    for pool in [name for name, process in rig.workers.items() if process.poll() is not None]:
        rig.kill(pool)
        rig.start(pool)
    return rig.ledger.runs.get(run).state not in RUN_OPEN


def test_it_is_fit_for_the_ledger(group: Group) -> None:
    assert check_server(group.url, most_lag=6) == []


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP])
def test_a_run_goes_on_under_the_next_primary(group: Group, rig: Rig, fault: signal.Signals) -> None:
    """`SIGSTOP`: the primary comes back and believes for a moment that it still is the one."""
    rig.start()
    names = "abcdef"
    rig.play({name: [work(name, seconds=2), work(name)] for name in names})
    blockers = {"c": ["a", "b"], "d": ["c"], "e": ["c"], "f": ["d", "e"]}
    run = rig.submit([requested(name, blocked_by=blockers.get(name, [])) for name in names])
    rig.until(lambda: bool(rig.ledger.board.slots()), 120, "an agent to start")
    first = group.primary()
    group.servers[first].send_signal(fault)
    rig.until(lambda: group.primary() not in {0, first}, 90, "a failover")
    taken_over = rig.ledger.now()
    if fault is signal.SIGSTOP:
        group.servers[first].send_signal(signal.SIGCONT)
    rig.until(lambda: _over(rig, run), 300, "the run to end")
    events = rig.events(run)
    assert violations(events) == []
    assert rig.ledger.runs.get(run).state is RunState.DONE
    assert {name: rig.task(run, name).state for name in names} == dict.fromkeys(names, TaskState.COMPLETED)
    for name in names:
        assert read(rig.upstream.bare, "dev", f"src/{name}.txt") == name
    assert rig.ledger.board.look(5).quiet_until > taken_over, "nothing was admitted for a lease"
