"""The only file of the package that starts processes: tools that run and end, and children that live long.

Arguments are always a list, never a shell string. Every process gets a session of its own and exactly the
environment it is given. Foreign code (agents, gates) does not start here but in `supervised.py`, which uses
`spawn` for the supervisor.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn
from uuid import uuid4

from ops_orchestrate.adapters.proctree import MARK, descendants, kill_all, processes, send
from ops_orchestrate.core.names import clean_text

LOG_LIMIT = 20_000_000
TAIL = 8_000
_TICK = 0.1
_LINGER = 0.5
REAP = 10.0
"""Seconds that a killed process may take to be gone. One that takes longer is held in the kernel, by a disk of another
machine that does not answer: nothing ends it, and nobody waits for it."""
_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links, clipboard
    r"|\x1b[PX^_].*?(?:\x1b\\|$)"  # device control strings and their like
    r"|[\x1b\x9b]\[?[0-?]*[ -/]*[@-~]",  # CSI and the two-character sequences
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended."""

    exit_code: int
    """As a shell has it: 128 + n for signal n, 127 for a missing command, 126 where it cannot be executed."""
    timed_out: bool
    seconds: float
    output_tail: str
    """The end of what it printed, cleaned; standard error alone where `keep` took the output."""
    stopped: bool = False
    output: bytes = b""
    """With `keep`: its standard output as it was."""
    output_cut: bool = False


def plain(data: bytes | str, limit: int = TAIL) -> str:
    """Printed text without escape sequences and control characters; its last `limit` characters."""
    text = data.decode("utf-8", errors="replace") if isinstance(data, bytes) else data
    text = _ESCAPES.sub("", text[-4 * limit :]).replace("\r\n", "\n").replace("\r", "\n")
    return clean_text(text, len(text) + 1)[-limit:]


def run(
    argv: Sequence[str],
    *,
    cwd: Path | str,
    env: Mapping[str, str],
    timeout: float,
    stdin: bytes | None = None,
    log: Path | None = None,
    log_limit: int = LOG_LIMIT,
    keep: int = 0,
    stop: threading.Event | None = None,
) -> Finished:
    """Run a tool to its end, `timeout` seconds at most; on a timeout or `stop` its whole tree is killed.

    Output and errors go together into `log` (cut at `log_limit` bytes) and, cleaned, into the tail. With
    `keep`, standard output is kept apart as bytes, up to that many. Never raises for a command that cannot
    be started: that is exit code 126 or 127, with the reason as the tail. Raises OSError where `log` cannot be made;
    what a full disk does not take of it is lost, and the tool runs on.
    """
    marker, started = f"run-{uuid4().hex}", time.monotonic()
    # First: what has no place for its log is not started.
    with log.open("wb", buffering=0) if log else nullcontext() as file:
        try:
            process = _start(argv, cwd, {**env, MARK: marker}, stdin or b"", apart=keep > 0)
        except OSError as error:
            code = 127 if isinstance(error, FileNotFoundError) else 126
            return Finished(code, False, 0.0, plain(f"{error.filename or argv[0]}: {error.strerror}"))
        reader = _Reader(process, file, log_limit, keep)
        try:
            why = reader.until_end(started + timeout, stop)
        finally:  # also when an exception such as a worker's shutdown passes through here
            reader.close(f"{MARK}={marker}")
    code = -signal.SIGKILL if process.returncode is None else process.returncode
    return Finished(
        exit_code=code if code >= 0 else 128 - code,
        timed_out=why == "timeout",
        seconds=time.monotonic() - started,
        output_tail=plain(reader.tail),
        stopped=why == "stopped",
        output=bytes(reader.kept),
        output_cut=reader.kept_cut,
    )


def _start(
    argv: Sequence[str], cwd: Path | str, env: dict[str, str], stdin: bytes, *, apart: bool
) -> subprocess.Popen[bytes]:
    with tempfile.TemporaryFile() as source:  # a file, not a pipe: the child reads it whenever it likes
        source.write(stdin)
        source.seek(0)
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=env,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if apart else subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
        )


