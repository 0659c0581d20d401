"""A person at a terminal: the program under a pseudo-terminal, what it shows, what is typed."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Sequence


class Terminal:
    """One command in a pseudo-terminal of 110 columns. A context manager; leaving it ends the command."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.seen = ""
        self._from = 0
        self._code: int | None = None
        self.pid, self._fd = pty.fork()
        if self.pid == 0:  # the child: nothing of this process may go on in it
            os.environ["COLUMNS"] = "110"
            os.execv(sys.executable, [sys.executable, "-m", "ops_orchestrate", *argv])

    def expect(self, pattern: str, seconds: float = 60.0) -> re.Match[str]:
        """Read until the pattern shows up after what was expected before. Fails with everything that was shown."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.compile(pattern).search(self.seen, self._from)
            if found:
                self._from = found.end()
                return found
            assert time.monotonic() < deadline, f"waited {seconds} s for {pattern!r}:\n{self.seen}"
            assert self._read(0.2), f"it ended before {pattern!r}:\n{self.seen}"

    def type(self, text: str) -> None:
        """Type a line; "^C" and "^D" are the keys."""
        keys = {"^C": b"\x03", "^D": b"\x04"}.get(text, f"{text}\n".encode())
        os.write(self._fd, keys)

    def ends(self, seconds: float = 60.0) -> int:
        """Wait for the end; the exit code."""
        deadline = time.monotonic() + seconds
        while self._read(0.2):
            assert time.monotonic() < deadline, f"it does not end:\n{self.seen}"
        return self._wait()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._wait()
        os.close(self._fd)

    def _read(self, seconds: float) -> bool:
        """Take in what is there; False once the command has closed its end."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # the other end is closed
            return False
        self.seen += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)

    def _wait(self) -> int:
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code
