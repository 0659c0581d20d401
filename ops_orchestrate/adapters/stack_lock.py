"""Advisory locks on files, which the kernel releases when their last holder ends, however it ends.

A lock belongs to the *open file*, not to the process: a child that inherits the descriptor holds it too,
and it is free only when every copy is closed. So a lock can be handed to a child without a moment in which
nobody has it. For the same reason nothing here ever unlocks: that would unlock the child's copy as well. It
closes.

A lock held shared is never turned into an exclusive one: the kernel drops the first before it tries the
second.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

HANDED_LOCK = "OPS_KEEPER_LOCK_FD"
"""The environment variable with the descriptor of a lock that a user hands to the keeper."""


class StackLock:
    """One open file and what it holds: nothing, a shared lock or an exclusive one."""

    def __init__(self, path: Path) -> None:
        """Open the lock's file, made on first use and never removed while it may be held. Raises OSError."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @classmethod
    def inherited(cls, fd: int) -> StackLock:
        """A lock that the parent process took; this process's own children do not get it."""
        lock = cls.__new__(cls)
        lock._fd = fd
        os.set_inheritable(fd, False)
        return lock

    @property
    def fd(self) -> int:
        """The descriptor, to be handed to a child."""
        return self._fd

    def shared(self) -> bool:
        """Take it together with others; False if somebody holds it alone. Does not wait."""
        return self._take(fcntl.LOCK_SH)

    def exclusive(self) -> bool:
        """Take it alone; False if anybody holds it. Does not wait."""
        return self._take(fcntl.LOCK_EX)

    def close(self) -> None:
        """Give up this process's copy. A second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> StackLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self, how: int) -> bool:
        try:
            fcntl.flock(self._fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
