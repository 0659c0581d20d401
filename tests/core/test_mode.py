"""Modes: the seed's hybrid table, and the fall-backs with what is said about them."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.mode import DEAF, FALLBACK, NO_TERMINAL, NOT_HYBRID, RECOMMENDED, effective_mode, task_mode
from ops_orchestrate.core.task import Mode, TaskMode


@pytest.mark.parametrize(
    ("asked", "terminal", "teams", "mode", "notes"),
    [
        (Mode.SUBAGENTS, True, False, Mode.SUBAGENTS, ()),
        (Mode.SUBAGENTS, False, True, Mode.SUBAGENTS, ()),
        (Mode.TEAMS, True, True, Mode.TEAMS, ()),
        (Mode.TEAMS, True, False, Mode.SUBAGENTS, (FALLBACK,)),
        (Mode.HYBRID, False, True, Mode.HYBRID, ()),
        (Mode.HYBRID, False, False, Mode.SUBAGENTS, (FALLBACK,)),
        (None, False, True, Mode.HYBRID, (NO_TERMINAL,)),
        (None, False, False, Mode.SUBAGENTS, ("No mode was given and there is no terminal to ask at.", NOT_HYBRID)),
        (None, True, True, Mode.HYBRID, (RECOMMENDED,)),
        (None, True, False, Mode.SUBAGENTS, ("No mode was chosen.", NOT_HYBRID)),
    ],
)
def test_the_mode_of_a_run(asked: Mode | None, terminal: bool, teams: bool, mode: Mode, notes: tuple[str, ...]) -> None:
    assert effective_mode(asked, terminal, teams) == (mode, " ".join(notes))


@pytest.mark.parametrize(
    ("asked", "teams", "notes"),
    [(Mode.TEAMS, True, DEAF.format(agent="command")), (Mode.TEAMS, False, FALLBACK), (Mode.SUBAGENTS, True, "")],
)
def test_a_team_of_agents_that_hear_nothing_is_warned_of(asked: Mode, teams: bool, notes: str) -> None:
    assert effective_mode(asked, True, teams, deaf="command")[1] == notes


@pytest.mark.parametrize(
    ("sensitive", "blockers", "dependants", "tag", "words"),
    [
        (None, [], [], TaskMode.SUBAGENT, "no coordination"),
        (None, ["app"], ["app"], TaskMode.SUBAGENT, "no coordination"),
        (None, ["app", "api"], [], TaskMode.TEAM, "output of a task in api"),
        (None, [], ["web"], TaskMode.TEAM, "to a task in web"),
        ("auth: src/auth.py", [], [], TaskMode.TEAM, "auth: src/auth.py"),
    ],
)
def test_the_hybrid_table(
    sensitive: str | None, blockers: list[str], dependants: list[str], tag: TaskMode, words: str
) -> None:
    found, reason = task_mode(Mode.HYBRID, sensitive=sensitive, repo="app", blockers=blockers, dependants=dependants)
    assert found is tag
    assert words in reason


def test_a_forced_mode_tags_every_task_and_still_says_what_hybrid_would_do() -> None:
    assert task_mode(Mode.TEAMS, sensitive=None, repo="app")[0] is TaskMode.TEAM
    tag, reason = task_mode(Mode.SUBAGENTS, sensitive="auth: x", repo="app")
    assert tag is TaskMode.SUBAGENT
    assert "hybrid would use a team" in reason


def test_a_reason_names_a_repository_as_people_do() -> None:
    names = {"api": "acme/api", "app": "acme/app"}
    _, reason = task_mode(Mode.HYBRID, sensitive=None, repo="app", dependants=["app", "api", "api"], names=names)
    assert reason == "hands its output to a task in acme/api"
