"""What `doctor` says of teams and of limits, in lines that can be read."""

from __future__ import annotations

import sys

import pytest

from ops_orchestrate.adapters.cgroup import Home
from ops_orchestrate.cli import doctor
from ops_orchestrate.cli.checkup import Check, show
from ops_orchestrate.config import Settings
from ops_orchestrate.config.places import TEAMS_FLAG


@pytest.mark.parametrize(
    ("env", "agent", "words"),
    [
        ({}, "claude", f"off (neither OPS_TEAMS nor {TEAMS_FLAG} is 1): `--teams` and `--hybrid` use subagents"),
        ({"OPS_TEAMS": "0", TEAMS_FLAG: "1"}, "claude", "off (OPS_TEAMS is 0): `--teams` and `--hybrid` use subagents"),
        ({"OPS_TEAMS": "1"}, "claude", "on (OPS_TEAMS is 1)"),
        ({TEAMS_FLAG: "1"}, "claude", f"on ({TEAMS_FLAG} is 1)"),
        (
            {TEAMS_FLAG: "1"},
            "command",
            f"on ({TEAMS_FLAG} is 1); The agent command can be told nothing while it works: ",
        ),
    ],
)
def test_teams_and_who_says_so(monkeypatch: pytest.MonkeyPatch, env: dict[str, str], agent: str, words: str) -> None:
    for name in ("OPS_TEAMS", TEAMS_FLAG):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    (found,) = doctor._teams(Settings(agent=agent))
    assert (found.what, found.state) == ("teams", "ok")
    assert found.found.startswith(words)


@pytest.mark.parametrize(
    ("holds", "states"),
    [(("memory", "pids"), ["ok", "ok"]), ((), ["ok", "warning", "warning"]), (("memory",), ["ok", "ok", "warning"])],
)
def test_each_limit_has_a_line(monkeypatch: pytest.MonkeyPatch, holds: tuple[str, ...], states: list[str]) -> None:
    monkeypatch.setattr(doctor, "held_by_kernel", lambda: Home("/x", holds) if holds else None)
    found = [check for check in doctor._limits() if "of root" not in check.found]
    assert [check.state for check in found] == states
    assert all(check.what == "limits" and ";" not in check.found for check in found)


def test_a_narrow_screen_gets_short_lines_and_a_file_whole_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    long = Check(what="limits", state="warning", found="word " * 20 + "end", remedy="do " * 30 + "it")
    monkeypatch.setenv("COLUMNS", "40")
    show([long])
    assert len(capsys.readouterr().out.splitlines()) == 2
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show([long])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert lines[1].startswith("  word") and lines[-1].startswith("      ")
