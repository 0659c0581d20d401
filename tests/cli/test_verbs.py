"""Every verb over one finished run: what it prints, word for word, and what the answers do.

The run has a task in every state that a run can leave behind. The texts are in snapshots/; read them in the diff.
"""

from __future__ import annotations

import getpass
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.stack import Stack
from ops_orchestrate.cli.connect import worker_specs
from ops_orchestrate.cli.main import VERBS
from ops_orchestrate.config import load_settings
from tests.cli.house import House, Said, call, normal, shell, work
from tests.report.snapshot import check_snapshot
from tests.report.test_documents import problems
from tests.repos import git, read

SCREENS = Path(__file__).parent / "snapshots"

#: One task for each end that a run can leave: see the test of `explain`.
TASKS: list[dict[str, Any]] = [
    {"id": "total", "project": "api", "title": "feat: a total", "paths": ["src/total.txt"], "priority": "P1-revenue"},
    {"id": "show", "project": "web", "title": "feat: show it", "paths": ["src/show.txt"], "blocked_by": ["total"]},
    {"id": "later", "project": "web", "title": "feat: later", "paths": ["src/later.txt"], "blocked_by": ["show"]},
    {"id": "login", "project": "api", "title": "fix: log in", "paths": ["src/auth.py"], "description": "Or else."},
    {"id": "flaky", "project": "api", "title": "fix: a flaky one", "paths": ["src/flaky.txt", "broken"]},
    {"id": "hopeless", "project": "api", "title": "fix: hopeless", "paths": ["src/hopeless.txt"]},
    {"id": "after-hopeless", "project": "api", "title": "then", "paths": ["src/x.txt"], "blocked_by": ["hopeless"]},
    {"id": "secret", "project": "web", "title": "chore: settings", "paths": [".env"]},
    {"id": "contract", "project": "web", "title": "Sign the contract", "human": "Only the owner can sign it."},
]
PLAYBOOK = {
    "total": [work("total", hand_over="total() returns cents")],
    "show": [work("show")],
    "login": [work("login", "src/auth.py", text="HOURS = 8\n")],
    "flaky": [work("flaky", "broken"), work("flaky")],
    "hopeless": [[{"say": {"text": "cannot"}}, {"exit": {"code": 1}}]],
    "secret": [work("secret", ".env", text="A=1\n")],
}

pytestmark = [pytest.mark.real]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """The finished run, and a stack that stays up, so that each verb needs no start of its own."""
    with pytest.MonkeyPatch.context() as patch:
        made = House.build(patch)
        patch.setenv("OPS_MAX_ATTEMPTS", "2")
        made.play(PLAYBOOK)
        with Stack.open(load_settings(), workers=worker_specs()):
            yield made
        made.close()


@pytest.fixture(scope="module")
def live(house: House) -> Said:
    """What the run itself printed."""
    return shell("run", "--force", "--max-waves", "2", "--tasks", house.tasks(*TASKS))


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help(verb: str) -> None:
    said = call(*([verb] if verb else []), "--help")
    assert (said.code, said.err) == (0, "")
    check_snapshot(f"help-{verb or 'program'}", said.out.rstrip(), SCREENS)


def test_what_the_run_prints(live: Said, house: House) -> None:
    """Tasks run side by side, so the lines are compared as a set; boards and report are compared below."""
    assert (live.code, live.err) == (4, "")
    lines = [line for line in normal(live.out, house).splitlines() if line.startswith(("▸", "■", "✗", "✓", "↻", "  "))]
    first = [line for line in normal(live.out, house).splitlines() if line][:3]
    told = [re.sub(r", slot \d", "", line) for line in lines if not line.startswith("   ")]
    told = [re.sub(r"\(\d/", "(N/", line) for line in told]
    check_snapshot("run-lines", "\n".join([*first, "…", *sorted(set(told))]), SCREENS)


@pytest.mark.parametrize(
    "line", ["report", "report last", "projects", "projects --project web", "plan --tasks {tasks} --hybrid"]
)
def test_what_a_verb_prints_after_the_run(line: str, live: Said, house: House) -> None:
    said = call(*line.format(tasks=house.home / "tasks.json").split())
    assert (said.code, said.err) == (0, "")
    name = line.replace(" --tasks {tasks}", "").replace(" --", "-").replace(" ", "-")
    check_snapshot(name, normal(said.out, house), SCREENS)


def test_status(live: Said, house: House) -> None:
    said = call("status")
    assert said.code == 0
    check_snapshot("status", normal(said.out, house), SCREENS)


@pytest.mark.parametrize(
    ("task", "state"),
    [
        ("total", "completed"),
        ("show", "completed"),
        ("flaky", "completed"),
        ("later", "queued"),
        ("login", "blocked"),
        ("secret", "blocked"),
        ("contract", "blocked"),
        ("hopeless", "discarded"),
        ("after-hopeless", "queued"),
    ],
)
def test_explain(task: str, state: str, live: Said, house: House) -> None:
    said = call("explain", "last", task)
    assert (said.code, said.err) == (0, "")
    assert f"State: {state}" in said.out
    check_snapshot(f"explain-{task}", normal(said.out, house), SCREENS)


def test_the_command_that_shows_a_change_works(live: Said, house: House) -> None:
    look = json.loads(call("explain", "last", "login", "--json").out)["look"]
    words = look.split()
    assert words[0] == "git"
    assert "+HOURS = 8" in git(*words[1:])


