"""Control groups (cgroup v2): limits that the kernel itself holds, over all processes of an agent together.

Standard library only, because the supervisor script loads it too. Groups are made only below a place that is ours to
use: one that was delegated to us (systemd's `Delegate=yes`, or a folder that belongs to an ordinary user), or, as root,
one of our own below the root. Where there is none, the supervisor's own counting and resource limits are what is left.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

WANTED = ("memory", "pids")
_LEAF, _OURS, _GROUP = "ops-workers", "ops-orchestrate", "ops-agent-"
_UNITS = (".service", ".scope", ".slice")
_TRIES = 20
#: Its maker may live in a container whose processes have other numbers here: then only age tells, in seconds.
_YOUNG = 60.0


class Home(NamedTuple):
    """Where groups can be made, and which of the wanted controllers work there."""

    path: str
    holds: tuple[str, ...] = ()


def find_home() -> Home | None:
    """A place for groups, made ready; None where there is none for us."""
    with suppress(OSError, ValueError, IndexError):
        top, own = _mounted(), _own()
        return _home(top, top / own.lstrip("/"))
    return None


def _home(top: Path, own: Path) -> Home | None:
    if own.name == _LEAF:  # another worker has made it ready
        return _ready(own.parent)
    if own != top and _delegated(own):
        _move_into_leaf(own)
        return _ready(own)
    if os.getuid() == 0:
        with suppress(OSError):
            _enable(top)
        (top / _OURS).mkdir(exist_ok=True)
        return _ready(top / _OURS)
    return None


def _ready(place: Path) -> Home:
    with suppress(OSError):
        _enable(place)
    holds = (place / "cgroup.subtree_control").read_text().split()
    return Home(str(place), tuple(name for name in WANTED if name in holds))


def _enable(place: Path) -> None:
    """Let groups below have the controllers. Raises OSError, EBUSY where it holds processes itself."""
    there = (place / "cgroup.controllers").read_text().split()
    words = " ".join(f"+{name}" for name in WANTED if name in there)
    if words:
        (place / "cgroup.subtree_control").write_text(words)


def _delegated(place: Path) -> bool:
    """Whether whoever manages groups here has given us that one: systemd says so; without it, its owner is the sign."""
    if not os.access(place / "cgroup.subtree_control", os.W_OK) or not os.access(place / "cgroup.procs", os.W_OK):
        return False
    for name in ("user.delegate", "trusted.delegate"):
        with suppress(OSError):
            if os.getxattr(place, name) == b"1":
                return True
    managed = any(part.endswith(_UNITS) for part in place.parts)
    return not managed and place.stat().st_uid == os.getuid() != 0


def _move_into_leaf(place: Path) -> None:
    """A group that holds processes gives no controllers to those below: ours go one floor down. Raises OSError."""
    leaf = place / _LEAF
    leaf.mkdir(exist_ok=True)
    for _ in range(_TRIES):  # one may be born meanwhile
        pids = (place / "cgroup.procs").read_text().split()
        if not pids:
            return
        for pid in pids:
            with suppress(ProcessLookupError):
                (leaf / "cgroup.procs").write_text(pid)


def _mounted() -> Path:
    """Where the one hierarchy of version 2 is. Raises IndexError, OSError."""
    lines = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return Path([line[4] for line in lines if line[line.index("-") + 1] == "cgroup2"][-1])


def _own() -> str:
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    return next(line[3:] for line in lines if line.startswith("0::")).removesuffix(" (deleted)")


class Group:
    """One agent's. Every process of it is born in it and cannot leave: inside the sandbox there is no way to it."""

    def __init__(self, path: Path, holds: tuple[str, ...]) -> None:
        self._path = path
        self.holds = holds
        self.procs = str(path / "cgroup.procs")
        """Who writes `0` into it is in it, with whatever it starts."""

    @classmethod
    def make(cls, home: Home, memory: int, processes: int) -> Group | None:
        """One with these limits (bytes, threads; 0: none); None where it cannot be made."""
        place = Path(home.path)
        _sweep(place)
        path = place / f"{_GROUP}{os.getpid()}-{time.monotonic_ns()}"
        try:
            path.mkdir()
            if memory and "memory" in home.holds:
                (path / "memory.max").write_text(str(memory))
                (path / "memory.oom.group").write_text("1")  # half an agent is none
                with suppress(OSError):  # no swap here
                    (path / "memory.swap.max").write_text("0")
            if processes and "pids" in home.holds:
                (path / "pids.max").write_text(str(processes))
        except OSError:
            return None
        return cls(path, home.holds)

    def gone(self) -> bool:
        """Whether somebody has removed it."""
        return not self._path.exists()

    def struck(self) -> str:
        """The limit that was met, by the supervisor's word for it; empty where none was."""
        if _count(self._path / "memory.events", "oom_kill"):
            return "memory"
        return "processes" if _count(self._path / "pids.events", "max") else ""

    def kill(self) -> None:
        """SIGKILL to all of it in one step: what forks meanwhile does not get away."""
        with suppress(OSError):  # before Linux 5.14
            (self._path / "cgroup.kill").write_text("1")

    def close(self) -> None:
        """Forget it, once what was killed in it is gone; what cannot be killed keeps it until the next one is made."""
        for _ in range(_TRIES):
            with suppress(OSError):
                self._path.rmdir()
            if not self._path.exists():
                return
            time.sleep(0.02)


def _count(file: Path, name: str) -> int:
    with suppress(OSError, ValueError):
        fields = dict(line.split() for line in file.read_text().splitlines())
        return int(fields.get(name, 0))
    return 0


def _sweep(place: Path) -> None:
    """Groups of supervisors that were killed; the kernel removes none that holds a process.

    One that is empty may also have been made a moment ago: its agent is not born yet, and could not be without it.
    """
    for path in place.glob(f"{_GROUP}*"):
        with suppress(OSError, ValueError, IndexError):
            maker = path.name.removeprefix(_GROUP).split("-")[0]
            if time.time() - path.stat().st_mtime > _YOUNG and not Path("/proc", str(int(maker))).exists():
                path.rmdir()
