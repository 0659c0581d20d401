"""What an agent or a gate prints, kept up to a size: its beginning and its end.

Standard library only, because the supervisor script loads it.
"""

from __future__ import annotations

import os
from contextlib import suppress

TAIL = 32_768


class Log:
    """The agent's output, cut in the middle: the first `limit` bytes, and the last ones once it has ended."""

    def __init__(self, path: str, limit: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        self._file = os.open(path, flags, 0o600)
        self._room = limit
        self._tail = b""
        self.seen = 0
        self.dropped = 0

    def write(self, data: bytes) -> None:
        self.seen += len(data)
        kept, rest = data[: self._room], data[self._room :]
        self._room -= len(kept)
        if not self._write(kept):
            self._room, rest = 0, data
        if rest:
            self.dropped += len(rest)
            self._tail = (self._tail + rest)[-TAIL:]
            with suppress(OSError):
                os.utime(self._file)  # a full log is still a sign of life

    def close(self) -> None:
        if self.dropped:
            cut = self.dropped - len(self._tail)
            self._write(f"\n[... {cut} bytes cut ...]\n".encode() + self._tail)
        os.close(self._file)

    def _write(self, data: bytes) -> bool:
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:  # the disk is full: keep draining, or the agent would hang on its own output
            return False
        return True
