"""The text of an open pull request of ours that a later run goes on with.

People may have written in it since. Two things in it are ours to change: the lines that name findings, and one
paragraph about the run that went on with it last. Every other line stays as it is.
"""

from __future__ import annotations

import re

from ops_orchestrate.core.attempt import Outcome
from ops_orchestrate.core.mark import own_line, with_prints
from ops_orchestrate.core.message import closing_lines, evidence_lines
from ops_orchestrate.core.task import TaskRecord

_BEGINS = re.compile(r"\*\*Run [A-Za-z0-9._-]{1,100} goes on with this\*\*")
#: Its other lines, in their order: what people write right below it is theirs, also where it looks alike.
_OURS = (
    re.compile(r"Closes \S+/\S+#\d+"),
    re.compile(r"- quality gate\b.*"),
    re.compile(r"- files: \d+"),
    re.compile(r"- (?:The security reviewer|There is no security review)\b.*"),
)


def renewed_body(text: str, *, branch: str, record: TaskRecord, run: str, verified: Outcome) -> str:
    """The text with what this run adds; the same where it says nothing of its own branch, so that it is not ours.

    Repeated with the same values it changes nothing more.
    """
    told = with_prints(_without_last(text), branch, record.spec.claims)
    place = own_line(told, branch)
    if place is None:
        return text
    lines = told.split("\n")
    said = {line.strip() for line in lines}
    closes = [line for line in closing_lines(record.spec) if line not in said]
    added = [f"**Run {run} goes on with this**", *closes, *evidence_lines(record, verified)]
    before = lines[:place]
    gap = [""] if before and before[-1].strip() else []
    return "\n".join([*before, *gap, *added, "", *lines[place:]])


def _without_last(text: str) -> str:
    """Without the paragraph of the run before, and the empty line behind it."""
    lines = text.split("\n")
    start = next((at for at, line in enumerate(lines) if _BEGINS.fullmatch(line.strip())), None)
    if start is None:
        return text
    end = start + 1
    for ours in _OURS:
        while end < len(lines) and ours.fullmatch(lines[end].strip()):
            end += 1
    if end < len(lines) and not lines[end].strip():
        end += 1
    return "\n".join([*lines[:start], *lines[end:]])
