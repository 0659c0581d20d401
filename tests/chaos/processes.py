"""Processes that are started again when they die, as an init system does; and what /proc says of them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Service:
    """One process that is to be there. It leads a group of its own."""

    name: str
    argv: list[str]
    env: dict[str, str]
    cwd: Path
    log: Path
    process: subprocess.Popen[bytes] | None = None
    due: float = 0.0
    """When it may be started again, by the monotonic clock."""

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv, env=self.env, cwd=self.cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """0 while it is not there."""
        return self.process.pid if self.process and self.process.poll() is None else 0

    def signal(self, number: int) -> bool:
        """Signal its whole group; False where there is none."""
        if not self.pid:
            return False
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)
            return True
        return False

    def end(self) -> None:
        """SIGKILL, stopped or not, and wait."""
        self.signal(signal.SIGKILL)
        if self.process:
            self.process.wait(60)


@dataclass
class Watchman:
    """Starts again what has died, after a pause of at most `pause` seconds."""

    rng: random.Random
    pause: float = 0.6
    services: dict[str, Service] = field(default_factory=dict)
    restarts: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def add(self, service: Service) -> None:
        """Start it, and keep it there."""
        service.start()
        self.services[service.name] = service

    def watch(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._watch, name="watchman", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End everything."""
        self._over.set()
        if self._thread:
            self._thread.join(timeout=10)
        for service in self.services.values():
            service.end()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            now = time.monotonic()
            for service in list(self.services.values()):
                if service.pid:
                    service.due = 0.0
                elif not service.due:
                    service.due = now + self.rng.uniform(0, self.pause)
                elif now >= service.due:
                    service.start()
                    self.restarts += 1


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(after_name[1]) == pid:
                    found.append(int(entry.name))
    return found


def send(pid: int, number: int) -> bool:
    """Signal one process; False where it is gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def state(pid: int) -> str:
    """What a process does, as /proc says it in a letter and the name of a wait."""
    with suppress(OSError):
        letter = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return f"{pid} {letter} {Path(f'/proc/{pid}/wchan').read_text()}"
    return f"{pid} gone"
