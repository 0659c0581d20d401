"""Threads that are started only where they are still needed a moment later."""

from __future__ import annotations

import threading

import pytest

from ops_orchestrate.engine import late
from ops_orchestrate.engine.late import Starter, beside

LONG = 60.0


def test_what_is_called_off_before_its_time_never_runs() -> None:
    starter, ran = Starter(), threading.Event()
    thread = threading.Thread(target=ran.set)
    starter.begin(thread, LONG)
    assert (starter.call_off(thread), starter.call_off(thread)) == (True, False)
    assert (thread.ident, ran.is_set()) == (None, False)


def test_the_earlier_one_goes_first_however_late_it_comes() -> None:
    starter, soon = Starter(), threading.Event()
    later, earlier = threading.Thread(target=lambda: None), threading.Thread(target=soon.set)
    starter.begin(later, LONG)
    starter.begin(earlier, 0.01)
    assert soon.wait(LONG)
    assert (starter.call_off(earlier), starter.call_off(later)) == (False, True)


def test_one_that_the_system_refuses_is_started_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops_orchestrate.engine.late._AGAIN", 0.01)

    class Refused(threading.Thread):
        tries = 0

        def start(self) -> None:
            self.tries += 1
            if self.tries == 1:
                raise RuntimeError("can't start new thread")
            super().start()

    starter, ran = Starter(), threading.Event()
    starter.begin(Refused(target=ran.set), 0.0)
    assert ran.wait(LONG)


def test_work_beside_a_block_begins_when_that_lasts_and_ends_with_it() -> None:
    begun, ended, over = threading.Event(), threading.Event(), threading.Event()

    def work(word: str) -> None:
        begun.set()
        assert ended.wait(LONG)
        over.set()

    with beside(work, "word", name="work", after=0.01, ended=ended):
        assert begun.wait(LONG)
    assert over.is_set()


def test_no_thread_is_started_beside_a_block_that_is_over_at_once() -> None:
    ended = threading.Event()
    with beside(pytest.fail, "it ran", name="never", after=LONG, ended=ended):
        pass
    assert ended.is_set()
    assert "never" not in {thread.name for thread in threading.enumerate()}


def test_work_whose_block_could_not_begin_is_not_begun_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    starter, began, ended, later = Starter(), threading.Event(), threading.Event(), threading.Event()
    monkeypatch.setattr(late, "_STARTER", starter)
    with monkeypatch.context() as full, pytest.raises(RuntimeError):
        full.setattr(threading.Thread, "start", refused)
        with beside(began.set, name="orphan", after=0.0, ended=ended):
            pytest.fail("the block began")
    assert ended.is_set()
    starter.begin(threading.Thread(target=later.set), 0.0)
    assert later.wait(LONG)
    assert not began.is_set()
