"""The standard input of a program that is spoken to while it runs.

Standard library only, because the supervisor script loads it. A program that does not read must not hold up the
supervisor: what it has not taken waits here, up to a bound.
"""

from __future__ import annotations

import os
from contextlib import suppress

#: Bytes that may wait; what is said beyond them is dropped, as it would be in a full mailbox.
ROOM = 8 << 20


class Inlet:
    """One end of a pipe, written without waiting. Closed for good when the reader is gone."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._waiting = b""
        self._closing = False

    @property
    def waiting(self) -> list[int]:
        """What to wait for until more can be written; for select."""
        return [self._fd] if self._fd >= 0 and self._waiting else []

    @property
    def open(self) -> bool:
        """Whether anything can still be said."""
        return self._fd >= 0 and not self._closing

    def say(self, data: bytes) -> None:
        """Write it, as soon as it is taken. Nothing is said after `close`."""
        if self.open and len(self._waiting) + len(data) <= ROOM:
            self._waiting += data
            self.flush()

    def close(self) -> None:
        """End of input, once everything that waits is written."""
        self._closing = True
        self.flush()

    def flush(self) -> None:
        """Write what can be written now."""
        if self._fd < 0:
            return
        try:
            while self._waiting:
                self._waiting = self._waiting[os.write(self._fd, self._waiting) :]
        except BlockingIOError:
            return
        except OSError:  # its reader is gone
            self._waiting, self._closing = b"", True
        if self._closing:
            with suppress(OSError):
                os.close(self._fd)
            self._fd = -1
