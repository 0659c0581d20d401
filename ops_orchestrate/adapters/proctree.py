"""The processes of this machine as /proc shows them: descent, marks, and their end.

Standard library only, because the supervisor script loads it too. It never reaps: waiting for children
belongs to whoever started them.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MARK = "OPS_ATTEMPT"
"""The variable that every process of an attempt carries, unless it was thrown away on purpose."""
STACK = "OPS_STACK"
"""Every process of an embedded stack carries it, with the state directory as its value: keepers start the workers
with it, workers the supervisors; agents do not see it."""
KEPT_SERVER = "OPS_KEPT_SERVER"
"""Set for the workers of a stack whose server is ours: every answered write of it is on the disk."""

_PAGE = resource.getpagesize()
_TICKS = os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    """One living process, from /proc."""

    pid: int
    parent: int
    group: int
    rss: int
    """Resident memory in bytes; pages shared between processes count in each."""
    started: int
    """Ticks after boot: with the pid, an identity that a new process with an old number does not have."""
    cpu: float
    """Seconds of processor time, those of its ended and awaited children included."""


def processes() -> dict[int, Process]:
    """Every living process that /proc shows, zombies left out."""
    found = {}
    for pid in _pids():
        with suppress(OSError, ValueError, IndexError):
            data = Path(f"/proc/{pid}/stat").read_bytes()
            process = _parse(pid, data[data.rindex(b")") + 2 :].split())  # the name may hold spaces and brackets
            if process is not None:
                found[pid] = process
    return found


def _parse(pid: int, fields: list[bytes]) -> Process | None:
    """The fields of /proc/PID/stat after the name; `proc(5)` numbers them from 3."""
    if fields[0] in (b"Z", b"X"):
        return None
    return Process(
        pid=pid,
        parent=int(fields[1]),
        group=int(fields[2]),
        rss=int(fields[21]) * _PAGE,
        started=int(fields[19]),
        cpu=sum(map(int, fields[11:15])) / _TICKS,
    )


def descendants(root: int) -> list[tuple[int, Process]]:
    """(depth, process) of everything below `root`, parents first; a child of it has depth 1."""
    children: dict[int, list[Process]] = {}
    for process in processes().values():
        children.setdefault(process.parent, []).append(process)
    found, level, depth = [], children.get(root, []), 1
    while level:
        found += [(depth, process) for process in level]
        level = [child for process in level for child in children.get(process.pid, [])]
        depth += 1
    return found


def marked(marker: str) -> list[int]:
    """Pids of the living processes whose environment holds `marker`, ourselves left out."""
    wanted, found = marker.encode(), []
    for pid in _pids():
        with suppress(OSError):
            if pid != os.getpid() and wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
    return found


def kill_all(root: int | None, marker: str, patience: float = 5.0) -> int:
    """SIGKILL all that is below `root` and all that is marked, again until none is left; how many are left.

    Raises ValueError for a root that everything descends from.
    """
    if root is not None and root < 2:
        raise ValueError(f"refusing to kill everything below process {root}")
    deadline = time.monotonic() + patience
    struck: dict[int, int] = {}
    while True:
        now = processes()
        left = {process.pid for _, process in descendants(root)} if root else set()
        left |= set(marked(marker)) if marker else set()
        # One that is dying has lost its environment before it lets go of its files and locks.
        left |= {pid for pid, started in struck.items() if pid in now and now[pid].started == started}
        struck |= {pid: now[pid].started for pid in left if pid in now}
        for pid in left:
            send(pid, signal.SIGKILL)
        if not left or time.monotonic() > deadline:
            return len(left)
        time.sleep(0.01)


def send(pid: int, number: signal.Signals) -> None:
    """A signal to a process that may be gone already."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _pids() -> Iterator[int]:
    with os.scandir("/proc") as entries:
        yield from (int(entry.name) for entry in entries if entry.name.isdigit())
