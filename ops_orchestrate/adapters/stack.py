"""The embedded stack as its users see it: a server and workers that live as long as somebody needs them.

The protocol, for one state directory. Every lock is released by the kernel, also after SIGKILL.

* `users.lock` is held shared by every user, `keeper.lock` alone by the keeper, `server.lock` alone by the
  server.
* A user first takes `users.lock` shared, waiting while it is held alone (the keeper is stopping). From then
  on no keeper can begin to stop, because it must get that lock alone first.
* A user then tries `keeper.lock`. Whoever gets it starts the keeper, which *inherits* the lock: it is never
  free in between, so two users at the same instant start one keeper. Everybody waits until the status names
  a living keeper that is ready; if the lock turns out to be free again, somebody starts the next keeper.
* The keeper tries every quarter of a second to get `users.lock` alone. When it does, nobody uses the stack.
  It keeps that lock while it stops the workers and then the server, and gives up both locks by ending. A
  new user waits for that and starts a new stack.
* A killed keeper leaves `keeper.lock` free and the workers' lifeline closed (lifeline.py), so they end. Its
  server may live on; it holds `server.lock` itself, so the next keeper adopts it and cannot start a second
  one.

A user's lock lives in its process. A process that forks without executing another program
(multiprocessing's `fork`) gives a copy to its child, and the stack stays until that has ended too.
"""

from __future__ import annotations

import os
import shutil
import site
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import ops_orchestrate
from ops_orchestrate.adapters.process import Child, spawn
from ops_orchestrate.adapters.server import describe, urls
from ops_orchestrate.adapters.server_copy import copy_data
from ops_orchestrate.adapters.server_process import LOAD_LIMIT, ask
from ops_orchestrate.adapters.stack_files import (
    ServerInfo,
    StackSpec,
    Status,
    WorkerSpec,
    read_spec,
    read_status,
    write_spec,
)
from ops_orchestrate.adapters.stack_lock import HANDED_LOCK, StackLock
from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.config import Settings, Urls
from ops_orchestrate.errors import OpsError

__all__ = ["Stack", "WorkerSpec", "throwaway"]

START_LIMIT = 10.0
"""Seconds until the server answers, beside the time it needs to read its own file."""
_KEEPERS = 3
"""So many keepers may be started by one user in one go, before that is an error and not bad luck."""
_PAUSE = 0.02


