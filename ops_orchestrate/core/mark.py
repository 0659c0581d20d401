"""What a merge of ours says of itself, in lines of its commit message and of its pull request's text.

When the ledger is lost these lines are all that is left of it: whose work it was, which findings it covers, and what
each of them rested on at the time. They come back from places where others can write too, so every part is checked
before it is taken for a name, and their number is bounded. None of them holds a character of text from outside.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ops_orchestrate.core.names import change_branch, is_name, is_run_id
from ops_orchestrate.core.value import Value

TASK = "Ops-Task"
RUN = "Ops-Run"
ATTEMPT = "Ops-Attempt"
FINGERPRINT = "Ops-Fingerprint"
PART_OF = "Ops-Part-Of"
WHOLE = "Ops-Whole"

MOST_PRINTS = 16
"""Findings that one merge names; the one that it goes by comes first."""
MOST_MARKS = 200
"""Merges that one text names: a person may squash many of ours into one commit."""
LONGEST_TEXT = 200_000
"""Characters that are looked at."""
_LINE = re.compile(r"(Ops-[A-Za-z-]{1,40}): *(.{0,300})")
_ATTEMPT = re.compile(r"(?:a(?P<number>\d{1,6})-f(?P<fence>\d{1,20})|(?P<plain>\d{1,6}))", re.ASCII)
_PART = re.compile(r"(?P<whole>[^ ]{1,100}) (?P<total>[2-9]|[1-9]\d)", re.ASCII)
_PRINT = re.compile(r"(?P<print>[A-Za-z0-9:._-]{1,128})(?: (?P<cause>[0-9a-f]{16}))?")


class _Block(NamedTuple):
    """Lines that stand together: their places in the text, and what they say by name."""

    lines: list[int]
    values: dict[str, list[str]]


class Print(NamedTuple):
    """One finding that a merge covers."""

    fingerprint: str
    cause: str = ""
    """What it rested on then, as `cause_mark` writes it; "": the merge does not say."""


class Share(Value):
    """What the parts of a split task have in common: all of them merged, the whole is."""

    whole: str
    """The task that was split."""
    total: int
    """How many parts it has."""
    prints: tuple[Print, ...]
    """The findings that the whole covers."""


class Mark(Value):
    """One merge of ours, in its own words."""

    run: str
    task: str
    attempt: int = 0
    """0: it does not say."""
    fence: int = 0
    prints: tuple[Print, ...] = ()
    share: Share | None = None
    """Where it is a part of a task that was split."""


class Merged(Value):
    """Earlier work of ours that was merged, wherever that is known from."""

    project: str
    run: str
    task: str
    where: str
    """The commit on the base, or the pull request."""
    prints: tuple[Print, ...]
    share: Share | None = None

    @property
    def said(self) -> str:
        """In words."""
        return f"{self.task} was merged by run {self.run} ({self.where})"


class OpenWork(Value):
    """An open pull request of ours that a task can go on with."""

    project: str
    number: int
    branch: str
    name: str
    """As findings name it."""
    prints: tuple[str, ...]
    """The findings that it covers."""


def cause_mark(cause: str) -> str:
    """16 hex digits for what a finding rests on: equal for equal causes, and none of their text."""
    return hashlib.sha256(cause.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def print_lines(claims: Iterable[tuple[str, str]], name: str = FINGERPRINT) -> tuple[str, ...]:
    """A line for each (fingerprint, cause) that a merge covers, the first `MOST_PRINTS` of them, each only once."""
    values = (f"{print_} {cause_mark(cause)}" for print_, cause in dict(claims).items())
    return tuple(f"{name}: {value}" for value in values if _PRINT.fullmatch(value))[:MOST_PRINTS]


def wholes(merges: Sequence[Merged]) -> tuple[Merged, ...]:
    """The split tasks of which every part is among the merges, in the order of their newest parts."""
    parts: dict[tuple[str, str, str], dict[str, Merged]] = {}
    for one in merges:
        if one.share:
            parts.setdefault((one.project, one.run, one.share.whole), {}).setdefault(one.task, one)
    found = []
    for (project, run, task), some in parts.items():
        share = next(iter(some.values())).share
        if share and len(some) >= share.total:
            where = ", ".join(one.where for one in some.values())
            found.append(Merged(project=project, run=run, task=task, where=where, prints=share.prints))
    return tuple(found)


def read_marks(text: str) -> tuple[Mark, ...]:
    """Every merge that a text names, in its order: lines that stand together, from the first column on.

    People write around them, and a squash of several commits has those of each.
    """
    found = (_mark(block.values) for block in _blocks(text[:LONGEST_TEXT]))
    return tuple(mark for mark in found if mark is not None)[:MOST_MARKS]


def mark_of_branch(text: str, branch: str) -> Mark | None:
    """What a pull request's text says of its own branch: one of another run or task is not its own."""
    return next((mark for mark in read_marks(text) if change_branch(mark.run, mark.task) == branch), None)


