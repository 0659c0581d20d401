"""A lock between processes and threads of this host; the kernel gives it back when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from ops_orchestrate.errors import GitError

_PAUSE = 0.02


@contextlib.contextmanager
def file_lock(path: Path, seconds: float) -> Iterator[None]:
    """Hold the lock at `path`. Raises GitError when somebody else has held it for `seconds`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened(path) as fd:
        deadline = time.monotonic() + seconds
        while not try_lock(fd):
            if time.monotonic() > deadline:
                raise GitError(f"{path.stem} has been in use for {seconds:g} s; is another run stuck there?")
            time.sleep(_PAUSE)
        yield


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    """The lock file, open but not locked; closing it gives a lock back."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


def try_lock(fd: int) -> bool:
    """Take the lock if it is free now."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
