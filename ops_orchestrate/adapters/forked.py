"""The keeper's end of a nursery: asks it for workers, and hears when they have ended.

What a worker is told (its environment, with its pool's secrets) is in a file without a name that only the fork reads,
so that the nursery never has it in its memory. A nursery that does not get ready, or has ended, is no reason to have
no workers: they are then started as programs of their own.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ops_orchestrate.adapters.nursery import BORN, ENDED, NURSERY, READY, REFUSED
from ops_orchestrate.adapters.process import spawn
from ops_orchestrate.adapters.process_id import ProcessId

PATIENCE = 60.0
"""Seconds from its start until it must be ready: it imports everything first."""
UNKNOWN = 255
"""The exit code of a worker whose nursery did not live to tell it."""
_ANSWER = 30.0
_LONGEST = 200


class Nursery:
    """One nursery, from its start to its end."""

    def __init__(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path) -> None:
        """Start it; its output is appended to `log`. `env` must hold no secret. Raises OSError."""
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            told = {**env, NURSERY: str(theirs.fileno())}
            self._child = spawn(argv, cwd=cwd, env=told, log=log, pass_fds=(theirs.fileno(),))
        self._give_up_at = time.monotonic() + PATIENCE
        self._ready = self._gone = False
        self._ended: dict[int, int] = {}

    def coming(self) -> bool:
        """Whether it may still get ready."""
        self._hear(0)
        return not self._ready and not self._gone and time.monotonic() < self._give_up_at

    def wait(self, seconds: float) -> None:
        """Sleep for so long, or until it has something to say."""
        if self._gone:
            time.sleep(seconds)
        else:
            self._hear(seconds)

    def fork(self, name: str, env: Mapping[str, str], log: Path, lifeline: int) -> Forked | None:
        """A worker with exactly this environment; None where it is not to be had from here."""
        self._hear(0)
        if not self._ready or self._gone:
            return None
        try:
            told = os.memfd_create(name)
        except OSError:  # hardened hosts refuse it: workers are then programs of their own
            self._gone = True
            return None
        try:
            with log.open("ab") as output, os.fdopen(os.dup(told), "wb") as file:
                file.write(json.dumps(dict(env)).encode())
                file.flush()
                os.lseek(told, 0, os.SEEK_SET)
                socket.send_fds(self._channel, [name.encode()], [told, output.fileno(), lifeline])
        except OSError:
            self._gone = True
            return None
        finally:
            os.close(told)
        pid = self._answer()
        return Forked(self, pid) if pid else None

    def end(self) -> None:
        """Close the channel, at which it ends; its forks live on."""
        self._gone = True
        self._channel.close()
        if self._child.wait(1) is None:
            self._child.terminate(grace=0)

    def code_of(self, pid: int, wait: float) -> int | None:
        """How a fork has ended, if that has been told within `wait` seconds."""
        if pid not in self._ended:
            self._hear(wait)
        return self._ended.get(pid)

    def _answer(self) -> int:
        """The new fork's number; 0 where there is none. One that does not answer gets no second question."""
        deadline = time.monotonic() + _ANSWER
        while (left := deadline - time.monotonic()) > 0 and not self._gone:
            word, number = self._hear(left)
            if word == BORN:
                return number
            if word == REFUSED:
                return 0
        self._gone = True
        if self._child.poll() is None:  # it alone dies: what it would fork later, nobody would know
            os.kill(self._child.pid, signal.SIGKILL)
        return 0

    def _hear(self, wait: float) -> tuple[str, int]:
        """The last thing that it says, waiting so many seconds for the first one."""
        word, number = "", 0
        while not self._gone and word not in (BORN, REFUSED) and select.select([self._channel], [], [], wait)[0]:
            wait = 0
            try:
                word, *rest = self._channel.recv(_LONGEST).decode().split() or [""]
            except OSError:
                word, rest = "", []
            if not word:
                self._gone = True
            elif word == READY:
                self._ready = True
            elif word == BORN:
                number = int(rest[0])
            elif word == ENDED:
                self._ended[int(rest[0])] = int(rest[1])
        return word, number


class Forked:
    """A worker that a nursery has forked. It is the nursery's child, and a group of its own."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self._identity = ProcessId.of(pid)
        self._code: int | None = None
        self.pid = pid

    def poll(self) -> int | None:
        """Its exit code (negative: the signal), or None while it lives."""
        if self._code is None and not (self._identity and self._identity.alive()):
            told = self._nursery.code_of(self.pid, wait=0.2)
            self._code = UNKNOWN if told is None else told
        return self._code

    def wait(self, timeout: float) -> int | None:
        """Wait at most `timeout` seconds for its end."""
        deadline = time.monotonic() + timeout
        while self.poll() is None and time.monotonic() < deadline:
            self._nursery.wait(0.02)
        return self._code
