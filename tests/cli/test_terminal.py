"""What a person at a terminal is asked, and what their keys do: the mode, each merge, the promotion, Ctrl-C."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ops_orchestrate.report.matrix import MATRIX
from tests.cli.house import House, call, work
from tests.cli.terminal import Terminal
from tests.repos import read

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("cli")]

TASK = {"id": "total", "project": "api", "title": "feat: a total", "paths": ["src/total.txt"]}


@pytest.fixture
def house() -> Iterator[House]:
    """One repository, one task."""
    with pytest.MonkeyPatch.context() as patch:
        made = House.build(patch, {"api": {}})
        made.play({"total": [work("total")]})
        yield made
        made.close()


def test_the_mode_is_asked_with_the_seeds_matrix_and_its_four_answers(house: House) -> None:
    with Terminal(["run", "--tasks", house.tasks(TASK)]) as at:
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
    assert not (house.home / "data" / "orchestrate").exists(), "a dry run starts nothing that stays"


@pytest.mark.parametrize("key", ["^C", "^D"])
def test_no_answer_to_the_mode_starts_nothing(key: str, house: House) -> None:
    with Terminal(["run", "--tasks", house.tasks(TASK)]) as at:
        at.expect(r"\[hybrid\]: ")
        at.type(key)
        assert at.ends() == 130
    assert not (house.home / "data" / "orchestrate").exists()


def test_a_flag_answers_the_question(house: House) -> None:
    with Terminal(["run", "--subagents", "--dry-run", "--tasks", house.tasks(TASK)]) as at:
        assert at.ends() == 0
    assert "ORCHESTRATION MODE" not in at.seen


def test_yolo_answers_the_question_for_the_mode_and_no_other(house: House) -> None:
    house.write("data/preferences.json", {"yolo_enabled": True, "timezone": "Asia/Tokyo"})
    with Terminal(["run", "--tasks", house.tasks(TASK)]) as at:
        at.expect("No mode was chosen: hybrid, the recommended one.")
        at.expect(r"Merge total \(feat: a total\)")
        at.type("l")
        at.expect(r"Began: +\d{4}-\d\d-\d\d \d\d:\d\d Asia/Tokyo")
        assert at.ends() == 4
    assert "ORCHESTRATION MODE" not in at.seen
    assert read(house.upstreams["api"].bare, "dev", "src/total.txt") is None


def test_a_merge_and_a_promotion_wait_for_a_yes(house: House) -> None:
    bare = house.upstreams["api"].bare
    with Terminal(["run", "--hybrid", "--tasks", house.tasks(TASK)]) as at:
        at.expect(r"Merge total \(feat: a total\) at [0-9a-f]{8} into dev\?\n  \$ git --git-dir=\S+/api-\S+ diff \S+\n")
        at.expect(r"\[y\]es, \[n\]o, \[l\]ater: ")
        assert read(bare, "dev", "src/total.txt") is None
        at.type("what?")
        at.expect("“what\\?” is none of them")
        at.expect("later: ")
        at.type("y")
        at.expect("total: it is merged if nothing has moved.")
        at.expect("✓ total merged into dev")
        at.expect(r"api: dev at [0-9a-f]{10} waits for your yes to be promoted to main\.")
        at.expect("later: ")
        assert read(bare, "main", "src/total.txt") is None
        at.type("yes")
        at.expect("✓ api: dev promoted to main")
        at.expect("1 tasks, 1 PRs shipped, 1 promoted to main")
        assert at.ends() == 0
    assert read(bare, "main", "src/total.txt") == "total"


def test_what_is_left_open_can_be_answered_in_the_morning(house: House) -> None:
    bare = house.upstreams["api"].bare
    with Terminal(["run", "--hybrid", "--tasks", house.tasks(TASK)]) as at:
        at.expect("later: ")
        at.type("^D")
        at.expect(r"\$ ops-orchestrate answer \S+ total yes")
        assert at.ends() == 4
    merged = call("answer", "last", "total", "yes")
    assert merged.code == 0
    assert read(bare, "dev", "src/total.txt") == "total"
    waits = [line.strip() for line in merged.out.splitlines() if "promote:" in line and line.strip().startswith("$")]
    run = json.loads(call("report", "--json").out)["run"]
    assert waits == [f"$ ops-orchestrate answer {run} promote:api yes"]
    assert "Promotion of api: waits for you: dev at " in call("explain", "last", "total").out
    assert call("answer", "last", "promote:api", "no").out.startswith("api is not promoted by this run")
    assert "promote:" not in call("report").out
    assert call("answer", "last", "promote:api", "yes").code == 1


def test_no_withdraws_the_task(house: House) -> None:
    with Terminal(["run", "--hybrid", "--tasks", house.tasks(TASK)]) as at:
        at.expect("later: ")
        at.type("n")
        at.expect("total is cancelled.")
        assert at.ends() in (0, 4)
    assert read(house.upstreams["api"].bare, "dev", "src/total.txt") is None


def test_ctrl_c_stops_the_run_and_resume_goes_on(house: House) -> None:
    house.play({"total": [[{"finish_on_interrupt": {}}, {"hang": {}}], work("total")]})
    with Terminal(["run", "--hybrid", "--force", "--tasks", house.tasks(TASK)]) as at:
        at.expect("▸ total started on host-1")
        at.type("^C")
        at.expect("Stopping: agents are interrupted and their work is kept")
        at.expect("ORCHESTRATION STOPPED")
        at.expect(r"\$ ops-orchestrate resume \S+")
        assert at.ends() == 130
    assert "queued" not in call("explain", "last", "total").out.splitlines()[1]
    house.play({"total": [work("total")]})
    again = call("resume")
    assert again.code == 0
    assert read(house.upstreams["api"].bare, "main", "src/total.txt") == "total"


def test_ctrl_c_at_a_question_stops_the_command(house: House) -> None:
    with Terminal(["run", "--hybrid", "--tasks", house.tasks(TASK)]) as at:
        at.expect("later: ")
        at.type("^C")
        at.expect(r"\$ ops-orchestrate answer \S+ total yes")
        assert at.ends() in (4, 130)


def test_init_asks_about_each_gate(house: House) -> None:
    (house.upstreams["api"].checkout / "Makefile").write_text("test:\n\ttrue\n")
    target = house.home / "new.json"
    with Terminal(["init", str(house.home / "code"), "--registry", str(target)]) as at:
        at.expect(r"api: (make test) ")
        at.expect(r"accept this gate\? \[Y/n\]: ")
        at.type("y")
        at.expect("1 project, 1 gate")
        assert at.ends() == 0
    assert [p["ops"]["gate"] for p in json.loads(target.read_text())["projects"]] == ["make test"]
    assert target.stat().st_mode & 0o777 == 0o600
    silent = house.home / "silent.json"
    said = call("init", str(house.home / "code"), "--registry", str(silent))
    assert "1 proposed gate not accepted, because there is no terminal to ask at (--accept-gates)" in said.out
    assert "ops" not in json.loads(silent.read_text())["projects"][0]
