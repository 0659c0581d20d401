"""What an agent's work looks like from outside: processor time, processes, and a digest of its files.

Signs of life that cannot be faked by touching a file: contents count, times do not. It reads the tree while
an agent writes to it: it follows no link, opens only regular files, and is bounded in files, folders and bytes.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ops_orchestrate.adapters.proctree import descendants
from ops_orchestrate.core.agent import AgentVitals

_FILES = 50_000
_HEAD = 1 << 20
_BUDGET = 64 << 20
"""Bytes read in one look; a file beyond it counts with its size."""
_GIT = frozenset({"HEAD", "packed-refs", "refs"})
"""What of a `.git` folder moves when work is committed; the rest changes when somebody merely looks."""

_Seen = tuple[tuple[int, ...], bytes]


class TreeWatch:
    """The digest of a tree, reading again only what has changed since the last look."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self._seen: dict[str, _Seen] = {}
        self._budget = 0

    def digest(self) -> str:
        """A digest of names and contents, as far as the bounds go."""
        self._budget = _BUDGET
        seen: dict[str, _Seen] = {}
        for entry in _walk(self._tree):
            if len(seen) >= _FILES:
                break
            found = self._look(entry)
            if found is not None:
                seen[entry.path] = found
        self._seen = seen
        whole = hashlib.sha256()
        for path in sorted(seen):
            whole.update(os.fsencode(path) + b"\0" + seen[path][1])
        return whole.hexdigest()

    def _look(self, entry: os.DirEntry[str]) -> _Seen | None:
        try:
            status = entry.stat(follow_symlinks=False)
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            known = self._seen.get(entry.path)
            if known is not None and known[0] == stamp:
                return known
            return stamp, self._content(entry.path, status)
        except OSError:  # it went away while we looked
            return None

    def _content(self, path: str, status: os.stat_result) -> bytes:
        if stat.S_ISLNK(status.st_mode):
            return b"link " + bytes(Path(path).readlink())
        wanted = min(status.st_size, _HEAD)
        if not stat.S_ISREG(status.st_mode) or wanted > self._budget:
            return b"size %d" % status.st_size
        self._budget -= wanted
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            return b"%d " % status.st_size + hashlib.sha256(os.read(file, _HEAD)).digest()
        finally:
            os.close(file)


def _walk(tree: Path) -> Iterator[os.DirEntry[str]]:
    """Files and links below a folder; of a `.git` folder, only its refs. Not recursive: an agent may nest deep.

    It looks into as many folders as it may find files: millions of empty ones would keep the heartbeat waiting.
    """
    folders = [str(tree)]
    for _ in range(_FILES):
        if not folders:
            return
        folder = folders.pop()
        git = folder.endswith("/.git")
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if git and entry.name not in _GIT:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    yield entry


def vitals(watch: TreeWatch, supervisor: int, wrappers: int, helpers: int = 0) -> AgentVitals:
    """The vitals of what runs below a supervisor, the sandbox's own processes and ours left out of the count."""
    below = descendants(supervisor)
    return AgentVitals(
        cpu_seconds=round(sum(process.cpu for _, process in below), 2),
        processes=max(0, sum(depth > wrappers for depth, _ in below) - helpers),
        files=watch.digest(),
    )
