"""What an agent left uncommitted: found and kept with the mirror's git folder and an index of our own.

The agent's git folder has no part in it: no configuration, filter, hook or index of the agent's is read. Files
are only compared and added (`ls-files`, `update-index`): `status`, `diff` and `add` would start git again
inside nested repositories.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ops_orchestrate.adapters.git import Git, object_id, printable
from ops_orchestrate.core.ownership import covers
from ops_orchestrate.errors import GitError

_JUNK_FOLDERS = frozenset(
    {
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".hypothesis",
        "node_modules",
        ".venv",
        ".tox",
    }
)
_JUNK_ENDINGS = (".pyc", ".pyo", ".swp", "~")
_JUNK_FILES = frozenset({".DS_Store", ".coverage"})
_LARGEST_FILE = 64_000_000
_MOST_BAD = 20
"""After so many files that git will not take, the rest of their half is left too."""


@dataclass(slots=True)
class Leftovers:
    """Uncommitted paths, as bytes because git has them so."""

    inside: list[bytes] = field(default_factory=list)
    """Changed, new or deleted, within the task's paths."""
    outside: list[bytes] = field(default_factory=list)
    unkept: list[bytes] = field(default_factory=list)
    """Too large, or refused by git: they cannot be kept as a commit."""


def is_junk(path: str) -> bool:
    """Whether a path is what tools leave behind and nobody means to deliver."""
    parts = PurePosixPath(path).parts
    name = parts[-1] if parts else ""
    return bool(_JUNK_FOLDERS & set(parts)) or name in _JUNK_FILES or name.endswith(_JUNK_ENDINGS)


def _with_parents(path: bytes) -> list[bytes]:
    parts = path.split(b"/")
    return [b"/".join(parts[:count]) for count in range(1, len(parts) + 1)]


class Sweeper:
    """Works on one tree against one commit, with one temporary index."""

    def __init__(self, git: Git, mirror: Path, tree: Path, work: Path) -> None:
        self._git = git
        self._mirror = mirror
        self._tree = tree
        self._env = {"GIT_INDEX_FILE": str(work / "index")}
        self._removed: set[bytes] = set()
        self._commit = ""

    def find(self, commit: str, paths: Sequence[str]) -> Leftovers:
        """What differs from `commit`, sorted by the task's `paths`."""
        self._commit = object_id(commit)
        self._run("read-tree", commit)
        listed = self._run(
            *("ls-files", "-z", "-t", "--modified", "--deleted", "--others", "--exclude-standard"),
            options=("core.excludesFile=/dev/null",),
        )
        tagged = [(item[:1], item[2:].rstrip(b"/")) for item in listed.split(b"\0") if item]
        self._removed = {path for tag, path in tagged if tag == b"R" or self._is_gone(path)}
        found = Leftovers()
        for path in dict.fromkeys(path for _, path in tagged):
            name = printable(path)
            if is_junk(name):
                continue
            if self._is_large(path):
                found.unkept.append(path)
            else:
                (found.inside if covers(paths, name) else found.outside).append(path)
        return found

    def add(self, paths: Sequence[bytes]) -> list[bytes]:
        """Put paths into the index as they are on disk; the ones that git refuses are returned."""
        removed = [path for path in paths if path in self._removed]
        if removed:
            zero = b"0" * len(self._commit)
            lines = b"".join(b"0 " + zero + b"\t" + path + b"\0" for path in removed)
            self._run("update-index", "-z", "--index-info", stdin=lines)
        refused = self._add([path for path in paths if path not in self._removed], [])
        # Names of git's own folder, in any spelling, are passed over without an error.
        listed = self._run("diff-index", "--cached", "-z", "--name-only", "--no-renames", self._commit)
        there = {path for name in listed.split(b"\0") for path in _with_parents(name)}
        return refused + [path for path in paths if path not in there and path not in refused]

    def tree(self) -> str:
        """The index as a tree."""
        return printable(self._run("write-tree")).strip()

    def _add(self, paths: Sequence[bytes], refused: list[bytes]) -> list[bytes]:
        if not paths:
            return refused
        if len(refused) > _MOST_BAD:
            return [*refused, *paths]
        try:
            self._run(
                *("update-index", "--add", "--remove", "--replace", "-z", "--stdin"),
                stdin=b"".join(path + b"\0" for path in paths),
            )
        except GitError:
            if len(paths) == 1:
                return [*refused, *paths]
            half = len(paths) // 2
            return self._add(paths[half:], self._add(paths[:half], refused))
        return refused

    def _is_gone(self, path: bytes) -> bool:
        """Not there, nothing that git keeps, or reached through a link that stands in a folder's place."""
        mode = self._mode(path)
        plain = stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)
        parts = path.split(b"/")
        parents = (b"/".join(parts[:count]) for count in range(1, len(parts)))
        return not plain or any(stat.S_ISLNK(self._mode(parent)) for parent in parents)

    def _is_large(self, path: bytes) -> bool:
        if path in self._removed:
            return False
        return self._full(path).lstat().st_size > _LARGEST_FILE

    def _mode(self, path: bytes) -> int:
        try:
            return self._full(path).lstat().st_mode
        except OSError:
            return 0

    def _full(self, path: bytes) -> Path:
        return self._tree / os.fsdecode(path)

    def _run(self, *args: str, stdin: bytes = b"", options: tuple[str, ...] = ()) -> bytes:
        return self._git.run(
            *args, repo=self._mirror, tree=self._tree, env=self._env, stdin=stdin, options=options, slow=True
        ).out
