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


def beside(rig: Rig, pool: str, process: str = "1") -> Upkeep:
    """The upkeep of a worker process that serves one pool."""
    quiet: Any = Quiet()
    host = Host(name="rig", pools={pool: 2}, seen_at=0, machine="m1")
    return Upkeep(rig.tools, host, quiet, quiet, process=process)


def test_mirrors_are_tidied_once_a_day_however_many_workers_tick(
    tmp_path: Path, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine's pools share a day only where they share the mirrors; two workers of one pool always do."""
    rig, tidied = Rig.build(tmp_path, server_url), list[str]()
    monkeypatch.setattr(upkeep, "tidy_mirrors", lambda _tools: tidied.append("tidied"))

    workers = [beside(rig, "ship", "1"), beside(rig, "ship", "2"), beside(rig, "planner", "3")]
    for _ in range(3):
        for one in workers:
            one._tick(due=True, first=False)
    assert tidied == ["tidied"]


def test_a_planner_whose_owners_file_is_broken_announces_itself_and_is_healed_by_a_mended_one(
    tmp_path: Path, server_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Meanwhile no agent's worker may stand in for it: nobody knows by which caps it would grant."""
    rig = Rig.build(tmp_path, server_url)
    preferences = rig.settings.data_dir / "preferences.json"
    preferences.parent.mkdir(exist_ok=True)
    preferences.write_text("{")
    planner = beside(rig, "planner")
    for _ in range(2):
        planner._tick(due=False, first=False)
    assert [host.terms for host in rig.ledger.hosts.live()] == [("",)]
    assert caplog.text.count("preferences.json") == 1
    preferences.unlink()
    planner._tick(due=False, first=False)
    assert [host.terms for host in rig.ledger.hosts.live()] == [(rig.tools.means.terms(),)]
