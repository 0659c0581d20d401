"""Reads what `git diff-tree --raw -z -p -U0` prints. Pure: bytes in, values out.

Entries and their patches come in the same order, so no file name is ever read from a patch, where it could be
quoted or made to look like another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ops_orchestrate.adapters.git import printable
from ops_orchestrate.core.change import FileChange

_SECTION = b"diff --git "


class Entry(NamedTuple):
    """One entry of a raw diff."""

    old_mode: str
    new_mode: str
    status: str
    path: bytes


@dataclass(slots=True)
class _Lines:
    """What the patches of one file say."""

    binary: bool = False
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def read_diff(out: bytes, *, cut: bool, most_files: int) -> tuple[tuple[FileChange, ...], bool]:
    """The changed files, and whether anything is missing.

    `cut`: the output ends in the middle, so its last piece is not to be trusted.
    """
    entries, rest = _entries(out)
    if len(entries) > most_files or (cut and not rest):
        return tuple(_change(entry, _Lines()) for entry in entries[:most_files]), True
    sections = _sections(rest)
    complete = len(sections) == sum(_parts(entry) for entry in entries)
    if cut:
        sections = sections[:-1]
    changes = []
    for entry in entries:
        mine, sections = sections[: _parts(entry)], sections[_parts(entry) :]
        changes.append(_change(entry, _read(mine)))
    return tuple(changes), cut or not complete


def _entries(out: bytes) -> tuple[list[Entry], bytes]:
    entries: list[Entry] = []
    while out.startswith(b":"):
        meta, _, tail = out.partition(b"\0")
        path, end, tail = tail.partition(b"\0")
        if not end:
            return entries, b""
        old_mode, new_mode, _, _, status = printable(meta[1:]).split(" ")
        entries.append(Entry(old_mode, new_mode, status[0], path))
        out = tail
    return entries, out.removeprefix(b"\0")


def _parts(entry: Entry) -> int:
    """A change of type is shown as one file going and another coming."""
    return 2 if entry.status == "T" else 1


def _sections(patch: bytes) -> list[list[bytes]]:
    sections: list[list[bytes]] = []
    for line in patch.split(b"\n"):
        # Lines of content begin with +, - or a backslash (there is no context), so this is always a heading.
        if line.startswith(_SECTION):
            sections.append([])
        elif sections:
            sections[-1].append(line)
    return sections


def _read(sections: list[list[bytes]]) -> _Lines:
    lines = _Lines()
    for section in sections:
        in_hunk = False
        for line in section:
            if line.startswith(b"@@ "):
                in_hunk = True
            elif in_hunk and line.startswith(b"+"):
                lines.added.append(printable(line[1:]))
            elif in_hunk and line.startswith(b"-"):
                lines.removed.append(printable(line[1:]))
            elif not in_hunk and line.startswith(b"Binary files "):
                lines.binary = True
    return lines


def _change(entry: Entry, lines: _Lines) -> FileChange:
    return FileChange(
        path=printable(entry.path),
        status=entry.status,
        old_mode=entry.old_mode,
        new_mode=entry.new_mode,
        binary=lines.binary,
        added=tuple(lines.added),
        removed=tuple(lines.removed),
    )
