"""Foreign code under a supervisor: the worker's end of the pipe, the log and the exit record.

Agents and gates both run this way. When the worker dies, stops or forgets to beat, the supervisor ends what
it watches; when the supervisor itself is killed, the worker sweeps up by the mark.
"""

from __future__ import annotations

import errno
import json
import os
import select
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ops_orchestrate.adapters import supervisor
from ops_orchestrate.adapters.launch import Spec
from ops_orchestrate.adapters.limits import held_by_kernel
from ops_orchestrate.adapters.process import Child, kill_marked, plain, spawn
from ops_orchestrate.adapters.proctree import MARK, STACK
from ops_orchestrate.adapters.sandbox import Confined
from ops_orchestrate.config import Settings

_RECORD_LIMIT = 65_536
MESSAGE_LIMIT = 8_000
_PIECE = 65_536
_PATIENCE = 30.0
"""Seconds for a supervisor to take its first line."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How one program is watched. Periods in seconds."""

    folder: Path
    """Ours, never writable for the program: log, exit record, the supervisor's own errors."""
    mark: str
    """Unique to this start; every process of it carries the mark in its environment."""
    cwd: Path
    seconds: float
    beat_seconds: float
    grace: float
    stdin: Path | None = None
    messages: Path | None = None
    beaten_at: float = 0.0
    """When the owner's lease was last renewed, by CLOCK_BOOTTIME; 0: when the supervisor starts."""
    talk: bool = False
    """It is spoken to on its input, which begins with what is in `stdin` and stays open until `end_input`."""
    farewell: str = ""
    """With `talk`: the line that asks it to stop, in place of SIGINT."""


@dataclass(frozen=True, slots=True)
class Exit:
    """The exit record."""

    reason: str
    """exited, unstarted, interrupted, killed, time-limit, owner-gone, no-beat, memory, processes, disk, or
    `supervisor-lost` where there is no record."""
    exit_code: int | None = None
    signal: int | None = None
    seconds: float = 0.0
    left: int = 0
    """Processes that could not be killed."""
    detail: str = ""
    log_bytes: int = 0
    log_cut: bool = False


class Supervised:
    """A running program and its supervisor."""

    def __init__(self, child: Child, watch: Watch) -> None:
        self._child = child
        self._watch = watch
        self._exit: Exit | None = None
        self._offset = 0
        self._seen = (0, 0)
        self._unsent = b""
        self.log = watch.folder / "log"
        self.pid = child.pid
        """The supervisor's."""

    @property
    def listens(self) -> bool:
        """Whether the program can be told anything while it runs."""
        return self._watch.talk or self._watch.messages is not None

    def beat(self, at: float | None = None) -> None:
        """The owner is alive and held its lease `at` that moment of CLOCK_BOOTTIME (None: now).

        A beat says when it was true: an owner that was stopped in between must not lengthen the agent's life.
        """
        self._tell(b"beat\n" if at is None else f"beat {at:.6f}\n".encode())

    def stop(self, how: Literal["interrupt", "kill"]) -> None:
        """Start the stop ladder at its bottom or at its top."""
        self._tell(f"{how}\n".encode())

    def message(self, text: str) -> bool:
        """One line of JSON for a program that reads its message file; False where it cannot be told."""
        if self._watch.messages is None or self.poll() is not None:
            return False
        return self._tell(b"message " + json.dumps({"text": text[:MESSAGE_LIMIT]}).encode() + b"\n")

    def say(self, line: str) -> bool:
        """One line on the input of a program that is spoken to; False where it cannot be told."""
        if not self._watch.talk or self.poll() is not None:
            return False
        return self._tell(b"say " + line.encode() + b"\n")

    def farewell(self, line: str) -> bool:
        """From here on this is the line that asks it to stop, in place of SIGINT; False where that did not arrive."""
        return self._tell(b"farewell " + line.encode() + b"\n")

    def flush(self) -> None:
        """Send on what of a long line did not fit yet."""
        self._tell(b"")

    def end_input(self) -> None:
        """Nothing more will be said: a program that waits for its input ends."""
        self._tell(b"eof\n")

    def poll(self) -> Exit | None:
        """How it ended; None while the supervisor lives. Then nothing of it is left."""
        if self._exit is None and self._child.poll() is not None:
            self._child.close()
            self._exit = self._read_record()
        return self._exit

    def doze(self, seconds: float) -> None:
        """Sleep for so long, or until the supervisor has ended."""
        self._child.doze(seconds)

    def output(self) -> tuple[bool, str]:
        """(whether it printed something since the last call, what of it is new and last, cleaned)."""
        try:
            status = self.log.stat()
        except FileNotFoundError:
            return False, ""
        seen, self._seen = self._seen, (status.st_size, status.st_mtime_ns)
        skipped = max(0, status.st_size - _PIECE - self._offset)
        self._offset += skipped
        with self.log.open("rb") as file:
            file.seek(self._offset)
            data = file.read(_PIECE)
        if len(data) < _PIECE and self.poll() is None:
            data = data[: data.rfind(b"\n") + 1] or data[: -4 if len(data) > 4_000 else 0]  # whole lines
        self._offset += len(data)
        if skipped:  # begin at the end of a line, never within one
            data = b"".join(data.partition(b"\n")[1:])
        return seen != self._seen and self._seen[0] > 0, plain(data)

    def tail(self, limit: int = 8_000) -> str:
        """The end of the log, cleaned."""
        with suppress(FileNotFoundError), self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 4 * limit))
            return plain(file.read(4 * limit), limit)
        return ""

    def _tell(self, line: bytes) -> bool:
        """Write to the supervisor; a full or closed pipe is its own answer, never an error of ours.

        What of a line no longer fitted goes before the next one: half a line would spoil the beat behind it.
        """
        pipe = self._child.stdin
        if pipe is None or pipe.closed:
            return False
        try:
            if self._unsent:
                self._unsent = self._unsent[os.write(pipe.fileno(), self._unsent) :]
            if self._unsent:
                return False
            self._unsent = line[os.write(pipe.fileno(), line) :]
            return True
        except (BrokenPipeError, BlockingIOError):
            return False

    def _read_record(self) -> Exit:
        try:
            with (self._watch.folder / "exit.json").open("rb") as file:
                fields: dict[str, Any] = json.loads(file.read(_RECORD_LIMIT))
            return Exit(**fields)
        except (OSError, ValueError, TypeError):
            left = kill_marked(f"{MARK}={self._watch.mark}")
            with suppress(FileNotFoundError):
                errors = plain((self._watch.folder / "supervisor.log").read_bytes()[-2_000:]).strip()
                return Exit("supervisor-lost", left=left, detail=errors)
            return Exit("supervisor-lost", left=left)