def with_prints(text: str, branch: str, claims: Iterable[tuple[str, str]]) -> str:
    """A pull request's text whose own lines name these findings as well, by what they rest on now; else it is the same.

    Findings that it named before stay, after these. A text that says nothing of its own branch stays as it is.
    """
    own = _own(text, branch)
    if own is None:
        return text
    lines = text.split("\n")
    end = "\r" if lines[own.lines[0]].endswith("\r") else ""
    named = {at for at in own.lines if lines[at].startswith(f"{FINGERPRINT}:")}
    new = print_lines(claims)
    again = {line.split()[1] for line in new}
    kept = (lines[at] for at in sorted(named) if again.isdisjoint(lines[at].split()))
    told = [*(f"{line}{end}" for line in new), *kept][:MOST_PRINTS]
    place = min(named, default=own.lines[-1] + 1)
    return "\n".join([*lines[:place], *told, *(lines[at] for at in range(place, len(lines)) if at not in named)])


def own_line(text: str, branch: str) -> int | None:
    """Where a pull request's text begins to speak of its own branch: the number of that line, from 0."""
    own = _own(text, branch)
    return own.lines[0] if own else None


def _own(text: str, branch: str) -> _Block | None:
    found = ((one, _mark(one.values)) for one in _blocks(text[:LONGEST_TEXT]))
    return next((one for one, mark in found if mark and change_branch(mark.run, mark.task) == branch), None)


def _blocks(text: str) -> Sequence[_Block]:
    blocks: list[_Block] = []
    current: _Block | None = None
    for at, line in enumerate(text.split("\n")):
        found = _LINE.fullmatch(line.rstrip())
        if found is None:
            current = None
            continue
        name, value = found.groups()
        if current is None or (name not in (FINGERPRINT, WHOLE) and name in current.values):
            current = _Block([], {})
            blocks.append(current)
        current.lines.append(at)
        current.values.setdefault(name, []).append(value)
    return blocks


def _mark(block: Mapping[str, Sequence[str]]) -> Mark | None:
    """None where it names no run and task of ours."""
    run, task, attempt = (block.get(name, [""])[0] for name in (RUN, TASK, ATTEMPT))
    if not is_name(task) or not is_run_id(run):
        return None
    number = _ATTEMPT.fullmatch(attempt)
    return Mark(
        run=run,
        task=task,
        attempt=int(number["number"] or number["plain"]) if number else 0,
        fence=int(number["fence"] or 0) if number else 0,
        prints=_prints(block.get(FINGERPRINT, ())),
        share=_share(block),
    )


def _share(block: Mapping[str, Sequence[str]]) -> Share | None:
    found = _PART.fullmatch(block.get(PART_OF, [""])[0])
    if found is None or not is_name(found["whole"]):
        return None
    return Share(whole=found["whole"], total=int(found["total"]), prints=_prints(block.get(WHOLE, ())))


def _prints(values: Iterable[str]) -> tuple[Print, ...]:
    read = (_PRINT.fullmatch(value) for value in values)
    return tuple(Print(one["print"], one["cause"] or "") for one in read if one)[:MOST_PRINTS]
