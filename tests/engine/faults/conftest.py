"""The installation that faults happen to, one for each module."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ops_orchestrate.celery import POOLS
from ops_orchestrate.core.states import RUN_OPEN
from tests.conftest import own_server
from tests.engine.nemesis import PERIODS
from tests.engine.rig import Rig


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of this module's own: its workers live through all tests."""
    with own_server() as url:
        yield url


@pytest.fixture(scope="module")
def houses(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Rig]]:
    """The installation; another one where a failed test has left a run open."""
    built: list[Rig] = []

    def house() -> Rig:
        if built and any(run.state in RUN_OPEN for run in built[-1].ledger.runs.list()):
            built[-1].close()
            built.clear()
        if not built:
            built.append(Rig.build(tmp_path_factory.mktemp("house"), server, **PERIODS))
        return built[-1]

    yield house
    for rig in built:
        rig.close()


@pytest.fixture
def house(houses: Callable[[], Rig]) -> Rig:
    """The installation with every worker at work."""
    rig = houses()
    missing = [pool for pool in POOLS if pool not in rig.workers or rig.workers[pool].poll() is not None]
    if missing:
        rig.start(*missing)
    return rig
