"""Reads an agent's git folder as data: plain files, never with git, never through a link.

Its configuration, hooks, index and filters are not read at all, so nothing in them can run. What is taken are
the ids of commits; git gets the objects behind them through a folder of ours (see harvest).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops_orchestrate.adapters.folders import remove
from ops_orchestrate.adapters.git import printable
from ops_orchestrate.core.names import one_line

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MAX_REF = 1_000
_MAX_FILE = 4_000_000
_MAX_ENTRIES = 200_000
_MAX_PAST = 200
_MAX_BRANCHES = 50


class UnusableError(Exception):
    """The git folder cannot be read as one; the text says why. Never leaves the adapters."""


@dataclass(frozen=True, slots=True)
class Tips:
    """The commits that an agent's clone knows by name."""

    head: str | None
    branches: dict[str, str]
    stash: str | None
    past: tuple[str, ...]
    """Where HEAD and the branches have stood before: what an amend or a reset left behind."""


def read_tips(tree: Path) -> Tips:
    """The commits of the clone at `tree`. Raises UnusableError."""
    folder = tree / ".git"
    if not stat.S_ISDIR(_mode(tree)) or not stat.S_ISDIR(_mode(folder)):
        raise UnusableError("its .git is no longer a folder")
    _only_plain_files(folder)
    refs = dict(_packed(folder)) | dict(_loose(folder))
    branches = {
        ref.removeprefix("refs/heads/"): commit for ref, commit in refs.items() if ref.startswith("refs/heads/")
    }
    if len(branches) > _MAX_BRANCHES:
        raise UnusableError(f"it has more than {_MAX_BRANCHES} branches")
    return Tips(_head(folder, refs), branches, refs.get("refs/stash"), tuple(_past(folder)))


def cut_foreign_objects(tree: Path, mirror: Path) -> None:
    """Let the clone borrow objects from the mirror alone, whatever the agent has written there.

    Otherwise its branch could name commits of any repository that the orchestrator may read.
    """
    alternates = tree / ".git" / "objects" / "info" / "alternates"
    ours = f"{mirror / 'objects'}\n"
    if alternates.is_file() and _text(alternates, _MAX_FILE) == ours:
        return
    if alternates.parent.is_dir():
        remove(alternates)  # it may be a folder by now
        alternates.write_text(ours)


def _only_plain_files(folder: Path) -> None:
    """Refuse links (they could lead git anywhere) and pipes (git would wait for ever)."""
    count = 0
    stack = [folder]
    while stack:
        try:
            entries = list(os.scandir(stack.pop()))
        except OSError as error:
            raise UnusableError(f"its .git cannot be read: {error.strerror}") from None
        count += len(entries)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                stack.append(Path(entry.path))
            elif not entry.is_file(follow_symlinks=False):
                raise UnusableError(f"its .git holds a link or a special file: {one_line(entry.name, 60)}")
    if count > _MAX_ENTRIES:
        raise UnusableError(f"its .git holds more than {_MAX_ENTRIES} files")


def _head(folder: Path, refs: dict[str, str]) -> str | None:
    text = _text(folder / "HEAD", _MAX_REF).strip()
    if _ID.fullmatch(text):
        return text
    return refs.get(text.removeprefix("ref:").strip())


def _loose(folder: Path) -> Iterator[tuple[str, str]]:
    stash = folder / "refs" / "stash"
    for path in (*sorted((folder / "refs" / "heads").rglob("*")), stash):
        if path.is_file() and not path.name.endswith(".lock"):
            commit = _text(path, _MAX_REF).strip()
            if _ID.fullmatch(commit):
                yield printable(os.fsencode(path.relative_to(folder))), commit


def _packed(folder: Path) -> Iterator[tuple[str, str]]:
    for line in _text(folder / "packed-refs", _MAX_FILE).splitlines():
        commit, _, ref = line.partition(" ")
        if _ID.fullmatch(commit) and ref.startswith(("refs/heads/", "refs/stash")):
            yield ref, commit


def _past(folder: Path) -> Iterator[str]:
    logs = folder / "logs"
    lines = [
        line
        for path in (logs / "HEAD", *sorted((logs / "refs").rglob("*")))
        if path.is_file()
        for line in _text(path, _MAX_FILE).splitlines()
    ]
    found = dict.fromkeys(line.split(" ")[1] for line in lines if line.count(" ") > 1)
    yield from [one for one in found if _ID.fullmatch(one) and one.strip("0")][-_MAX_PAST:]


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except OSError:
        return 0


def _text(path: Path, limit: int) -> str:
    try:
        with path.open("rb") as file:
            return printable(file.read(limit))
    except OSError:
        return ""
