"""How much the folders of foreign code hold, measured from outside, a little at a time.

Standard library only, because the supervisor script loads it too. No quota is needed, and none can be relied on. A
folder that cannot be read, or lies deeper than a path is long, is no place to hide: what the whole disk has lost
since the start counts then. Deleted files that are still open count too.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

_ENTRY = 4096
"""Bytes that an entry counts at least: a million empty files are no small thing either."""
_REST = 1.0
"""Seconds between two walks, at least; and four times as long as the last one took."""


class DiskUse:
    """The size of some folders together."""

    def __init__(self, folders: Iterable[str]) -> None:
        self._folders = list(folders)
        self._free = self._free_now()
        self._walk: Iterator[int] | None = None
        self._known = self._sum = 0
        self._blind = self._was_blind = False
        self._took = 0.0
        self._next = 0.0

    def look(self, pids: Iterable[int], seconds: float = 0.03) -> int:
        """Bytes in use, as far as the walk has come within `seconds`; `pids`: whose open files to look at."""
        self._go_on(time.monotonic() + seconds)
        return max(self._known, self._sum, self._lost() if self._was_blind else 0) + self._deleted(pids)

    def _go_on(self, deadline: float) -> None:
        begun = time.monotonic()
        if self._walk is None:
            if begun < self._next:
                return
            self._walk, self._sum, self._blind, self._took = self._files(), 0, False, 0.0
        for size in self._walk:
            self._sum += size
            if time.monotonic() > deadline:
                self._took += time.monotonic() - begun
                return
        self._took += time.monotonic() - begun
        self._known, self._was_blind, self._walk, self._sum = self._sum, self._blind, None, 0
        self._next = time.monotonic() + max(_REST, 4 * self._took)

    def _files(self) -> Iterator[int]:
        """The size of each entry; no link is followed."""
        waiting = list(self._folders)
        while waiting:
            try:
                with os.scandir(waiting.pop()) as entries:
                    for entry in entries:
                        with suppress(FileNotFoundError):
                            status = entry.stat(follow_symlinks=False)
                            if stat.S_ISDIR(status.st_mode):
                                waiting.append(entry.path)
                            yield max(_ENTRY, status.st_blocks * 512)
            except (FileNotFoundError, NotADirectoryError):  # it went away, or became another thing, while we looked
                continue
            except OSError:
                self._blind = True

    def _deleted(self, pids: Iterable[int]) -> int:
        found: dict[tuple[int, int], int] = {}
        for pid in pids:
            with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
                for entry in entries:
                    with suppress(OSError):
                        status = entry.stat()
                        if stat.S_ISREG(status.st_mode) and not status.st_nlink and status.st_dev in self._free:
                            found[status.st_dev, status.st_ino] = status.st_blocks * 512
        return sum(found.values())

    def _lost(self) -> int:
        """What the file systems have lost since the start, whoever took it."""
        now = self._free_now()
        return sum(max(0, before - now.get(device, before)) for device, before in self._free.items())

    def _free_now(self) -> dict[int, int]:
        """Bytes that are free on each file system of the folders that are there."""
        found = {}
        for folder in self._folders:
            with suppress(OSError):
                found[os.lstat(folder).st_dev] = self._free_at(folder)
        return found

    @staticmethod
    def _free_at(folder: str) -> int:
        room = os.statvfs(folder)
        return room.f_bavail * room.f_frsize
