"""One flag that a worker process and everything forked from it can see."""

from __future__ import annotations

import mmap


class StopFlag:
    """Set once a worker process is told to stop; the processes forked from it see it too.

    One byte of shared memory and no lock: a child that is killed while it reads must not leave a lock behind for
    all others to wait for (a `multiprocessing.Event` would).
    """

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def set(self) -> None:
        """Tell this process and its children."""
        self._byte[0] = 1

    def renew(self) -> None:
        """A flag of this process's own, not set: for one that was forked, but not as a child of its pool."""
        self._byte = mmap.mmap(-1, 1)

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._byte[0] == 1


#: This worker process is being stopped. Made before the pool forks, and once more in each fork of a nursery.
STOPPING = StopFlag()
