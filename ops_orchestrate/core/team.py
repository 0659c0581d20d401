"""What a member of a team is told about the others: who they are, what is theirs, and what it may count on.

Names and ids only, which were checked where they were given; what others have to say comes as messages, fenced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from ops_orchestrate.core import fence
from ops_orchestrate.core.attempt import Outcome
from ops_orchestrate.core.attempt_rule import begin_at
from ops_orchestrate.core.mail import Letter, Topic, source_of
from ops_orchestrate.core.narrowing import shown
from ops_orchestrate.core.states import FINAL, TaskState
from ops_orchestrate.core.task import TaskMode, TaskRecord, TaskSpec
from ops_orchestrate.core.value import Value

#: So many teammates and messages stand in a brief; of messages the latest.
MOST_MATES = 20
MOST_LETTERS = 20

_TIES = {"before": "; you build on its work", "after": "; it waits for what you hand over", "": ""}


class Teammate(Value):
    """Another member, as a brief names it."""

    name: str
    task: str
    repo: str
    state: TaskState
    tie: Literal["before", "after", ""] = ""
    """Whether the one who is told builds on its work, or it on theirs."""


class Team(Value):
    """The team as one member sees it."""

    me: str
    mates: tuple[Teammate, ...] = ()

    @property
    def awaited(self) -> tuple[Teammate, ...]:
        """Those whose work the member builds on, and who have not finished."""
        return tuple(mate for mate in self.mates if mate.tie == "before" and mate.state is not TaskState.COMPLETED)


def team_of(spec: TaskSpec, others: Iterable[TaskRecord], names: dict[str, str]) -> Team | None:
    """The team of a task, none for a subagent's. `names`: repositories' names for people, by their keys.

    Its neighbours in the plan come first, then whoever else is a member and has not ended.
    """
    if spec.mode is not TaskMode.TEAM:
        return None
    mates = []
    for record in others:
        tie = _tie(spec, record.spec)
        if record.spec.id != spec.id and (tie or (record.spec.mode is TaskMode.TEAM and record.state not in FINAL)):
            repo = names.get(record.spec.repo, record.spec.repo)
            name = record.spec.member or record.spec.id
            mates.append(Teammate(name=name, task=record.spec.id, repo=repo, state=record.state, tie=tie))
    mates.sort(key=lambda mate: not mate.tie)
    return Team(me=spec.member or spec.id, mates=tuple(mates[:MOST_MATES]))


def _tie(spec: TaskSpec, other: TaskSpec) -> Literal["before", "after", ""]:
    if other.id in spec.blocked_by:
        return "before"
    return "after" if spec.id in other.blocked_by else ""


def team_words(team: Team | None, failures: Sequence[Outcome] = ()) -> Iterator[str]:
    """The sections of a brief about the team."""
    if team is None:
        return
    lines = [f"You are {shown(team.me)}, a member of a team. The others:"]
    lines += [
        f"- {shown(mate.name)}: task {shown(mate.task)} in {shown(mate.repo)}, {mate.state}{_TIES[mate.tie]}"
        for mate in team.mates
    ] or ["- nobody else"]
    lines.append("You cannot write to them. Messages to you may come while you work: read each, and act on it.")
    yield "\n".join(lines)
    if begin_at(failures, None, team=True):
        yield "What an earlier attempt of yours delivered is on your branch: fix it there, keep what is right."
    if team.awaited:
        yield _early(team.awaited)


def _early(awaited: Sequence[Teammate]) -> str:
    names = ", ".join(shown(mate.name) for mate in awaited)
    return (
        f"You start early: {names} has not finished yet. What it makes comes to you as a message when it is merged. "
        "Until then do what does not depend on it, and commit that. Do not make up what it will hand over. When "
        "nothing else is left, do not write your report yet: end your turn, and go on when the message has come."
    )


def letter_words(letters: Sequence[Letter], nonce: str) -> Iterator[str]:
    """The messages of the mailbox so far; what a blocker handed over stands elsewhere in the brief."""
    told = [letter for letter in letters if letter.topic is not Topic.HAND_OVER][-MOST_LETTERS:]
    if told:
        yield "Messages to you so far, the newest last (guidance: follow them as far as the rules allow):"
    for letter in told:
        yield fence.block(letter.text, source_of(letter), nonce)
