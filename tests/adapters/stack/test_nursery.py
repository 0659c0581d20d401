"""Workers that a nursery forks: processes of their own in every respect, and no poorer where there is no nursery."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.stack import Stack, WorkerSpec
from ops_orchestrate.adapters.state_dir import StateDir
from tests.adapters.stack_help import (
    HERE,
    REPOSITORY,
    alive,
    born,
    keepers,
    needs_proc,
    nothing_left,
    settings_for,
    stand_in,
    until,
    workers,
)

pytestmark = needs_proc


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))


def forked(notes: Path, name: str = "forked", **more: Any) -> WorkerSpec:
    """A stand-in that a nursery forks; where there is none, it is a program of its own."""
    nursery = (sys.executable, str(HERE / "stack_nursery.py"), str(notes))
    return stand_in(notes, **{"nursery": nursery, **more}).model_copy(update={"name": name})


def forks(notes: Path) -> list[dict[str, Any]]:
    """What each fork said of itself, in order."""
    path = notes.with_suffix(".forks")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def environment(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


def test_a_fork_is_a_process_of_its_own(data: Path, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MINE", "THEIRS", "COMMON"):
        monkeypatch.setenv(name, f"value of {name}")
    specs = [forked(notes, "one", drop=("THEIRS",), env={"X": "1"}), forked(notes, "two", drop=("MINE",))]
    with Stack.open(settings_for(data), workers=specs):
        one, two = sorted(until(lambda: len(found := forks(notes)) == 2 and found), key=lambda fork: str(fork["name"]))
        seen = [environment(pid) for pid in (one["pid"], two["pid"], one["parent"])]
        until(lambda: "said by one" in StateDir.at(data / "orchestrate").log("one").read_text())
        assert "said by two" not in StateDir.at(data / "orchestrate").log("one").read_text()
    assert one["session"] == one["pid"] != two["pid"]
    assert one["parent"] == two["parent"]
    assert (one["env"]["MINE"], one["env"].get("THEIRS"), one["env"]["X"]) == ("value of MINE", None, "1")
    assert (two["env"].get("MINE"), two["env"]["THEIRS"], two["env"].get("X")) == (None, "value of THEIRS", None)
    # What the kernel shows of each is the nursery's own: nothing that one of them must not see.
    assert all("COMMON" in one and "MINE" not in one and "THEIRS" not in one for one in seen)
    assert nothing_left(data)


def test_what_ends_is_forked_again_and_without_its_nursery_a_program_of_its_own(data: Path, notes: Path) -> None:
    log = StateDir.at(data / "orchestrate").log("keeper")
    with Stack.open(settings_for(data), workers=[forked(notes), forked(notes, "brief")]):
        first = until(lambda: forks(notes))[0]
        os.kill(first["pid"], signal.SIGKILL)
        second = until(lambda: len(found := forks(notes)) == 2 and found[1])
        assert second["parent"] == first["parent"]
        until(lambda: second["pid"] in born(notes))
        until(lambda: f"worker forked ended with {-signal.SIGKILL}" in (said := log.read_text()) and "with 3" in said)
        os.kill(first["parent"], signal.SIGKILL)
        until(lambda: not alive(first["parent"]))
        assert alive(second["pid"]), "forks outlive their nursery"
        os.kill(second["pid"], signal.SIGKILL)
        until(lambda: set(born(notes)) - {first["pid"], second["pid"]})
        assert len(forks(notes)) == 2
    assert nothing_left(data)


@pytest.mark.parametrize("nursery", [("/nowhere/nursery",), (sys.executable, "-c", "raise SystemExit(1)")])
def test_without_a_nursery_workers_are_programs_of_their_own(data: Path, notes: Path, nursery: tuple[str, ...]) -> None:
    with Stack.open(settings_for(data), workers=[forked(notes, nursery=nursery)]):
        until(lambda: born(notes))
        assert forks(notes) == []
    assert nothing_left(data)


def test_after_a_killed_keeper_forks_and_nursery_go(data: Path, notes: Path) -> None:
    state = data / "orchestrate"
    with Stack.open(settings_for(data), workers=[forked(notes)]) as stack:
        until(lambda: forks(notes))
        os.kill(keepers(state)[0], signal.SIGKILL)
        until(lambda: not stack.alive() and not workers(state))
        stack.ensure()
        until(lambda: len(forks(notes)) == 2)
    assert nothing_left(data)
