"""When an agent is asked how to split a task, before one works on it: only where the run wants that, and it is big.

It costs money and a slot, so nobody is asked about what is not big, about what cannot be split, or twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.split import apart, may_be_split, pieces, worn_out
from ops_orchestrate.core.split_question import judge
from ops_orchestrate.core.task import TaskSpec
from ops_orchestrate.errors import PlanError

Help = Literal["off", "attended", "always"]

#: From so many of each on, a task is more than one pull request's worth (the seed: two to four hours).
MANY_CRITERIA = 5
MANY_STEPS = 6
MANY_PLACES = 4
LONG_TEXT = 4_000
"""Characters of a description."""

#: A box that is not ticked yet.
_STEP = re.compile(r"^[ \t]{0,12}(?:[-*+]|\d{1,3}[.)])[ \t]{1,4}\[ \]", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
#: Ends after which nobody has worked on it yet; any other, and undivided work has begun.
_NOTHING_TRIED = frozenset({OutcomeKind.INTERRUPTED, OutcomeKind.QUOTA, OutcomeKind.LOST, OutcomeKind.UNSTARTED})
#: More declared paths than these are not compared with each other.
_PLACES = 40
#: So often a recorded answer is taken up again.
_TRIES = 3


def help_wanted(setting: Help, asked: bool | None, *, attended: bool) -> bool:
    """Whether a run asks for help: what its flag says, else the setting; `attended`: somebody is at its terminal."""
    if asked is not None:
        return asked
    return setting == "always" or (setting == "attended" and attended)


def big_because(spec: TaskSpec) -> str:
    """Why a task is too big for one pull request, in words that follow "it"; empty: it is not, or cannot be split."""
    if not may_be_split(spec):
        return ""
    seen = _COMMENT.sub("", spec.description)
    criteria, steps = len(spec.acceptance), len(_STEP.findall(seen))
    places = len(apart(spec.paths[:_PLACES]))
    if criteria >= MANY_CRITERIA:
        return f"has {criteria} acceptance criteria"
    if steps >= MANY_STEPS:
        return f"lists {steps} steps that are to be done"
    if places >= MANY_PLACES:
        return f"is to change {places} places that have nothing to do with each other"
    return f"takes {len(seen)} characters to describe" if len(seen) >= LONG_TEXT else ""


def ask_because(spec: TaskSpec, earlier: Sequence[Outcome | None], *, early: bool, limit: int) -> str:
    """Why an agent is asked now how to split it; empty: none is.

    `earlier`: how the attempts before ended. Before the first work on what is `big`, and after `limit` attempts in a
    row that stalled, where its own description offers no parts. Never twice, and not for a member of a team that has
    started before its blockers have completed (`early`): what is split has to be free to wait.
    """
    ends = _told(earlier)
    if early or not may_be_split(spec) or any(one.kind is OutcomeKind.PLANNED for one in ends):
        return ""
    if spec.big and all(one.kind in _NOTHING_TRIED for one in ends):
        return spec.big
    if worn_out(ends, limit) and not pieces(spec):
        return f"stalled {limit} times in a row"
    return ""


def answered(spec: TaskSpec, earlier: Sequence[Outcome | None]) -> Outcome | None:
    """What an agent has said already of how to split it, where it was stopped before that could be done.

    None where nothing is recorded, where it does not hold any more (a later audit may have changed the task), or where
    it was tried so often that it will never be done: then the task goes on undivided.
    """
    known = [one for one in _told(earlier) if one.kind is OutcomeKind.PLANNED and one.parts]
    if not 0 < len(known) <= _TRIES:
        return None
    try:
        judge(spec, known[-1].parts)
    except PlanError:
        return None
    return known[-1]


def _told(earlier: Sequence[Outcome | None]) -> list[Outcome]:
    return [outcome for outcome in earlier if outcome is not None]
