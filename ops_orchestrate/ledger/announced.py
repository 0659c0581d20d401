"""The events that announce the tasks of a plan: told from their lines, of which each is in the ledger once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.tail import gist
from ops_orchestrate.core.task import TaskSpec
from ops_orchestrate.ledger.folded import FIELD, settled

#: Before the id of a task in the list of what a plan announces: that it is settled as it is planned.
SETTLED = "!"

#: Characters of the description that the events carry.
_DETAIL = 300
_TOLD = (
    "project",
    "repo",
    "title",
    "acceptance",
    "paths",
    "priority",
    "label",
    "blocked_by",
    "mode",
    "mode_reason",
    "member",
    "wave",
    "estimate",
    "sensitive",
    "human",
    "gate",
    "base",
)
_NOTHING = TaskSpec(id="", project="", repo="", title="", fingerprint="").model_dump(mode="json")


def announced(mark: str, line: str) -> tuple[EventKind, dict[str, Any]]:
    """The event of that mark, of its task's line."""
    if not mark.startswith(SETTLED):
        return EventKind.TASK_PLANNED, planned(json.loads(line[line.rindex(FIELD) + 1 :]))
    state, reason, ask = settled(line) or ("", "", "")
    return EventKind.TASK_SETTLED, {"state": state, "reason": reason, "ask": ask, "merge": "", "head": ""}


def planned(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What `task.planned` says of a task, of the JSON of its spec without defaults."""
    data = {name: spec.get(name, _NOTHING[name]) for name in _TOLD}
    if "part_of" in spec:
        data |= {"part_of": spec["part_of"], "split_by": spec.get("split_by", "")}
    if "big" in spec:
        data["big"] = spec["big"]
    data["detail"] = _detail(spec.get("description", ""), whole_log="fixes_base" in spec)
    return data


def _detail(text: str, *, whole_log: bool) -> str:
    """What the task is about, in a line: the beginning of its description, of a gate's log what failed last."""
    if not text:
        return ""
    return one_line(" ".join(gist(text, _DETAIL)) if whole_log else text[: 4 * _DETAIL], _DETAIL)
