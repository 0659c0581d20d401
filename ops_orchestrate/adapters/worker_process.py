"""A worker that the keeper keeps: started, started again when it dies, and stopped so that it can salvage.

SIGTERM goes to the leader alone. A pool's leader lets its children finish their last steps (agents
interrupted, their work salvaged); sent to the whole group, the signal ends a prefork child in the middle of
its job. SIGKILL goes to the group, and so does the end of a leader that died by itself: a child without a
leader reports to nobody.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Mapping
from pathlib import Path

from ops_orchestrate.adapters.forked import Forked, Nursery
from ops_orchestrate.adapters.process import Child, spawn
from ops_orchestrate.adapters.process_id import ProcessId
from ops_orchestrate.adapters.stack_files import WorkerSpec

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
"""Seconds before a dead worker is started again: the first doubles with each death, up to the longest."""
DEATHS, WELL = 3, 60.0
"""So many deaths are no bad luck any more; a worker that has lived for so many seconds is well again."""
_LOG = logging.getLogger(__name__)


class Pauses:
    """How long to wait before the next try; a thing that lived longer than the longest pause begins anew."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE
        self.due = 0.0

    def after_death(self, born: float, now: float) -> float:
        """It lived from `born` to `now`: the seconds until the next try, which is then due."""
        pause = FIRST_PAUSE if now - born > LONGEST_PAUSE else self._next
        self._next = min(2 * pause, LONGEST_PAUSE)
        self.due = now + pause
        return pause


class WorkerProcess:
    """One worker and its restarts."""

    def __init__(
        self,
        spec: WorkerSpec,
        *,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        lifeline: int,
        nursery: Nursery | None = None,
    ) -> None:
        """`nursery`: where it is forked, if that can be."""
        self.spec = spec
        self._cwd = cwd
        self._env = env
        self._log = log
        self._lifeline = lifeline
        self._nursery = nursery
        self._child: Child | Forked | None = None
        self._born = 0.0
        self._pauses = Pauses()
        self._deaths = 0
        self.process: ProcessId | None = None

    @property
    def fails(self) -> bool:
        """Whether it dies again and again, so that somebody has to look why."""
        return self._deaths >= DEATHS

    def tick(self, now: float) -> bool:
        """Start it if it is due; whether anything changed. `now` is monotonic, in seconds."""
        if self._child is not None:
            return self._bury(now)
        if now < self._pauses.due or (self._nursery and self._nursery.coming()):
            return False
        self._start(now)
        return True

    def ask_to_end(self) -> None:
        """SIGTERM to the leader."""
        if self.process is not None:
            self.process.signal(signal.SIGTERM)

    def ended(self) -> bool:
        """Whether the leader has ended; what is left of its group is then killed."""
        if self._child is None:
            return True
        if self._child.poll() is None:
            return False
        self._forget()
        return True

    def kill(self) -> None:
        """SIGKILL to all of it, and wait for the leader."""
        if self._child is not None:
            self._kill_group()
            self._child.wait(5)
            self._forget()

    def _start(self, now: float) -> None:
        self._born = now
        try:
            self._child = self._forked() or self._spawned()
        except OSError as error:
            pause = self._pauses.after_death(now, now)
            _LOG.error("worker %s cannot be started: %s; again in %.1f s", self.spec.name, error, pause)
            return
        self.process = ProcessId.of(self._child.pid)
        _LOG.info("worker %s is process %d", self.spec.name, self._child.pid)

    def _forked(self) -> Forked | None:
        if self._nursery is None:
            return None
        return self._nursery.fork(self.spec.name, self._env, self._log, self._lifeline)

    def _spawned(self) -> Child:
        return spawn(self.spec.argv, cwd=self._cwd, env=self._env, log=self._log, pass_fds=(self._lifeline,))

    def _bury(self, now: float) -> bool:
        if self._child is None:
            return False
        if now - self._born > WELL:
            self._deaths = 0
        if (code := self._child.poll()) is None:
            return False
        self._deaths += 1
        self._forget()
        pause = self._pauses.after_death(self._born, now)
        _LOG.warning("worker %s ended with %d; again in %.1f s", self.spec.name, code, pause)
        return True

    def _forget(self) -> None:
        self._kill_group()
        self._child = self.process = None

    def _kill_group(self) -> None:
        if self.process is not None:
            self.process.signal_group(signal.SIGKILL)
