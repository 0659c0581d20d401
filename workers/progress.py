"""What the jobs of this process do now, told to whoever looks on: as events to Flower, and as states to the results.

One thread tells it for all of them, so that a job never waits for a server: the newest of each job at most once in a
pause, only what has changed, and only while somebody looks on. What gets lost is missed by nobody but the onlooker.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

from celery import Task
from kombu.exceptions import OperationalError
from redis import RedisError

from ops_orchestrate.celery import app
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.progress import Phase, progress_line
from workers.consumer import is_watched

log = logging.getLogger("ops_orchestrate.progress")

#: Seconds between two rounds of telling.
PAUSE = 2.0


class Said(NamedTuple):
    """What one job said of itself: who it is, its row in Flower, and where it is."""

    job: str
    host: str
    name: str
    about: str
    """Task, title, attempt and run, as Flower shows them as the job's arguments."""
    phase: Phase
    now: str
    redact: Callable[[str], str]

    @property
    def line(self) -> str:
        """Where it is, in one line without secrets: made where somebody sees it."""
        return progress_line(self.phase, self.redact(self.now))


class Reporter:
    """Keeps the newest of each job until the next round in which somebody looks on (`watched`).

    `tell` and `forget` reach the server; both may fail.
    """

    def __init__(
        self,
        tell: Callable[[Said], None],
        forget: Callable[[str], None],
        watched: Callable[[], bool] = lambda: True,
        pause: float = PAUSE,
    ) -> None:
        self._tell, self._forget, self._watched, self._pause = tell, forget, watched, pause
        self._changed = threading.Condition()
        self._telling = threading.Lock()
        self._newest: dict[str, Said] = {}
        self._told: dict[str, Said] = {}
        self._ended: dict[str, bool] = {}
        self._thread: threading.Thread | None = None

    def say(self, said: Said) -> None:
        """To be told in the next round."""
        with self._changed:
            self._newest[said.job] = said
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
                self._thread.start()
            self._changed.notify()

    def end(self, job: str, *, forget: bool) -> None:
        """The job is over: no later word of it follows its result; `forget`: the state that was told is taken back.

        Waits for a word that is on its way at this moment, but not for a server that is away.
        """
        with self._changed:
            self._newest.pop(job, None)
            self._ended[job] = forget
            self._changed.notify()
        if self._telling.acquire(timeout=1.0):
            self._telling.release()

    def round(self) -> None:
        """Tell what is new since the last round, and take back what has ended."""
        with self._changed:
            newest = self._newest if self._watched() else {}
            self._newest = {} if newest else self._newest
        for job, said in newest.items():
            with self._telling:
                if job not in self._ended and self._told.get(job) != said:
                    self._told[job] = said
                    _try(self._tell, said)
        with self._changed:
            ended, self._ended = self._ended, {}
        for job, forget in ended.items():
            if self._told.pop(job, None) and forget:
                _try(self._forget, job)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest or self._ended)
            self.round()
            time.sleep(self._pause)


class Progress:
    """What one job calls to say what it does now; made in the job's own thread."""

    def __init__(self, task: Task, redact: Callable[[str], str], told_to: Reporter) -> None:
        request = task.request
        self._who = (request.id, request.hostname or "", task.name, one_line(request.argsrepr or ""))
        self._redact, self._told_to = redact, told_to
        self._newest: Said | None = None
        self.stays = False
        """Whether the state that the job leaves behind is to be seen after its end."""

    def __call__(self, phase: Phase, now: str) -> None:
        """Say it, in words that may be from outside."""
        self._newest = Said(*self._who, phase, now, self._redact)
        self._told_to.say(self._newest)

    @property
    def last(self) -> str:
        """The newest line."""
        return self._newest.line if self._newest else ""

    def end(self) -> None:
        """The job is over."""
        if self._newest:
            self._told_to.end(self._who[0], forget=not self.stays)


@contextmanager
def progress_of(task: Task, redact: Callable[[str], str]) -> Iterator[Progress]:
    """The progress of a job, for the length of the block."""
    progress = Progress(task, redact, reporter())
    try:
        yield progress
    finally:
        progress.end()


@lru_cache(maxsize=1)
def reporter() -> Reporter:
    """The reporter of this process."""
    return Reporter(_tell, _take_back, is_watched)


def _tell(said: Said) -> None:
    """As an event, which is what Flower draws, and as a state with its details, for `AsyncResult`."""
    details = {"phase": said.phase, "now": said.line, "about": said.about}
    app.backend.store_result(said.job, details, said.phase.upper())
    with app.events.default_dispatcher(hostname=said.host) as events:
        events.send(f"task-{said.phase}", uuid=said.job, name=said.name, args=said.about, result=said.line, retry=False)


def _take_back(job: str) -> None:
    app.backend.forget(job)


def _try(call: Callable[[Any], None], what: object) -> None:
    try:
        call(what)
    except (OperationalError, RedisError, OSError, RuntimeError) as error:
        log.info("progress is not told: %s", error)
