"""A scripted server, a client of it, and retries that do not wait."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.standin.run import Standin
from tests.adapters.github.scene import Scene
from tests.adapters.github.scripted import Server, make_client, serve


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as found:
        yield found


@pytest.fixture
def client(server: Server) -> Iterator[GitHubClient]:
    made = make_client(server.url)
    yield made
    made.close()


@pytest.fixture
def scene(github: Standin, tmp_path: Path) -> Iterator[Scene]:
    """A GitHub with a repository that the bot may write to."""
    made = Scene(github, tmp_path / "state")
    yield made
    made.close()
