"""A task as its plan holds it, folded into one line, until a script touches it.

A hash for each of a hundred thousand tasks is seconds of the server's time, and most of them wait for hours. So a task
is one field of its plan's own hash at first. The scripts unfold it into a hash of its own when they load it
(lua/prelude.lua), and readers lay what that hash says over what the line says. The line itself never changes: the
events of the plan are told from it (announced.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ops_orchestrate.core.attempt import Settlement
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import Priority, TaskMode, TaskSpec
from ops_orchestrate.errors import OtherVersion
from ops_orchestrate.ledger.keys import Keys
from ops_orchestrate.ledger.records import other_version

#: What a line consists of, in this order. JSON has no raw control characters, names and numbers have none at all.
FIELDS = (
    "settled",
    "repo",
    "project",
    "paths",
    "urgency",
    "score",
    "path_left",
    "estimate",
    "wave",
    "team",
    "part_of",
    "of_parts",
    "blocked_by",
    "dependants",
    "spec",
)
#: Between the fields of a line, and behind each line of several.
FIELD, LINE = "\x1f", "\x1e"

_ORDER = {priority: number for number, priority in enumerate(Priority)}
#: Priority goes before any length: no path of work is this long (about thirty years).
_STEP = 1e9
#: What the line says of a task's hash.
_PLANNED = frozenset(FIELDS) | {"state", "reason", "ask"}
_QUEUED = (TaskState.QUEUED.value, "", "")
_SERIALIZER = TaskSpec.__pydantic_serializer__


def fold(
    spec: TaskSpec,
    dependants: Sequence[str],
    path_left: float,
    settlement: Settlement | None = None,
    *,
    done: Collection[str] = (),
) -> str:
    """The line of a task. Fields of the spec that have their default are left out.

    `done`: blockers that had completed before the task was there: it need not wait for them.
    """
    urgency = spec.urgency or spec.priority
    # Planning knows more than the graph (what the owner puts first); a plan without ranks has the graph's own.
    left = spec.rank or path_left
    return FIELD.join(
        (
            _settled(settlement) if settlement else "",
            spec.repo,
            spec.project,
            json.dumps(spec.paths, ensure_ascii=False) if spec.paths else "[]",
            urgency,
            repr(_ORDER[urgency] * _STEP - min(left, _STEP - 1)),
            repr(left),
            repr(spec.estimate),
            str(spec.wave),
            "1" if spec.mode is TaskMode.TEAM else "",
            spec.part_of,
            str(spec.of_parts),
            " ".join([blocker for blocker in spec.blocked_by if blocker not in done] if done else spec.blocked_by),
            " ".join(dependants),
            _SERIALIZER.to_json(spec, exclude_defaults=True).decode(),
        )
    )


def unfolded(line: str | None) -> dict[str, str]:
    """What the hash of a task says that nobody has touched; nothing where there is no line. Raises OtherVersion."""
    if not line:
        return {}
    values = line.split(FIELD)
    if len(values) != len(FIELDS):
        raise OtherVersion(other_version("a plan", ""))
    found = dict(zip(FIELDS, values, strict=True))
    found["state"], found["reason"], found["ask"] = settled(line) or _QUEUED
    return found


def laid_over(line: str | None, stored: Mapping[str, str | None]) -> dict[str, str]:
    """A task of its line and of what its own hash says, which goes before. Raises OtherVersion."""
    if not line and "spec" in stored:
        raise OtherVersion(other_version("a plan", ""))
    return unfolded(line) | {name: value for name, value in stored.items() if value is not None}


def ask_fields(pipe: Any, keys: Keys, run: str, task: str, names: Sequence[str]) -> None:
    """Queue what `fields` reads of a task: two commands."""
    pipe.hmget(keys("task", run, task), names)
    pipe.hget(keys("plan", run), task)


def fields(names: Sequence[str], values: Sequence[str | None], line: str | None) -> dict[str, str]:
    """These fields of a task, of what was answered; empty where they are not set."""
    told = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    missing = [name for name in names if name not in told]
    planned = unfolded(line) if _PLANNED.intersection(missing) else {}
    return told | {name: planned.get(name, "") for name in missing}


def settled(line: str) -> tuple[str, str, str] | None:
    """State, reason and ask of a task that is planned as something else than queued."""
    text = line[: line.index(FIELD)]
    if not text:
        return None
    state, reason, ask = json.loads(text)
    return state, reason, ask


def _settled(settlement: Settlement) -> str:
    return json.dumps([TaskState.BLOCKED.value, settlement.reason, settlement.ask], ensure_ascii=False)