class Stack:
    """One user's hold on the stack of a data directory. A context manager; leaving it is `close()`."""

    def __init__(self, state: StateDir, spec: StackSpec, users: StackLock) -> None:
        """Use `open`."""
        self._state = state
        self._spec = spec
        self._users = users
        self._keeper: Child | None = None
        self._server: ServerInfo | None = None
        self._closed = False

    @classmethod
    def open(cls, settings: Settings, *, workers: Sequence[WorkerSpec], elsewhere: bool = False) -> Stack:
        """Use the data directory's stack; start it if nobody does yet, then with these workers.

        `elsewhere`: the workers use the server that the settings name, and none is started.

        Returns when the server answers; the workers may still be starting. Raises OpsError.
        """
        spec = StackSpec(workers=tuple(workers), lease=settings.lease, grace=settings.grace, elsewhere=elsewhere)
        return cls._open(settings.state_dir, spec)

    @classmethod
    def _open(cls, state_dir: Path, spec: StackSpec) -> Stack:
        state = StateDir.at(state_dir)
        state.prepare()
        stack = cls(state, spec, state.lock(state.users_lock))
        try:
            stack._join()
            stack.ensure()
        except BaseException:
            stack.close(wait=False)
            raise
        return stack

    @property
    def server(self) -> ServerInfo:
        """The server that this user found."""
        if self._server is None:
            raise OpsError("The embedded server has not been started.")
        return self._server

    @property
    def urls(self) -> Urls:
        """Broker, results and ledger."""
        return urls(self.server)

    @property
    def folder(self) -> Path:
        """The state directory: a throw-away one is gone afterwards."""
        return self._state.root

    def serves(self, workers: Sequence[WorkerSpec]) -> bool:
        """Whether the stack was started with these workers. One started only to read from has none."""
        spec = read_spec(self._state)
        if spec and spec.elsewhere != self._spec.elsewhere:
            return False
        there = {worker.name for worker in spec.workers} if spec else set()
        return there.issuperset(worker.name for worker in workers)

    @property
    def ours(self) -> bool:
        """Whether this user started the stack; else it has the settings of whoever did."""
        return self._keeper is not None

    def describe(self) -> str:
        """Which server is used, from where, and its address: one line for a person."""
        return describe(self.server)

    def alive(self) -> bool:
        """Whether the keeper is there and has not begun to stop."""
        if self._keeper is not None:
            self._keeper.poll()
        status = read_status(self._state)
        return status is not None and status.phase == "ready" and status.keeper.alive()

    def problem(self) -> str:
        """What the keeper cannot put right by itself at the moment (a full disk); empty if all is well."""
        try:
            self._state.refuse_full_disk()
        except OpsError as error:
            return str(error)  # the keeper cannot write its status then
        status = read_status(self._state)
        return status.problem if status else ""

    def ensure(self) -> None:
        """Start the keeper if there is none, and wait until the server answers. Raises OpsError."""
        began, started = time.monotonic(), 0
        while True:
            if self._start_keeper(started):
                started += 1
            status = read_status(self._state)
            if self._usable(status):
                return
            if status is not None and status.phase == "failed" and not started:
                raise OpsError(status.problem)
            waited = time.monotonic() - began
            if waited > START_LIMIT and waited > self._limit(status):
                self._state.refuse_full_disk()
                raise OpsError(
                    f"The embedded server does not answer after {START_LIMIT:g} s. "
                    f"{self._state.log('keeper')} ends with:\n{self._state.tail('keeper')}"
                )
            time.sleep(_PAUSE)

    def close(self, *, wait: bool = True) -> bool:
        """Give up the stack. If this was its last user, wait until everything has ended; whether it has.

        The wait is bounded (three times the grace and 10 s); afterwards the keeper goes on by itself.
        """
        if self._closed:
            return False
        self._closed = True
        self._users.close()
        try:
            return wait and self._wait_for_the_end()
        finally:
            if self._keeper is not None and self._keeper.poll() is None:
                self._keeper.detach()

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _stop_limit(self) -> float:
        return 3 * self._spec.grace + 10

    def _join(self) -> None:
        deadline = time.monotonic() + self._stop_limit + START_LIMIT
        while not self._users.shared():
            if time.monotonic() > deadline:
                raise OpsError(f"The earlier stack in {self._state.root} is still stopping; try again in a moment.")
            time.sleep(_PAUSE)

    def _start_keeper(self, started: int) -> bool:
        """Start a keeper if there is none; whether this user did."""
        with self._state.lock(self._state.keeper_lock) as lock:
            if not lock.exclusive():
                return False
            if started:
                self._explain_its_end(started)
            if self._keeper is not None:
                self._keeper.wait(1)
            self._state.put_logs_aside()
            write_spec(self._state, self._spec)
            self._keeper = spawn(
                [sys.executable, "-P", "-m", "ops_orchestrate.adapters.keeper", str(self._state.root)],
                cwd=self._state.root,
                env=_keeper_environment(lock.fd),
                log=self._state.log("keeper"),
                pass_fds=(lock.fd,),
            )
        return True

    def _explain_its_end(self, started: int) -> None:
        """The keeper that this user started has ended: raise its reason, or let it be tried again."""
        status = read_status(self._state)
        if status is not None and status.phase == "failed":
            raise OpsError(status.problem)
        if started >= _KEEPERS or status is None:
            self._state.refuse_full_disk()
            raise OpsError(
                f"The embedded stack cannot be started. {self._state.log('keeper')} ends with:\n"
                f"{self._state.tail('keeper')}"
            )

    def _usable(self, status: Status | None) -> bool:
        if status is None or status.phase != "ready" or not status.keeper.alive():
            return False
        if self._spec.elsewhere or status.server is None:
            return True
        self._server = status.server
        return isinstance(ask(status.server.socket), dict)

    def _limit(self, status: Status | None) -> float:
        """How long this may take: longer while an earlier keeper stops or the server reads its file."""
        if status is None or not status.keeper.alive():
            return START_LIMIT
        if status.phase == "stopping":
            return START_LIMIT + self._stop_limit
        loading = ask(str(self._state.socket())) == "loading"
        return LOAD_LIMIT if loading else START_LIMIT

    def _wait_for_the_end(self) -> bool:
        deadline = time.monotonic() + self._stop_limit
        seen_others = 0
        with self._state.lock(self._state.keeper_lock) as keeper:
            while not keeper.exclusive() and seen_others < 3 and time.monotonic() < deadline:
                # Thrice: another user that is leaving too looks for a moment like one that stays.
                seen_others = seen_others + 1 if self._others() else 0
                time.sleep(0.05)
            return keeper.exclusive()

    def _others(self) -> bool:
        """Whether somebody else uses the stack (and it is not just being stopped)."""
        try:
            with self._state.lock(self._state.users_lock) as alone:
                if alone.exclusive():
                    return False
            with self._state.lock(self._state.users_lock) as together:
                return together.shared()
        except OpsError:
            return False  # the keeper of a throw-away stack has just removed the folder


@contextmanager
def throwaway(settings: Settings, *, workers: Sequence[WorkerSpec] = (), seed: Path | None = None) -> Iterator[Stack]:
    """A stack of its own in a temporary folder, of which nothing is left afterwards. Raises OpsError.

    `seed` is the working directory of another server: this one begins with a copy of its append-only file, if there
    is one; that server may be running. The keeper removes the folder too, so it also goes when this process is killed.
    """
    folder = Path(tempfile.mkdtemp(prefix="ops-plan-"))
    spec = StackSpec(workers=tuple(workers), lease=settings.lease, grace=settings.grace, throwaway=True)
    try:
        if seed is not None:
            copy_data(seed, StateDir.at(folder).server)
        with Stack._open(folder, spec) as stack:
            yield stack
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _keeper_environment(lock: int) -> dict[str, str]:
    env = {**os.environ, HANDED_LOCK: str(lock)}
    root = str(Path(ops_orchestrate.__file__).resolve().parents[1])
    if root not in site.getsitepackages():  # run from a checkout: the keeper starts in another folder
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (root, env.get("PYTHONPATH"))))
    return env
