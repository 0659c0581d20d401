"""The keeper of an embedded stack: starts the server, then the workers, and ends when nobody uses them.

    python -m ops_orchestrate.adapters.keeper STATE

Started by stack.py, which describes the protocol of the locks. One keeper per state directory: it inherits
the lock that says so. It polls for its users' lock; the moment it gets it alone, it stops the workers, then
the server, and only then lets a new user in. SIGTERM and SIGINT make it stop the same way whoever uses the
stack.

It refuses to start without STATE/run/spec.json, and to start workers while those of a killed keeper still
run.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from ops_orchestrate.adapters.forked import Nursery
from ops_orchestrate.adapters.process_id import ProcessId
from ops_orchestrate.adapters.proctree import KEPT_SERVER, STACK, marked
from ops_orchestrate.adapters.server import describe, urls
from ops_orchestrate.adapters.server_process import ServerProcess
from ops_orchestrate.adapters.stack_environment import nursery_environment, own_urls, worker_environment
from ops_orchestrate.adapters.stack_files import (
    Phase,
    StackSpec,
    Status,
    Workers,
    WorkerSpec,
    read_spec,
    read_workers,
    write_status,
    write_workers,
)
from ops_orchestrate.adapters.stack_lock import HANDED_LOCK, StackLock
from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.adapters.worker_process import Pauses, WorkerProcess
from ops_orchestrate.config import Urls
from ops_orchestrate.errors import OpsError
from ops_orchestrate.ledger import connect

POLL = 0.25
"""Seconds between two looks at the users' lock and at the children."""
WORKERS_GRACE = 3
"""Times the grace: interrupt, TERM and KILL of an agent each have one."""
_LOG = logging.getLogger("keeper")


