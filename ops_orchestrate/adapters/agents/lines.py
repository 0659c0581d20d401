"""The whole lines of a file that grows."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_PIECE = 1 << 20


class Lines:
    """Reads on from where it was. A line over the limit is left out, whatever comes of it."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._rest = b""
        self._skipping = False
        self.read = 0
        """Bytes so far."""

    def more(self, *, last: bool = False) -> list[bytes]:
        """The next lines, at most about a megabyte of them. `last`: nobody writes any more, the rest is a line too."""
        data = b""
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(self.read)
            data = file.read(_PIECE)
        self.read += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if lines and self._skipping:
            lines, self._skipping = lines[1:], False
        if len(self._rest) > self._limit:
            self._rest, self._skipping = b"", True
        if last and not data and self._rest and not self._skipping:
            lines, self._rest = [*lines, self._rest], b""
        return [line for line in lines if line.strip() and len(line) <= self._limit]
