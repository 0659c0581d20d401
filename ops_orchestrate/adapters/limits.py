"""Which limits this host does not hold by itself, so that only the supervisor's own counting does: for `doctor`."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ops_orchestrate.adapters.cgroup import WANTED, Group, Home, find_home
from ops_orchestrate.adapters.process import run
from ops_orchestrate.adapters.syscalls import program

_EVERY = "twice a second"
_DELEGATE = "Start the workers with `systemd-run --user --scope -p Delegate=yes`, or as a unit with `Delegate=yes`."
_CANARY = """
import errno, os, sys
open(sys.argv[1], "w").write("0")
try:
    os.fork()
except OSError as error:
    sys.exit(error.errno != errno.EAGAIN)
sys.exit(2)
"""


@lru_cache(maxsize=1)
def held_by_kernel() -> Home | None:
    """Where control groups of ours can be made, and which limits the kernel then holds: proved once a process."""
    home = find_home()
    return home if home is not None and _holds(home) else None


def _holds(home: Home) -> bool:
    """A canary goes into a group for one process; where those can be limited, it must not get another."""
    group = Group.make(home, memory=64 << 20, processes=1)
    if group is None:
        return False
    ended = run([sys.executable, "-I", "-S", "-c", _CANARY, group.procs], cwd="/", env={}, timeout=10)
    group.kill()
    group.close()
    return ended.exit_code == (0 if "pids" in home.holds else 2)


class Gap(NamedTuple):
    """One of them, in words, and what would close it."""

    text: str
    remedy: str = ""


def gaps(root: bool | None = None, home: Home | None = None) -> tuple[Gap, ...]:
    """Each of them; the first, of the disk, is everywhere. `root`: whether the workers run as root; None: as we do."""
    as_root = os.getuid() == 0 if root is None else root
    held = home.holds if home else ()
    missing = [word for name, word in zip(WANTED, ("memory", "processes"), strict=True) if name not in held]
    found = [Gap(f"disk of an agent is measured {_EVERY}, and not limited by a quota")]
    if missing:
        found.append(Gap(f"control groups hold no limit of its {' and '.join(missing)}", _DELEGATE))
    if "memory" in missing:
        found.append(Gap(f"its memory is measured {_EVERY}, and /tmp and /dev/shm inside are beside that"))
    if as_root and "processes" in missing:
        found.append(
            Gap(
                f"the kernel limits no processes of root: they are counted {_EVERY}", "Run workers as an ordinary user."
            )
        )
    if not Path("/proc/self/fd").is_dir():
        found.append(Gap("there is no /proc: neither processes nor memory of an agent can be measured"))
    if program() is None:
        found.append(
            Gap("on this kind of machine no system calls are filtered: vsock and the kernel's keyring stay open")
        )
    return tuple(found)
