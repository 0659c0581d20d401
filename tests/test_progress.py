"""What jobs say of themselves while they go on: the newest, when it has changed, and nothing after their end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from celery.worker import control
from kombu import Connection
from redis import RedisError

from ops_orchestrate.core.progress import Phase, progress_line
from workers.consumer import sends_events
from workers.progress import Progress, Reporter, Said


def said(line: str, job: str = "j") -> Said:
    return Said(job, "agent@h", "agent.implement", "mend, attempt 1 of run r", Phase.WORKING, line, str)


class Listener:
    """Somebody who looks on; `slow` is waited for before anything more is heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.forgotten: list[str] = []
        self.begun, self.slow = threading.Event(), threading.Event()
        self.slow.set()
        self.looks = True
        self.reporter = Reporter(self.hear, self.forgotten.append, lambda: self.looks, pause=0.01)

    def hear(self, one: Said) -> None:
        self.begun.set()
        assert self.slow.wait(20)
        self.heard.append(one.now)
        if one.now == "the server goes away":
            raise RedisError(one.now)

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline, (self.heard, self.forgotten)
            time.sleep(0.005)


def test_of_what_was_said_meanwhile_the_newest_is_told() -> None:
    listener = Listener()
    listener.slow.clear()
    listener.reporter.say(said("first"))
    assert listener.begun.wait(20)
    for number in range(100):
        listener.reporter.say(said(str(number)))
    listener.slow.set()
    listener.until(lambda: listener.heard == ["first", "99"])


def test_what_has_not_changed_is_not_told_again() -> None:
    listener = Listener()
    for one in (said("same"), said("same"), said("other", "k")):
        listener.reporter.say(one)
        listener.until(lambda one=one: one.now in listener.heard)  # type: ignore[misc]
    assert listener.heard == ["same", "other"]


def test_who_begins_to_look_on_hears_where_each_job_is_and_nothing_of_those_that_ended() -> None:
    listener = Listener()
    listener.looks = False
    for one in (said("first"), said("ended", "k"), said("second")):
        listener.reporter.say(one)
    listener.reporter.end("k", forget=True)
    listener.reporter.round()
    assert listener.heard == []
    listener.looks = True
    listener.until(lambda: listener.heard == ["second"])
    assert listener.forgotten == []


def test_a_server_that_is_away_ends_nothing() -> None:
    listener = Listener()
    for line in ("the server goes away", "it is back"):
        listener.reporter.say(said(line))
        listener.until(lambda line=line: line in listener.heard)  # type: ignore[misc]


@pytest.mark.parametrize("forget", [True, False])
def test_after_its_end_nothing_more_is_told_of_a_job_and_its_state_is_taken_back(forget: bool) -> None:
    listener = Listener()
    listener.reporter.say(said("works"))
    listener.until(lambda: listener.heard == ["works"])
    listener.slow.clear()
    listener.reporter.say(said("begins", "k"))
    listener.reporter.say(said("too late"))
    listener.reporter.end("j", forget=forget)
    listener.slow.set()
    listener.reporter.say(said("goes on", "k"))
    listener.until(lambda: listener.heard[-1] == "goes on")
    assert "too late" not in listener.heard
    assert listener.forgotten == ["j"] * forget


def test_words_from_outside_are_redacted_where_they_are_shown_and_only_there() -> None:
    said, redacted = list[Said](), list[str]()

    def redact(text: str) -> str:
        redacted.append(text)
        return text.replace("hunter2", "…")

    task: Any = SimpleNamespace(
        request=SimpleNamespace(id="j", hostname="agent@h", argsrepr=""), name="agent.implement"
    )
    reporter: Any = SimpleNamespace(say=said.append)
    Progress(task, redact, reporter)(Phase.WORKING, "hunter2 typed")
    assert redacted == []
    assert [one.line for one in said] == ["the agent works: … typed"]


@pytest.mark.parametrize(
    ("phase", "now", "line"),
    [
        (Phase.WORKING, "src/a.py written", "the agent works: src/a.py written"),
        (Phase.GATING, "", "the gate runs"),
        (Phase.WAITING, " \n", "it waits"),
        (Phase.WORKING, "two\nlines \x1b[31m", "the agent works: two lines [31m"),
    ],
)
def test_a_phase_and_what_is_done_in_it_are_one_line(phase: Phase, now: str, line: str) -> None:
    assert progress_line(phase, now) == line


def test_every_phase_has_its_words() -> None:
    assert len({progress_line(phase) for phase in Phase}) == len(Phase)


def test_somebody_looks_on_from_when_they_ask_for_the_events_of_jobs_until_they_ask_no_more() -> None:
    """A worker that sends heartbeats alone has its dispatcher enabled all the same."""
    app = Celery("looked at", broker="memory://", set_as_current=False)
    with Connection("memory://") as connection:
        dispatcher = app.events.Dispatcher(connection, hostname="agent@h", groups=["worker"])
        worker = SimpleNamespace(consumer=SimpleNamespace(event_dispatcher=dispatcher))
        assert not sends_events(dispatcher)
        control.enable_events(worker)
        assert sends_events(dispatcher)
        control.disable_events(worker)
        assert not sends_events(dispatcher)
        assert sends_events(app.events.Dispatcher(connection, hostname="agent@h")), "started with -E"
    assert not sends_events(None)
