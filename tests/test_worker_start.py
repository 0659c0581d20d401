"""A worker that should not start says why, in one sentence, and does not: what a machine must find before it joins."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import redis

from ops_orchestrate import __version__
from ops_orchestrate.adapters.server import find_server
from ops_orchestrate.config import Settings
from ops_orchestrate.core.board import Host
from ops_orchestrate.ledger import connect
from tests.adapters.stack_help import until
from workers.lifecycle import why_not_start

ROOT = Path(__file__).resolve().parents[1]


def refused(url: str, home: Path, **env: str) -> str:
    """What the worker of a planner says when it does not start."""
    given = {**os.environ, "OPS_REDIS_URL": url, "OPS_DATA_DIR": str(home), "OPS_HOST": "here", **env}
    done = subprocess.run(
        [sys.executable, "-m", "workers", "planner"],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    return done.stderr


@contextmanager
def server(folder: Path, address: str, *options: str) -> Iterator[str]:
    """A server on a port of that address; its URL."""
    with socket.create_server((address, 0)) as probe:
        port = probe.getsockname()[1]
    argv = [find_server().binary, "--bind", address, "--port", str(port), "--dir", str(folder), "--save", "", *options]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        until(lambda: _answers(address, port))
        yield f"redis://{address}:{port}"
    finally:
        process.kill()
        process.wait(60)


def _answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), 1):
            return True
    except OSError:
        return False


@pytest.fixture
def url(server_url: str) -> str:
    """A server that is fit, and empty."""
    client = redis.Redis.from_url(server_url)
    client.flushall()
    client.close()
    return server_url


def _announce(url: str, host: Host) -> None:
    ledger = connect(url.replace("?db=0", "") + ("?db=2" if url.startswith("unix") else "/2"))
    ledger.hosts.announce(host, process="1", ttl=60)
    ledger.close()


def test_a_machine_of_another_version_is_there(url: str, tmp_path: Path) -> None:
    _announce(url, Host(name="there", pools={}, seen_at=0, version="0.0.1"))
    assert f"there runs ops-orchestrate 0.0.1, this is {__version__}" in refused(url, tmp_path)


def test_another_machine_has_its_name(url: str, tmp_path: Path) -> None:
    _announce(url, Host(name="here", pools={}, seen_at=0, version=__version__, machine="another"))
    assert "give this one a name of its own in OPS_HOST" in refused(url, tmp_path)


def test_its_clock_is_another_one(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is an hour behind, as far as this machine can tell."""
    monkeypatch.setattr("ops_orchestrate.ledger.Ledger.now", lambda _ledger: time.time() - 3600)
    settings = Settings.model_validate({"data_dir": tmp_path, "redis_url": url, "host": "here"})
    assert "3600 s ahead of the server's" in why_not_start(settings)


def test_a_server_that_anybody_in_the_network_can_reach(tmp_path: Path) -> None:
    found = [one.address for ways in psutil.net_if_addrs().values() for one in ways if one.family is socket.AF_INET]
    address = next((one for one in sorted(found) if not one.startswith("127.")), None)
    if address is None:
        pytest.skip("this machine has no address but loopback to listen on")
    with server(tmp_path, address, "--protected-mode", "no") as open_to_all:
        assert "without a password" in refused(open_to_all, tmp_path)


def test_a_cluster(tmp_path: Path) -> None:
    with server(tmp_path, "127.0.0.1", "--cluster-enabled", "yes") as clustered:
        assert "Cluster mode, which Celery does not support" in refused(clustered, tmp_path)
