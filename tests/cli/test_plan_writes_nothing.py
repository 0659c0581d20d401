"""`plan` looks at everything and leaves nothing behind: no byte of data folder, repositories or /tmp changes."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_orchestrate.adapters.stack import Stack
from ops_orchestrate.config import load_settings
from tests.cli.house import House, call, shell, work
from tests.repos import advance

pytestmark = [pytest.mark.real]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A repository with a run behind it, something new on its base, and work of the owner's own in the checkout."""
    with pytest.MonkeyPatch.context() as patch:
        made = House.build(patch, {"api": {}})
        made.play({"done": [work("done")]})
        tasks = made.tasks(
            {"id": "done", "project": "api", "title": "Do it", "paths": ["src/done.txt"]},
            {"id": "sign", "project": "api", "title": "Sign it", "human": "Only the owner can."},
        )
        assert shell("run", "--hybrid", "--force", "--tasks", tasks).code == 4
        advance(made.upstreams["api"], "dev", {"broken": "a colleague's\n"})
        (made.upstreams["api"].checkout / "mine.txt").write_text("mine\n")
        yield made
        made.close()


def picture(folder: Path) -> dict[str, str]:
    """Every path below the folder, with its content, its size and when it was written."""
    seen = {}
    for path in sorted(folder.rglob("*")):
        known = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""
        seen[str(path.relative_to(folder))] = f"{known.st_mode:o} {known.st_size} {known.st_mtime_ns} {content}"
    return seen


@pytest.mark.parametrize("words", [["plan"], ["run", "--dry-run", "--subagents"]])
def test_not_a_byte_changes(words: list[str], house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    own = house.home.parent / f"{house.home.name}-tmp"
    own.mkdir(exist_ok=True)
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    before = picture(house.home)
    said = call(*words, "--tasks", str(house.home / "tasks.json"))
    assert (said.code, said.err) == (0, "")
    assert picture(house.home) == before
    assert list(own.iterdir()) == []
    own.rmdir()


def test_it_is_compared_with_the_board_of_earlier_runs(house: House) -> None:
    """Here while the server of those runs is up: its files are copied as they are being written."""
    with Stack.open(load_settings(), workers=()):
        said = call("plan", "--json", "--tasks", str(house.home / "tasks.json"))
    plan = json.loads(said.out)
    assert plan["state"] == "planned"
    skipped = {one["name"]: one["reason"] for one in plan["skipped"]}
    assert skipped["done"].startswith("done since in run r")
    assert skipped["sign"].startswith("owned by run r")
    assert [task["title"] for task in plan["tasks"]] == ["fix: the quality gate fails on dev"]
    assert plan["forecast"]["attempts"] == 1
    assert plan["forecast"]["cost"] == "$0.25 (1 × $0.25, the average of earlier attempts)"
    assert plan["merges"] == [
        "api: 1 change into dev, which is then promoted to main",
        "each waits for your yes (--force merges without asking)",
    ]
    assert [note["title"] for note in plan["notes"] if note["kind"] == "uncommitted"]
