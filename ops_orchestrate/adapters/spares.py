"""Spare trees: one clone a repository that is whole before anybody needs it, and that no agent has ever seen.

Writing twenty thousand files takes a slow disk many seconds, so in a large repository the next tree is written while
an agent thinks in the present one. A tree is never used twice: what an agent leaves in one may be anything (hooks, a
poisoned index, ignored files), and no cleaning of it would be as sure as not using it. So a spare is made of the mirror
alone, is handed over by renaming it, and is no spare any more from then on. What is not there, or is not as it would be
made today, is not used: the tree is then made as any first one.
"""

from __future__ import annotations

import logging
import struct
import threading
from collections.abc import Callable
from pathlib import Path

from ops_orchestrate.adapters.filelock import opened, try_lock
from ops_orchestrate.adapters.folders import remove
from ops_orchestrate.errors import GitError

log = logging.getLogger("ops_orchestrate.git")

#: A tree of fewer files is written in some tenths of a second, also on a slow disk.
LARGE = 1_000

_NAME = ".spare"


class Spares:
    """The spare trees below one folder, one a repository."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, repo: str, fresh: Path, config: str) -> bool:
        """Move the spare to `fresh`. False where there is none, it is just being made, or has another configuration."""
        place = self._folder / repo / _NAME
        if not place.is_dir():
            return False
        with opened(self._lock(repo)) as fd:
            if not try_lock(fd) or not place.is_dir():
                return False
            if not (place / ".git" / "config").read_text(encoding="utf-8").endswith(config):
                remove(place)
                return False
            place.rename(fresh)
            return True

    def renew(self, repo: str, make: Callable[[Path], None]) -> threading.Thread:
        """Have `make` fill a new spare, by a thread; nothing is done where there is one or somebody makes one."""
        thread = threading.Thread(target=self._make, args=(repo, make), name=f"spare-{repo}", daemon=True)
        thread.start()
        return thread

    def forget(self, repo: str, before: float) -> None:
        """Remove a spare that is older (seconds since 1970): nobody works in that repository."""
        place = self._folder / repo / _NAME
        if place.is_dir() and place.stat().st_mtime < before:
            with opened(self._lock(repo)) as fd:
                if try_lock(fd):
                    remove(place)

    def _make(self, repo: str, make: Callable[[Path], None]) -> None:
        place = self._folder / repo / _NAME
        fresh = place.with_name(f"{_NAME}.new")
        try:
            with opened(self._lock(repo)) as fd:
                if not try_lock(fd) or place.is_dir():
                    return
                remove(fresh)  # a maker that died has left half of one
                make(fresh)
                fresh.rename(place)
        except (GitError, OSError) as error:  # the next attempt does without
            log.info("no spare tree of %s: %s", repo, error)

    def _lock(self, repo: str) -> Path:
        return self._folder / repo / f"{_NAME}.lock"


def is_large(git_folder: Path) -> bool:
    """Whether a tree has so many files that a spare is worth its room: their number stands in the index's head."""
    with (git_folder / "index").open("rb") as index:
        head = index.read(12)
    return len(head) == 12 and struct.unpack(">4sLL", head)[2] >= LARGE
