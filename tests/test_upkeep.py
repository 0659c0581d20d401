"""What a worker does beside its jobs: what is for once a day is done once a day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.core.board import Host
from tests.engine.rig import Rig
from workers import upkeep
from workers.upkeep import Upkeep


class Quiet:
    """Stands for the queues of a worker and for what its machine can do: nothing turns, nothing is new."""

    def turn(self, *, shut: bool) -> None:
        assert not shut

    def now(self) -> dict[str, Any]:
        return {}


def test_mirrors_are_tidied_once_a_day_however_many_workers_tick(
    tmp_path: Path, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine's pools share a day only where they share the mirrors; two workers of one pool always do."""
    rig, tidied = Rig.build(tmp_path, server_url), list[str]()
    monkeypatch.setattr(upkeep, "tidy_mirrors", lambda _tools: tidied.append("tidied"))

    def worker(process: str, pool: str) -> Upkeep:
        host = Host(name="rig", pools={pool: 2}, seen_at=0, machine="m1")
        quiet: Any = Quiet()
        return Upkeep(rig.tools, host, quiet, quiet, process=process)

    workers = [worker("1", "ship"), worker("2", "ship"), worker("3", "planner")]
    for _ in range(3):
        for one in workers:
            one._tick(due=True, first=False)
    assert tidied == ["tidied"]