def supervise(confined: Confined, watch: Watch, settings: Settings) -> Supervised:
    """Start a program under a supervisor of its own. Raises OSError where even that cannot be started."""
    watch.folder.mkdir(parents=True, exist_ok=True)
    for name in ("exit.json", "log", "supervisor.log"):
        (watch.folder / name).unlink(missing_ok=True)
    child = spawn(
        [sys.executable, "-I", "-S", str(Path(supervisor.__file__))],
        cwd="/",
        env=confined.env | {MARK: watch.mark} | {name: os.environ[name] for name in (STACK,) if name in os.environ},
        log=watch.folder / "supervisor.log",
        pipe=True,
    )
    supervised = Supervised(child, watch)
    _instruct(child, _spec(confined, watch, settings))
    return supervised


def _instruct(child: Child, spec: Spec, patience: float = _PATIENCE) -> None:
    """Say what to run. Raises OSError for a supervisor that does not take it: then it is killed."""
    if child.stdin is None:
        raise OSError("the supervisor has no pipe")
    pipe, deadline = child.stdin.fileno(), time.monotonic() + patience
    os.set_blocking(pipe, False)  # a stopped supervisor must hold up neither this nor a heartbeat
    line = json.dumps(spec._asdict()).encode() + b"\n"
    with suppress(BrokenPipeError):  # it has died at once: its missing record says so
        while line:
            if not select.select([], [pipe], [], max(0.0, deadline - time.monotonic()))[1]:
                child.terminate(grace=0)
                raise OSError(errno.ETIMEDOUT, "the supervisor does not take what it is to run")
            line = line[os.write(pipe, line) :]


def _spec(confined: Confined, watch: Watch, settings: Settings) -> Spec:
    home = held_by_kernel()
    return Spec(
        argv=list(confined.argv),
        cwd="/" if confined.wrappers else str(watch.cwd),
        log=str(watch.folder / "log"),
        log_limit=int(settings.log_limit_mb * 1_000_000),
        record=str(watch.folder / "exit.json"),
        marker=f"{MARK}={watch.mark}",
        seconds=watch.seconds,
        beat_seconds=watch.beat_seconds,
        grace=watch.grace,
        stdin=str(watch.stdin or os.devnull),
        messages=str(watch.messages or ""),
        beaten_at=watch.beaten_at,
        talk=watch.talk,
        farewell=watch.farewell,
        groups=home.path if home else "",
        groups_hold=home.holds if home else (),
        wrapped=confined.wrappers,
        memory=settings.sandbox_memory_mb << 20,
        processes=settings.sandbox_processes,
        file_size=settings.sandbox_file_mb << 20,
        open_files=settings.sandbox_open_files,
        disk=settings.sandbox_disk_mb << 20,
        folders=tuple(map(str, confined.write)),
    )
