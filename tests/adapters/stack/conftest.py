"""Users of a stack, and the one server of a state directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_orchestrate.adapters.server_process import ServerProcess
from ops_orchestrate.adapters.state_dir import StateDir
from tests.adapters.stack_help import Running, Start, servers, users


@pytest.fixture
def start() -> Iterator[Start]:
    with users() as starter:
        yield starter


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "journal"


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