def test_a_terminal_that_shows_ascii_only_is_no_error(live: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    said = shell("report")
    assert (said.code, said.err) == (0, "")
    assert said.out.isascii()


def test_names_may_be_cut_short_and_mistyped(live: Said, house: House) -> None:
    run = json.loads(call("report", "--json").out)["run"]
    assert call("explain", run[:6], "hopel").out.startswith("hopeless: fix: hopeless\n")
    wrong = call("explain", "last", "hopelss")
    assert (wrong.code, wrong.err) == (1, f'error: Run {run} has no task "hopelss". Did you mean "hopeless"?\n')
    many = call("explain", "last", "l")
    assert many.err == "error: 'l' is the beginning of several tasks: login, later.\n"
    gone = call("explain", "x1", "login")
    assert (gone.code, gone.err) == (1, f'error: There is no run "x1". The newest: {run}.\n')


def test_events(live: Said) -> None:
    said = call("events", "last")
    first, *_, last = said.out.splitlines()
    assert re.fullmatch(r" +1 \d\d:\d\d:\d\d\.\d{3} run\.begun +- .*mode=subagents .*", first)
    assert "run.finished" in last
    assert "state=halted" in last


def test_events_hold_together(live: Said) -> None:
    said = call("events", "last", "--check")
    assert said.code == 0
    assert re.fullmatch(r"\d+ events of run \S+, 0 violations\n", said.out)


@pytest.mark.parametrize("verb", ["report", "status", "plan", "projects", "doctor", "explain", "check"])
def test_documents_fit_their_schemas(verb: str, live: Said, house: House) -> None:
    words = {
        "plan": ["plan", "--tasks", str(house.home / "tasks.json")],
        "explain": ["explain", "last", "login"],
        "check": ["events", "last", "--check"],
    }
    said = call(*words.get(verb, [verb]), "--json")
    assert said.out.count("\n") == 1
    assert problems(verb, json.loads(said.out)) == []


def test_the_owner_says_what_the_day_has_cost(live: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_MAX_DAY_USD", "20")
    before = call("budget").out
    assert "the ledger is younger than the day" in before
    assert "$1.50 used, of $20.00, and 2 attempts of which nobody knows" in before
    after = call("budget", "--spent-today", "7.25", "--tokens-today", "1000").out
    assert "younger" not in after
    assert "$7.25 used, of $20.00" in after
    assert "1,000 tokens used" in after
    nobody = call("budget", "--unpark", "claude/KEY")
    assert (nobody.code, "is not parked; no account is." in nobody.err) == (2, True)
    assert call("budget", "--spent-today", "-1").code == 2


def test_each_event_fits_its_schema(live: Said) -> None:
    lines = call("events", "last", "--json").out.splitlines()
    assert [problem for line in lines for problem in problems("events", json.loads(line))] == []


def test_the_reports_agree(live: Said) -> None:
    document = json.loads(call("report", "--json").out)
    assert document["counts"] | {"completed": 3, "blocked": 3, "discarded": 1, "queued": 2} == document["counts"]
    handed = {task["id"]: task["hand_overs"] for task in document["tasks"]}
    assert handed["show"] == [{"from": "total", "text": "total() returns cents"}]
    for task in document["tasks"]:
        if task["command"] and task["state"] == "blocked":
            assert json.loads(call("explain", "last", task["id"], "--json").out)["command"] == task["command"]


def test_what_cannot_be_answered_changes_nothing(live: Said) -> None:
    before = call("events", "last").out
    for line, code, says in (
        ("answer last login maybe", 2, "login cannot be answered 'maybe': it takes yes, no, retry."),
        ("answer last total yes", 2, "total is completed and waits for no answer."),
        ("cancel last total", 1, "total is completed already; there is nothing to cancel."),
        ("answer last promote:api yes", 1, "No promotion of api waits for an answer in run "),
        ("answer last promote:api perhaps", 2, "A promotion cannot be answered 'perhaps': it takes yes or no."),
    ):
        said = call(*line.split())
        assert said.code == code
        assert said.err.startswith(f"error: {says}")
    assert call("stop").out.rstrip().endswith("is halted already.")
    assert call("events", "last").out == before


def test_the_morning(live: Said, house: House) -> None:
    """Answer what waits, one after the other: only what is new is printed, and the run goes on."""
    yes = shell("answer", "last", "login", "yes")
    assert (yes.code, yes.err) == (4, "")
    lines = normal(yes.out, house).splitlines()
    assert lines[:3] == [
        "login: it is verified again and then shipped.",
        f"▸ login goes on: “yes” from {getpass.getuser()}",
        "✓ login verified",
    ]
    assert "started" not in yes.out, "what happened before is not told again"
    assert read(house.upstreams["api"].bare, "dev", "src/auth.py") == "HOURS = 8"
    assert shell("cancel", "last", "secret", "--reason", "not needed").out == "secret is cancelled.\n"
    later = shell("answer", "last", "contract", "done", "--no-wait")
    assert later.out.startswith("contract: it counts as done; what waited for it goes on.\n`ops-orchestrate resume ")
    house.play({**PLAYBOOK, "hopeless": [work("hopeless")], "after-hopeless": [work("after", "src/x.txt")]})
    again = shell("retry", "last", "hopeless", "--note", "the file is src/hopeless.txt")
    assert "✓ hopeless done" in again.out
    assert "✓ after-hopeless done" in again.out
    assert again.code == 4, "`later` lies beyond --max-waves"
    assert "later — wave 2: beyond --max-waves 2" in again.out
    assert shell("resume").code == 4
