"""What becomes of the embedded server when its file is damaged or its disk is full."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops_orchestrate.adapters.server import configuration, urls
from ops_orchestrate.adapters.server_process import why_it_failed
from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.errors import OpsError
from tests.adapters.stack_help import HERE, REPOSITORY, Running, call, needs_proc, servers, until

pytestmark = needs_proc


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
