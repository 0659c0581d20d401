"""What a person at a terminal is asked, and what their keys do: the mode, each merge, the promotion, Ctrl-C."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.stack import Stack
from ops_orchestrate.cli.connect import worker_specs
from ops_orchestrate.config import load_settings
from ops_orchestrate.report.matrix import MATRIX
from tests.cli.house import House, call, shell, work
from tests.cli.terminal import Terminal
from tests.repos import read

pytestmark = [pytest.mark.real]

NAMES = ("open", "total", "unwanted", "slow", "asked")


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """One repository and a stack that stays up, so that no command waits for one; each test has its own task."""
    with pytest.MonkeyPatch.context() as patch:
        made = House.build(patch, {"api": {}})
        made.play({name: [work(name)] for name in NAMES})
        with Stack.open(load_settings(), workers=worker_specs()):
            yield made
        made.close()


@pytest.fixture
def untouched() -> Iterator[House]:
    """An installation in which nothing has run."""
    with pytest.MonkeyPatch.context() as patch:
        made = House.build(patch, {"api": {}})
        yield made
        made.close()


def task(house: House, name: str) -> str:
    """The tasks file with one task of that name."""
    path = f"src/{name}.txt"
    return house.tasks({"id": name, "project": "api", "title": f"feat: {name}", "paths": [path]})


def merged(house: House, name: str, branch: str = "dev") -> str | None:
    """What the task made, as that branch of the upstream has it."""
    return read(house.upstreams["api"].bare, branch, f"src/{name}.txt")


def report() -> dict[str, Any]:
    """The newest run."""
    document: dict[str, Any] = json.loads(call("report", "--json").out)
    return document


def test_the_mode_is_asked_with_the_seeds_matrix_and_its_four_answers(untouched: House) -> None:
    with Terminal(["run", "--tasks", task(untouched, "total")]) as at:
        at.expect(r"\[Subagents — fast & cheap\]  \[Agent Teams — steerable\]  \[Hybrid — auto-select\]  \[Dry run")
        assert MATRIX in at.seen
        at.expect(r"subagents, teams, hybrid, dry-run \[hybrid\]: ")
        at.type("everything")
        at.expect("“everything” is none of them")
        at.expect(r"\[hybrid\]: ")
        at.type("d")
        at.expect(r"OPS ► ORCHESTRATE — Plan \| Mode: ")
        at.expect("each waits for your yes")
        assert at.ends() == 0
    assert not state_of(untouched).exists(), "a dry run leaves nothing behind"


@pytest.mark.parametrize("key", ["^C", "^D"])
def test_no_answer_to_the_mode_starts_nothing(key: str, untouched: House) -> None:
    with Terminal(["run"]) as at:
        at.expect(r"\[hybrid\]: ")
        at.type(key)
        assert at.ends() == 130
    assert not state_of(untouched).exists()


def test_a_flag_answers_the_question(untouched: House) -> None:
    with Terminal(["run", "--subagents", "--dry-run", "--tasks", task(untouched, "total")]) as at:
        assert at.ends() == 0
    assert "ORCHESTRATION MODE" not in at.seen


def state_of(house: House) -> Path:
    """Where a run would leave its state."""
    return house.home / "data" / "orchestrate"


def test_what_is_left_open_can_be_answered_in_the_morning(house: House) -> None:
    """`yolo_enabled` answers the question for the mode, and no other one."""
    preferences = house.write("data/preferences.json", {"yolo_enabled": True, "timezone": "Asia/Tokyo"})
    with Terminal(["run", "--tasks", task(house, "open")]) as at:
        at.expect(r"No mode was chosen. It is subagents: hybrid, the recommended one")
        at.expect(r"Merge open \(feat: open\)")
        at.type("^D")
        at.expect(r"\$ ops-orchestrate answer \S+ open yes")
        at.expect(r"Began: +\d{4}-\d\d-\d\d \d\d:\d\d Asia/Tokyo")
        assert at.ends() == 4
    preferences.unlink()
    assert "ORCHESTRATION MODE" not in at.seen
    assert merged(house, "open") is None
    page = house.home / "morning.html"
    assert call("report", "--html", str(page)).out == f"The page is in {page}.\n"
    assert re.search(r"ops-orchestrate answer \S+ open yes", page.read_text(encoding="utf-8"))
    assert 'ops_tasks{state="blocked"} 0.0' in call("metrics").out, "its run is over"
    assert call("metrics", "--listen", "9464").code == 2
    nowhere = call("report", "--html", str(house.home / "no" / "such" / "folder.html"))
    assert nowhere.code == 2
    assert "could not be written" in nowhere.err
    assert shell("answer", "last", "open", "yes").code == 4, "the promotion waits"
    assert merged(house, "open") == "open"
    run = report()
    assert (run["state"], run["reason"]) == ("halted", "1 promotion waits for you")
    assert [one["command"] for one in run["refusals"]] == [f"ops-orchestrate answer {run['run']} promote:api yes"]
    assert "Promotion of api: waits for you: dev at " in call("explain", "last", "open").out
    no = shell("answer", "last", "promote:api", "no")
    assert no.out.startswith("api is not promoted by this run")
    assert no.code == 0
    assert report()["state"] == "done"
    assert shell("answer", "last", "promote:api", "yes").code == 1
    assert merged(house, "open", "main") is None


def test_a_merge_and_a_promotion_wait_for_a_yes(house: House) -> None:
    with Terminal(["run", "--hybrid", "--tasks", task(house, "total")]) as at:
        at.expect(r"Merge total \(feat: total\) at [0-9a-f]{8} into dev\?\n  \$ git --git-dir=\S+/api-\S+ diff \S+\n")
        at.expect(r"\[y\]es, \[n\]o, \[l\]ater: ")
        assert merged(house, "total") is None
        at.type("what?")
        at.expect("“what\\?” is none of them")
        at.expect("ater: ")
        at.type("y")
        at.expect("total: it is merged if nothing has moved.")
        at.expect("✓ total merged into dev")
        at.expect(r"api: dev at [0-9a-f]{8} waits for your yes to be promoted to main\.\n")
        at.expect("ater: ")
        assert merged(house, "total", "main") is None
        at.type("yes")
        at.expect("✓ api: dev promoted to main")
        at.expect("1 promoted to main")
        assert at.ends() == 0
    assert merged(house, "total", "main") == "total"


def test_no_withdraws_the_task(house: House) -> None:
    with Terminal(["run", "--hybrid", "--tasks", task(house, "unwanted")]) as at:
        at.expect("ater: ")
        at.type("n")
        at.expect("unwanted is cancelled.")
        at.ends()
    assert merged(house, "unwanted") is None
    assert report()["tasks"][0]["state"] == "cancelled"


def test_ctrl_c_stops_the_run_and_resume_goes_on(house: House) -> None:
    house.play({"slow": [[{"finish_on_interrupt": {}}, {"hang": {}}]]})
    with Terminal(["run", "--hybrid", "--force", "--tasks", task(house, "slow")]) as at:
        at.expect("▸ slow started on host-1")
        at.type("^C")
        at.expect("Stopping: agents are interrupted and their work is kept")
        at.expect("ORCHESTRATION STOPPED")
        at.expect(r"\$ ops-orchestrate resume \S+")
        assert at.ends() == 130
    assert "To go on: ops-orchestrate resume " in call("explain", "last", "slow").out
    house.play({name: [work(name)] for name in NAMES})
    again = shell("resume")
    assert again.code == 0, again.out
    assert again.out.startswith("Going on with run ")
    assert "audited" not in again.out, "what happened before is not told again"
    assert merged(house, "slow", "main") == "slow"


def test_a_run_is_watched_and_stopped_from_another_shell(house: House) -> None:
    house.play({"slow": [[{"hang": {}}]], "asked": [work("asked")]})
    path = house.tasks({"id": "slow", "project": "api", "title": "feat: again", "paths": ["src/again.txt"]})
    with Terminal(["run", "--hybrid", "--force", "--tasks", path]) as at:
        run = at.expect(r"Run (\S+), on ").group(1)
        at.expect("▸ slow started on host-1")
        why = call("explain", "last", "slow").out
        assert re.search(r"Attempt 1 holds slot \d on host-1 for \d+ s; its lease ends in \d+ s", why)
        status = json.loads(call("status", "--json").out)
        assert [(slot["run"], slot["task"]) for slot in status["slots"]] == [(run, "slow")]
        assert [(owner["task"], owner["paths"]) for owner in status["ownership"]] == [("slow", ["src/again.txt"])]
        assert "◉ wip" in call("report").out
        with Terminal(["watch"]) as beside:
            beside.expect(r"1/1 done|0/1 done, 1 in flight")
            beside.expect(r" \d  slow \d+ s")
            assert "OPS ► ORCHESTRATE" in beside.seen, "what this terminal can show is shown"
            beside.type("^C")
            beside.expect(rf"The run goes on: `ops-orchestrate watch {run}` looks again")
            assert beside.ends() == 0
        said = shell("stop")
        assert said.out == f"Run {run} is stopping; `ops-orchestrate resume {run}` goes on.\n"
        at.expect("ORCHESTRATION STOPPED")
        assert at.ends() == 130
    assert shell("cancel", "last", "slow").out == "slow is cancelled.\n"


def test_ctrl_c_at_a_question_leaves_it_open(house: House) -> None:
    with Terminal(["run", "--hybrid", "--tasks", task(house, "asked")]) as at:
        at.expect("ater: ")
        at.type("^C")
        at.expect(r"\$ ops-orchestrate answer \S+ asked yes")
        assert at.ends() in (4, 130)
    assert merged(house, "asked") is None


def test_init_asks_about_each_gate(untouched: House) -> None:
    (untouched.upstreams["api"].checkout / "Makefile").write_text("test:\n\ttrue\n")
    target = untouched.home / "new.json"
    with Terminal(["init", str(untouched.home / "code"), "--registry", str(target)]) as at:
        at.expect(r"api: (make test) ")
        at.expect(r"accept this gate\? \[Y/n\]: ")
        at.type("maybe")
        at.expect("“maybe” is neither yes nor no")
        at.expect(r"accept this gate\? \[Y/n\]: ")
        at.type("y")
        at.expect("1 project, 1 gate")
        assert at.ends() == 0
    assert [project["ops"]["gate"] for project in json.loads(target.read_text())["projects"]] == ["make test"]
    assert target.stat().st_mode & 0o777 == 0o600
    silent = untouched.home / "silent.json"
    said = call("init", str(untouched.home / "code"), "--registry", str(silent))
    assert "1 proposed gate not accepted, because there is no terminal to ask at (--accept-gates)" in said.out
    before = json.loads(silent.read_text())
    assert "ops" not in before["projects"][0]
    silent.chmod(0o640)
    silent.write_text(json.dumps(before | {"owner": "me"}, indent=4))
    later = ("init", str(untouched.home / "code"), "--registry", str(silent))
    assert "--accept-gates gives its entries the gates" in call(*later).err, "nobody is there to say yes"
    assert f"Gave 1 entry of {silent} a gate; nothing else in it was changed." in call(*later, "--accept-gates").out
    before["projects"][0]["ops"] = {"gate": "make test"}
    assert silent.read_text() == json.dumps(before | {"owner": "me"}, indent=4) + "\n"
    assert silent.stat().st_mode & 0o777 == 0o640
    again = call(*later, "--accept-gates")
    assert "api: it has a gate, or no entry of its own" in again.out and "No gate was put into" in again.out