class Keeper:
    """The server, the workers, and the two locks that decide how long they live."""

    def __init__(self, state: StateDir, spec: StackSpec, users: StackLock) -> None:
        self._state = state
        self._spec = spec
        self._users = users
        self._stop_asked = False
        self._lifeline, self._lifeline_end = os.pipe()
        self._server: ServerProcess | None = None
        self._server_born = 0.0
        self._server_pauses = Pauses()
        self._nursery: Nursery | None = None
        self._workers: list[WorkerProcess] = []
        self._leftover = list(read_workers(state).running)
        self._leftover_until = 0.0
        self._failing: list[str] = []

    def ask_to_stop(self) -> None:
        """End soon, whoever uses the stack."""
        self._stop_asked = True

    def run(self) -> bool:
        """Keep the stack until its last user has left. Raises OpsError if it cannot be started."""
        self._say("starting")
        problem = ""
        try:
            self._start()
            while not self._stop_asked and not self._users.exclusive():
                self._tick(time.monotonic())
                self._doze()
        except OpsError as error:
            problem = str(error)
            _LOG.error("%s", problem)
        finally:
            self._stop(problem)
        return not problem

    def _doze(self) -> None:
        if self._nursery:
            self._nursery.wait(POLL)
        else:
            time.sleep(POLL)

    def _start(self) -> None:
        # Asked before anything starts: a server is the one thing of an earlier stack that may be adopted.
        fresh = not marked(f"{STACK}={self._state.root}")
        self._open_nursery()
        if self._spec.elsewhere:
            self._use(own_urls())
        else:
            self._start_server(quiet=0 if fresh else self._spec.lease)
        for worker in self._leftover:
            worker.signal(signal.SIGTERM)
        self._leftover_until = time.monotonic() + self._patience
        self._say("ready")

    def _open_nursery(self) -> None:
        """It imports while the server starts. Without one, workers are programs of their own."""
        argv = next((spec.nursery for spec in self._spec.workers if spec.nursery), None)
        if argv is None:
            return
        env = nursery_environment(self._spec, os.environ, self._state)
        try:
            self._nursery = Nursery(argv, cwd=self._state.root, env=env, log=self._state.log("nursery"))
        except OSError as error:
            _LOG.warning("there is no nursery, so workers take longer to start: %s", error)

    def _use(self, addresses: Urls) -> None:
        if not self._workers:
            self._workers = [self._worker(spec, addresses) for spec in self._spec.workers]

    def _start_server(self, *, quiet: float) -> None:
        self._server_born = time.monotonic()
        self._server = ServerProcess.start_or_adopt(self._state)
        quiet = self._spec.lease if self._server.adopted else quiet
        addresses = urls(self._server.info)
        with contextlib.closing(connect(addresses.ledger)) as ledger:
            ledger.open(quiet=quiet, restarted=0)
        self._use(addresses)
        how = "adopted" if self._server.adopted else "started"
        _LOG.info("%s %s; a new ledger admits nothing for %g s", how, describe(self._server.info), quiet)

    def _worker(self, spec: WorkerSpec, addresses: Urls) -> WorkerProcess:
        kept = {} if self._spec.elsewhere else {KEPT_SERVER: "1"}
        return WorkerProcess(
            spec,
            cwd=self._state.root,
            env=worker_environment(spec, os.environ, addresses, self._state, self._lifeline) | kept,
            log=self._state.log(spec.name),
            lifeline=self._lifeline,
            nursery=self._nursery if spec.nursery else None,
        )

    def _tick(self, now: float) -> None:
        if not self._spec.elsewhere and (self._server is None or not self._server.running()):
            self._revive_server(now)
        elif not self._leftovers(now):
            changes = [worker.tick(now) for worker in self._workers]
            if any(changes):
                self._note_workers()
            self._tell_who_fails()

    def _tell_who_fails(self) -> None:
        """Say who dies again and again: what a start does not mend, somebody else has to."""
        failing = [worker.spec.name for worker in self._workers if worker.fails]
        if failing == self._failing:
            return
        self._failing = failing
        logs = (
            f"{name} ends again and again: {self._state.tail(name, lines=1)} (more in {self._state.log(name)})."
            for name in failing
        )
        self._say("ready", " ".join(logs))

    def _revive_server(self, now: float) -> None:
        """Start it again on its own data. The workers live on and reconnect."""
        if self._server is not None:
            self._server = None
            pause = self._server_pauses.after_death(self._server_born, now)
            _LOG.error("the server ended; again in %.1f s: %s", pause, self._state.tail("server", lines=1))
        if now < self._server_pauses.due:
            return
        try:
            self._start_server(quiet=self._spec.lease)
            self._failing = []  # who still fails is said anew
            self._say("ready")
        except OpsError as error:
            _LOG.error("%s", error)
            self._server_pauses.after_death(now, now)
            self._say("ready", str(error))

    def _leftovers(self, now: float) -> bool:
        """Whether workers of a killed keeper still end their work; those that take too long are killed."""
        left = [worker for worker in self._leftover if worker.alive()]
        if left and now > self._leftover_until:
            for worker in left:
                worker.signal_group(signal.SIGKILL)
        self._leftover = left
        return bool(left)

    def _note_workers(self) -> None:
        running = tuple(worker.process for worker in self._workers if worker.process)
        with contextlib.suppress(OpsError):  # on a full disk they still have their lifeline
            write_workers(self._state, Workers(running=running))

    @property
    def _patience(self) -> float:
        return WORKERS_GRACE * self._spec.grace

    def _stop(self, problem: str) -> None:
        if not problem:
            self._say("stopping")
        self._stop_workers()
        if self._server is not None:
            self._server.stop()
        self._state.remove_socket_folder()
        if problem:
            self._say("failed", problem)
        _LOG.info("everything has ended")

    def _stop_workers(self) -> None:
        for worker in self._workers:
            worker.ask_to_end()
        deadline = time.monotonic() + self._patience
        left = self._workers
        while left and time.monotonic() < deadline:
            left = [worker for worker in left if not worker.ended()]
            time.sleep(0.05 if left else 0)
        for worker in left:
            _LOG.warning("worker %s did not end in %g s and is killed", worker.spec.name, self._patience)
            worker.kill()
        for leftover in self._leftover:
            if leftover.alive():
                leftover.signal_group(signal.SIGKILL)
        if self._nursery:
            self._nursery.end()

    def _say(self, phase: Phase, problem: str = "") -> None:
        keeper = ProcessId.of(os.getpid())
        if keeper is None:
            return
        info = self._server.info if self._server else None
        with contextlib.suppress(OpsError):  # on a full disk the log and the exit code have to do
            write_status(self._state, Status(phase=phase, keeper=keeper, server=info, problem=problem))


def _keeper_lock(state: StateDir) -> StackLock | None:
    handed = os.environ.pop(HANDED_LOCK, "")
    if handed.isdecimal():
        return StackLock.inherited(int(handed))
    lock = state.lock(state.keeper_lock)  # started by hand
    return lock if lock.exclusive() else None


def main(arguments: list[str]) -> int:
    """Keep the stack of the state directory named by the first argument; the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    state = StateDir.at(Path(arguments[0]))
    lock = _keeper_lock(state)
    spec = read_spec(state)
    if lock is None or spec is None:
        _LOG.error("another keeper is here" if spec else "%s has no spec.json", state.run)
        return 1
    keeper = Keeper(state, spec, state.lock(state.users_lock))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: keeper.ask_to_stop())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    kept = keeper.run()
    if spec.throwaway:
        shutil.rmtree(state.root, ignore_errors=True)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
