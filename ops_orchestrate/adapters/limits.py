"""Which limits this host does not hold by itself, so that only the supervisor's own counting does: for `doctor`."""

from __future__ import annotations

import os
from pathlib import Path

from ops_orchestrate.adapters.syscalls import program

_EVERY = "twice a second"


def gaps(root: bool | None = None) -> tuple[str, ...]:
    """One sentence for each of them. `root`: whether the workers run as root; None: as we do."""
    as_root = os.getuid() == 0 if root is None else root
    found = [f"memory and disk of an agent are measured {_EVERY}, and not limited by the kernel or a quota"]
    if as_root:
        found.append(
            f"the kernel limits no processes of root: they are counted {_EVERY}; run the workers as a user of their own"
        )
    if not Path("/proc/self/fd").is_dir():
        found.append("there is no /proc: neither processes nor memory of an agent can be measured")
    if program() is None:
        found.append("on this kind of machine no system calls are filtered: vsock and the kernel's keyring stay open")
    return tuple(found)
