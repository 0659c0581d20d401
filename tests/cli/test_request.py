"""From flags and settings to the frozen request: what a run may do that costs more than its tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.cli.request import Material, asked_of, make_request
from ops_orchestrate.config import load_settings
from tests.builders import make_portfolio


@pytest.mark.parametrize(
    ("setting", "words", "terminal", "wanted"),
    [
        ("", "", True, False),
        ("", "--planner-help", False, True),
        ("attended", "", True, True),
        ("attended", "", False, False),
        ("attended", "--no-planner-help", True, False),
        ("always", "", False, True),
        ("always", "--no-planner-help", False, False),
    ],
)
def test_help_with_planning_is_asked_for_where_the_owner_says_so(
    setting: str, words: str, terminal: bool, wanted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OPS_PLANNER_HELP", setting or "off")
    material = Material(portfolio=make_portfolio(), tasks=())
    request = make_request(load_settings(), asked_of(words.split()), material, terminal=terminal)
    assert request.planner_help is wanted
