"""The embedded server: what it is told, and never a second one on the same data."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from celery import Celery, chord
from celery.contrib.testing.worker import start_worker

from ops_orchestrate.adapters.process_id import ProcessId
from ops_orchestrate.adapters.server import configuration, urls
from ops_orchestrate.adapters.server_process import ServerProcess
from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.errors import OpsError
from tests.adapters.stack_help import Running, alive, call, needs_proc, servers, until

pytestmark = needs_proc


def test_it_listens_on_its_socket_only_and_keeps_every_write(running: Running, state: StateDir) -> None:
    server = running()
    address = urls(server.info).ledger
    wanted = {
        "port": "0",
        "appendonly": "yes",
        "appendfsync": "always",
        "aof-load-truncated": "yes",
        "maxmemory-policy": "noeviction",
        "save": "",
        "databases": "16",
        "dir": str(state.server),
    }
    assert {name: call(address, "CONFIG", "GET", name)[name] for name in wanted} == wanted
    assert (state.run / "server.conf").stat().st_mode & 0o777 == 0o600


def test_the_configuration_holds_no_path_but_the_socket() -> None:
    text = configuration(Path("/run/x/s.sock"))
    directives = [line for line in text.splitlines() if not line.startswith("#")]
    assert [line for line in directives if "/" in line] == ["unixsocket /run/x/s.sock"]


# redis-py deprecates a command that Celery's results use.
@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")
def test_celery_runs_a_chord_over_the_socket(running: Running) -> None:
    broker, results, ledger = urls(running().info)
    app = Celery("round-trip", broker=broker, backend=results, set_as_current=False)

    @app.task  # type: ignore[untyped-decorator]  # celery ships no types
    def double(number: int) -> int:
        return 2 * number

    @app.task  # type: ignore[untyped-decorator]  # celery ships no types
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    with start_worker(app, pool="solo", perform_ping_check=False):
        assert chord([double.s(n) for n in range(5)], total.s()).apply_async().get(timeout=20) == 20
    app.close()
    assert call(ledger, "DBSIZE") == 0, "broker and results have databases of their own"


def test_a_server_that_is_there_is_adopted(running: Running, state: StateDir) -> None:
    first = running()
    call(urls(first.info).ledger, "SET", "a", "b")
    second = running()
    assert second.adopted
    assert second.info == first.info
    assert servers(state.root) == [first.info.process.pid if first.info.process else 0]
    second.stop()
    # The first thread's end is seen at once; the parent may be told when the server's last thread has ended as well.
    until(lambda: not first.running(), 2)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops_orchestrate.adapters.server_process.ADOPT_LIMIT", 0.2)
    monkeypatch.setattr("ops_orchestrate.adapters.server_process.STOP_LIMIT", 0.4)


@pytest.mark.usefixtures("impatient")
def test_a_silent_server_is_ended_before_another_starts(running: Running, state: StateDir) -> None:
    first = running()
    call(urls(first.info).ledger, "SET", "a", "b")
    assert first.info.process
    os.kill(first.info.process.pid, signal.SIGSTOP)
    second = running()
    assert not second.adopted
    assert not alive(first.info.process.pid)
    assert call(urls(second.info).ledger, "GET", "a") == "b"


@pytest.mark.usefixtures("impatient")
def test_a_lock_held_by_something_unknown_is_an_error(state: StateDir) -> None:
    with state.lock(state.server_lock) as lock:
        assert lock.exclusive()
        with pytest.raises(OpsError, match=rf"holds {state.server_lock}.*fuser"):
            ServerProcess.start_or_adopt(state)
    assert not servers(state.root)


def test_the_number_of_an_ended_process_is_not_the_process() -> None:
    sleeper = subprocess.Popen(["sleep", "100"])
    process = ProcessId.of(sleeper.pid)
    assert process
    assert process.alive()
    assert not ProcessId(pid=process.pid, started=process.started - 1).alive()
    sleeper.kill()
    until(lambda: not process.alive())  # a zombie, until it is waited for
    sleeper.wait(60)
    assert ProcessId.of(sleeper.pid) is None