class _Reader:
    """Drains a process's pipes until it has ended, and sees to it that nothing of it stays."""

    def __init__(self, process: subprocess.Popen[bytes], file: IO[bytes] | None, log_limit: int, keep: int) -> None:
        self._process = process
        self._file = file
        self._room = log_limit
        self._keep = keep
        self._open = [pipe for pipe in (process.stdout, process.stderr) if pipe]
        self.tail = b""
        self.kept = bytearray()
        self.kept_cut = False

    def until_end(self, deadline: float, stop: threading.Event | None) -> str:
        """Wait for the end; `timeout` or `stopped` where it did not end by itself."""
        ended = 0.0
        while self._open or self._process.poll() is None:
            now = time.monotonic()
            if self._process.poll() is not None:
                ended = ended or now
                if now - ended > _LINGER:  # something it started holds the pipe: it does not get to keep us
                    return ""
            elif now > deadline:
                return "timeout"
            elif stop is not None and stop.is_set():
                return "stopped"
            self._read(_TICK)
        return ""

    def _read(self, wait: float) -> None:
        if not self._open:
            end_of(self._process, wait)
            return
        for pipe in select.select(self._open, [], [], wait)[0]:
            data = os.read(pipe.fileno(), 65_536)
            if not data:
                self._open.remove(pipe)
            elif self._keep and pipe is self._process.stdout:
                self.kept_cut = self.kept_cut or len(self.kept) + len(data) > self._keep
                self.kept += data[: self._keep - len(self.kept)]
            else:
                self._take(data)

    def _take(self, data: bytes) -> None:
        self.tail = (self.tail + data)[-4 * TAIL :]
        if self._file and self._room > 0:
            kept, self._room = data[: self._room], self._room - len(data)
            try:
                _write(self._file, kept if self._room > 0 else kept + b"\n[... log cut here ...]\n")
            except OSError:  # the disk is full: keep draining, or the tool would hang on its own output
                self._room = 0

    def close(self, marker: str) -> None:
        """Kill what is left of it (only then is /proc searched), reap it, close its pipes."""
        if self._open or self._process.poll() is None:
            kill_all(self._process.pid, marker)
            self._process.kill()
        if end_of(self._process, REAP) is None:
            self.tail += b"\n[it was killed, and the system has not let go of it: is a network disk away?]"
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()


def _write(file: IO[bytes], data: bytes) -> None:
    """All of it, to a file without a buffer. Raises OSError."""
    while data:
        data = data[file.write(data) :]


def end_of(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Wait at most so many seconds for its end: its exit code (negative: the signal), None where it goes on."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(max(0.0, seconds))
    return None


class Child:
    """A child that lives long: a server, a worker, a supervisor."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    @property
    def stdin(self) -> IO[bytes] | None:
        """The writing end of its standard input, where it was asked for."""
        return self._process.stdin

    def poll(self) -> int | None:
        """Its exit code (negative: the signal), or None while it lives."""
        return self._process.poll()

    def wait(self, timeout: float) -> int | None:
        """Wait at most `timeout` seconds for its end."""
        return end_of(self._process, timeout)

    def doze(self, seconds: float) -> None:
        """Sleep, and wake the moment that it ends, where the kernel can tell; else by the clock alone."""
        try:
            fd = os.pidfd_open(self.pid)
        except (AttributeError, OSError):
            time.sleep(seconds)
            return
        try:
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            poll.poll(1000 * seconds)
        finally:
            os.close(fd)

    def terminate(self, grace: float) -> None:
        """End it and everything below it: SIGTERM to it, after `grace` seconds SIGKILL to the whole tree."""
        below = {(process.pid, process.started) for _, process in descendants(self.pid)}
        if self.poll() is None:
            self._process.terminate()
        if self.wait(grace) is None:
            kill_all(self.pid, "")
            self._process.kill()
            self.wait(REAP)
        for process in processes().values():
            if (process.pid, process.started) in below:
                send(process.pid, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Close our end of its standard input."""
        if self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()

    def detach(self) -> None:
        """Let it live on without us: it is not waited for, and not complained about when we end."""
        self.close()
        self._process.returncode = 0  # what Popen's destructor looks at before it warns


def spawn(
    argv: Sequence[str],
    *,
    cwd: Path | str,
    env: Mapping[str, str],
    log: Path | None = None,
    pipe: bool = False,
    pass_fds: Sequence[int] = (),
) -> Child:
    """Start a child in a session of its own; its output is appended to `log`, or thrown away.

    With `pipe`, `Child.stdin` is a pipe to it. Raises OSError where it cannot be started.
    """
    with log.open("ab") if log else Path(os.devnull).open("ab") as output:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(pass_fds),
            bufsize=0,
        )
    return Child(process)


def kill_marked(marker: str, patience: float = 5.0) -> int:
    """Kill every process that carries a mark (`NAME=value`); how many are left. For repairs after a crash."""
    return kill_all(None, marker, patience)


def become(argv: Sequence[str], *, env: Mapping[str, str]) -> NoReturn:
    """Replace this process by a program, in another environment; descriptors that may be inherited stay open."""
    os.execve(argv[0], list(argv), dict(env))  # noqa: S606 - no shell is what is wanted
