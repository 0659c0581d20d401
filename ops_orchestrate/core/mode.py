"""How a run and each of its tasks is worked on: the seed's hybrid table, and what happens without teams.

The seed's row about read-only tasks has no line here: reading is done by audit jobs, and every task of a plan
makes a change. A task is one repository's, so "touches two repositories" means an edge between two of them:
both ends are a team, because the hand-over between them is what has to be coordinated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from ops_orchestrate.core.task import Mode, TaskMode

_OFF = "are off (OPS_TEAMS=1 or CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS=1 turns them on)"
FALLBACK = f"Agent teams {_OFF}: falling back to subagents."
DEAF = "The agent {agent} can be told nothing while it works: a message to it interrupts, and its next attempt has it."
NO_TERMINAL = "No mode was given and there is no terminal to ask at: hybrid."
RECOMMENDED = "No mode was chosen: hybrid, the recommended one."
NOT_HYBRID = f"It is subagents: hybrid, the recommended one, needs agent teams, which {_OFF}."


def effective_mode(asked: Mode | None, terminal: bool, teams_available: bool, deaf: str = "") -> tuple[Mode, str]:
    """The mode a run gets, and what its first line says about that (empty if it is just what was asked for).

    `asked` is None where no flag was given; at a terminal the command asks before it comes here. `deaf`: the run's
    agent, if that can be told nothing while it works.
    """
    words = RECOMMENDED if terminal else NO_TERMINAL
    if not teams_available and asked is not Mode.SUBAGENTS:
        return Mode.SUBAGENTS, FALLBACK if asked else f"{words.partition(':')[0]}. {NOT_HYBRID}"
    notes = [] if asked else [words]
    mode = asked or Mode.HYBRID
    if mode is not Mode.SUBAGENTS and deaf:
        notes.append(DEAF.format(agent=deaf))
    return mode, " ".join(notes)


def task_mode(
    run: Mode,
    *,
    sensitive: str | None,
    repo: str,
    blockers: Iterable[str] = (),
    dependants: Iterable[str] = (),
    names: Mapping[str, str] | None = None,
) -> tuple[TaskMode, str]:
    """A task's tag and its reason.

    `repo` is the task's own repository by its key; `blockers` and `dependants` are those of its neighbours in the plan;
    `names`: what people call them.
    """
    names = names or {}
    source, target = _other(blockers, repo), _other(dependants, repo)
    return _tag(run, sensitive, names.get(source, source), names.get(target, target))


def _other(repos: Iterable[str], repo: str) -> str:
    for other in repos:
        if other != repo:
            return other
    return ""


@lru_cache(maxsize=8192)  # few differ, and all tasks of a plan share their words
def _tag(run: Mode, sensitive: str | None, source: str, target: str) -> tuple[TaskMode, str]:
    if run is Mode.TEAMS:
        return TaskMode.TEAM, "asked for: teams"
    tag, reason = _hybrid(sensitive, source, target)
    if run is Mode.HYBRID or tag is TaskMode.SUBAGENT:
        return tag, reason
    return TaskMode.SUBAGENT, f"the run uses subagents; hybrid would use a team: {reason}"


def _hybrid(sensitive: str | None, source: str, target: str) -> tuple[TaskMode, str]:
    if sensitive:
        return TaskMode.TEAM, f"a security reviewer reads along ({sensitive})"
    if source:
        return TaskMode.TEAM, f"consumes the output of a task in {source}"
    if target:
        return TaskMode.TEAM, f"hands its output to a task in {target}"
    return TaskMode.SUBAGENT, "one repository, nothing sensitive: no coordination needed"
