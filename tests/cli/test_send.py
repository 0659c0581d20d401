"""A team as its owner sees it: the flag that turns it on, names on the board, and a word to an agent at work."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.cli.house import House, call, shell, work

TEAM = [
    {"id": "total", "project": "api", "title": "feat: a total", "paths": ["src/total.txt"]},
    {"id": "show", "project": "web", "title": "feat: show it", "paths": ["src/show.txt"], "blocked_by": ["total"]},
]
FLAG = "CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS"
OFF = "Agent teams are off"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        made = House.build(patch)
        yield made
        made.close()


@pytest.mark.real
@pytest.mark.parametrize(
    ("variables", "teams"),
    [
        ({}, False),
        ({FLAG: "1"}, True),
        ({FLAG: "0"}, False),
        ({"OPS_TEAMS": "1"}, True),
        ({FLAG: "1", "OPS_TEAMS": "0"}, False),
    ],
    ids=["nothing", "the seed's flag", "the flag off", "our setting", "our setting wins"],
)
def test_what_turns_teams_on(
    house: House, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], teams: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = call("plan", "--hybrid", "--tasks", house.tasks(*TEAM))
    assert said.code == 0
    assert (OFF in said.out) is not teams
    assert ("Mode: hybrid" in said.out) is teams


@pytest.mark.real
def test_an_agent_at_work_is_told_what_its_owner_types(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_TEAMS", "1")
    listens = [{"say": {"text": "waiting"}}, {"copy_mail": {"field": "question", "seconds": 60}}]
    house.play({"total": [[*listens, *work("total", hand_over="in cents")]], "show": [[*listens, *work("show")]]})
    argv = [sys.executable, "-m", "ops_orchestrate", "run", "--teams", "--force", "--tasks", house.tasks(*TEAM)]
    with (house.home / "run.log").open("w") as log:
        run = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while "total: waiting" not in (house.home / "run.log").read_text():
            assert time.monotonic() < deadline, (house.home / "run.log").read_text()
            time.sleep(0.1)
        wrong = shell("send", "api-workr", "hello")
        assert (wrong.code, wrong.out) == (1, "")
        assert 'has no task "api-workr". Did you mean "api-worker"?' in wrong.err
        told = shell("send", "api-worker", "Count in cents.")
        assert (told.code, told.err) == (0, "")
        assert told.out == "api-worker is at work. Message 1 was told in its running session.\n"
        assert run.wait(90) == 0
    finally:
        run.kill()
        run.wait(60)
    lines = (house.home / "run.log").read_text()
    assert "to api-worker: Count in cents." in lines
    assert "message from api-worker to web-worker: Task total of api is merged as" in lines, "it had started early"
    board = shell("report").out
    assert "api-worker" in board
    assert "web-worker" in board
    late = shell("send", "total", "Too late.")
    assert late.code == 1
    assert late.err == "error: api-worker has finished: its work is merged, and nobody would read it.\n"
