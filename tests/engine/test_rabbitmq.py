"""RabbitMQ as the broker, by its URL alone; the ledger stays on its own server. Run by `make rabbitmq`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RunState
from ops_orchestrate.report.check import violations
from tests.adapters.stack_help import until
from tests.conftest import own_server
from tests.engine.rig import Rig, requested, work
from tests.engine.test_servers import free_port, plays_a_run

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(240)]

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A RabbitMQ of the file's own, on ports of its own; its URL."""
    epmd = shutil.which("epmd")
    if epmd is None or not SERVER.exists():
        pytest.skip("RabbitMQ was not tried: it is not installed (apt install rabbitmq-server)")
    home = tmp_path_factory.mktemp("rabbit")
    port, names = free_port(), str(free_port())
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "RABBITMQ_NODENAME": f"ops{port}@localhost",
        "RABBITMQ_MNESIA_BASE": str(home / "data"),
        "RABBITMQ_LOG_BASE": str(home / "logs"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "ERL_EPMD_PORT": names,
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    with (home / "said").open("w") as said:
        server = subprocess.Popen([SERVER], env=env, stdout=said, stderr=said)
    try:
        until(lambda: _answers(port), 180)
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        server.terminate()
        server.wait(30)
        subprocess.run([epmd, "-port", names, "-kill"], env=env, capture_output=True, check=False)


def _answers(port: int) -> bool:
    """Whether it speaks AMQP: it greets whoever begins with the wrong version by the right one."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as one:
            one.sendall(b"AMQP\x01\x01\x01\x01")
            return one.recv(4) == b"AMQP"
    except OSError:
        return False


@pytest.fixture
def rig(tmp_path: Path, broker: str) -> Iterator[Rig]:
    """Two repositories, no worker yet."""
    with own_server() as url:
        made = Rig.build(tmp_path, url, ("app", "web"), OPS_BROKER_URL=broker)
        yield made
        made.close()


def test_a_run_with_joins(rig: Rig) -> None:
    rig.upstreams.pop("web")
    rig.start()
    plays_a_run(rig)


def test_a_busy_worker_keeps_no_message_from_a_free_one(rig: Rig) -> None:
    """One has a long task; whatever is granted meanwhile goes to the other one at once, and no grant runs out."""
    rig.start_host("right", "planner", "audit", "ship")
    for host in ("one", "other"):
        rig.start_host(host, "agent", OPS_HOST_AGENTS="1")
    rig.play({"long": [work("long", seconds=12)], **{name: [work(name)] for name in "abcd"}})
    chain = [requested(one, "web", blocked_by=[before]) for one, before in zip("bcd", "abc", strict=True)]
    run = rig.submit([requested("long", "app"), requested("a", "web"), *chain])
    events = rig.finish(run, 90)
    assert violations(events) == []
    assert rig.ledger.runs.get(run).state is RunState.DONE
    started = {event.task: event.host for event in events if event.kind is EventKind.ATTEMPT_STARTED}
    assert len({started[task] for task in "abcd"} | {started["long"]}) == 2
    assert {started[task] for task in "abcd"}.isdisjoint({started["long"]}), "the free one did all of the others"
    assert all(event.attempt == 1 for event in events if event.kind is EventKind.ATTEMPT_STARTED)
