"""Which process is meant: a number together with when it started, because the kernel gives numbers out again.

Refuses to call a zombie alive, and to signal a process that merely has the same number.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ops_orchestrate.core.value import Value


class ProcessId(Value):
    """A process that was seen alive once."""

    pid: int
    started: int
    """Clock ticks between boot and its start: a time of day would move when the clock is corrected."""

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """The living process with this number."""
        try:
            line = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            return None
        fields = line.rpartition(b")")[2].split()  # the command's name may hold spaces and brackets
        if not fields or fields[0] in {b"Z", b"X"}:
            return None
        return cls(pid=pid, started=int(fields[19]))

    def alive(self) -> bool:
        """Whether that very process runs."""
        return self.of(self.pid) == self

    def signal(self, number: int) -> None:
        """Send a signal to it; nothing if it has ended."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def signal_group(self, number: int) -> None:
        """Send a signal to the process group it leads or led; nothing if nobody is left in it."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
