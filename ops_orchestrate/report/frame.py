"""The seed's frame: box lines, a heading, and labelled entries that wrap under themselves."""

from __future__ import annotations

from collections.abc import Iterable

from ops_orchestrate.report.cells import width_of, wrap

#: Columns of the seed's own layout; a narrower terminal gets a narrower frame.
SEED_WIDTH = 59
LABEL = 13
#: Below this nothing can be laid out; the terminal wraps then.
NARROWEST = 20


def box(width: int) -> str:
    """The seed's heavy line."""
    return "━" * width


def heading(text: str, width: int) -> list[str]:
    """A heading between two heavy lines."""
    return [box(width), *(f" {line}" for line in wrap(text, width - 1)), box(width)]


def frame_width(width: int, wanted: int = SEED_WIDTH) -> int:
    """How wide a frame is on a terminal of `width` columns, for content of `wanted` columns."""
    return max(NARROWEST, min(width, max(SEED_WIDTH, wanted)))


def labelled(label: str, entries: Iterable[str], width: int) -> list[str]:
    """` Label:     first entry`, further entries and wrapped lines below it.

    An entry that starts with `$ ` is a command: it is never cut or wrapped, so that it can be pasted.
    """
    indent = LABEL if width >= 50 else 3
    lines: list[str] = []
    for entry in entries:
        lines.extend(" " * indent + line for line in _entry(entry, width - indent))
    head = f" {label}"
    if not lines:
        return [head]
    if width_of(head) < indent:
        return [head + lines[0][width_of(head) :], *lines[1:]]
    return [head, *lines]


def _entry(entry: str, width: int) -> list[str]:
    if entry.startswith("$ "):
        return [f"  {entry}"]
    # What continues an entry stands two columns in, so that the entries of a list can be told apart.
    return wrap(entry, width, indent=2) or [""]
