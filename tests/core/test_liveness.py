"""Signs of life and the stall protocol. Times are seconds on one clock; 15 minutes of silence are a stall."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.liveness import BUSY, Limits, Signals, assess, next_step

LIMITS = Limits(start=120, stall=900, nudge_wait=60)


def signals(now: float = 10_000, **kw: Any) -> Signals:
    return Signals(**({"now": now, "started_at": 1_000} | kw))


@pytest.mark.parametrize(
    ("kw", "state"),
    [
        ({"now": 1_100}, "thinking"),
        ({"now": 1_120}, "never-started"),
        ({"now": 1_500, "cpu_recent": 0.5}, "working"),
        ({"last_event": 9_900}, "thinking"),
        ({"last_event": 9_900, "children": 3}, "running-a-tool"),
        ({"last_event": 9_000, "last_file_change": 9_990}, "working"),
        ({"last_log_growth": 9_990}, "working"),
        ({"last_event": 9_100}, "stalled"),
        ({"last_event": 9_101}, "thinking"),
        ({"last_event": 2_000, "children": 4}, "stalled"),
        ({"last_event": 9_950, "waiting_since": 9_950}, "waiting-for-input"),
        ({"waiting_since": 9_950}, "waiting-for-input"),
        ({"last_event": 9_960, "waiting_since": 9_950}, "thinking"),
    ],
)
def test_how_it_is_doing(kw: dict[str, Any], state: str) -> None:
    assert assess(signals(**kw), LIMITS) == state


def test_a_long_test_that_computes_is_no_stall() -> None:
    busy = signals(last_event=2_000, cpu_recent=0.98, children=2)
    assert assess(busy, LIMITS) == "running-a-tool"
    assert next_step(busy, LIMITS).action == "none"


def test_a_pause_after_hours_of_computing_is_no_stall() -> None:
    assert next_step(signals(last_event=2_000, last_busy=9_900), LIMITS).action == "none"


def test_one_that_only_touches_a_file_is_stalled() -> None:
    # Touching changes no content and burns next to no CPU, so nothing of it is among the signals.
    touching = signals(last_event=2_000, cpu_recent=BUSY / 10, children=2)
    assert assess(touching, LIMITS) == "stalled"


def test_never_started_is_stopped_at_once() -> None:
    step = next_step(signals(now=1_120), LIMITS)
    assert (step.state, step.action) == ("never-started", "stop")
    assert "120 s" in step.reason


def test_the_ladder_asks_waits_and_stops() -> None:
    silent = {"last_event": 9_000}
    assert next_step(signals(**silent), LIMITS).action == "nudge"
    assert next_step(signals(now=10_059, nudged_at=10_000, **silent), LIMITS).action == "none"
    end = next_step(signals(now=10_060, nudged_at=10_000, **silent), LIMITS)
    assert (end.state, end.action) == ("stalled", "stop")
    assert "also after being asked" in end.reason


def test_an_answer_puts_it_back_to_work_and_a_later_silence_is_asked_about_again() -> None:
    answered = {"last_event": 10_030, "nudged_at": 10_000}
    assert next_step(signals(now=10_100, **answered), LIMITS).action == "none"
    assert next_step(signals(now=11_000, **answered), LIMITS).action == "nudge"


def test_one_that_cannot_be_told_anything_is_stopped() -> None:
    step = next_step(signals(last_event=9_000, can_message=False), LIMITS)
    assert (step.state, step.action) == ("stalled", "stop")
    assert "asked" not in step.reason


def test_nobody_answers_a_question_so_it_is_asked_to_go_on_without() -> None:
    waiting = {"last_event": 9_950, "waiting_since": 9_950}
    assert next_step(signals(**waiting), LIMITS).action == "nudge"
    assert next_step(signals(now=10_030, nudged_at=10_000, **waiting), LIMITS).action == "none"
    end = next_step(signals(now=10_070, nudged_at=10_000, **waiting), LIMITS)
    assert (end.state, end.action) == ("stalled", "stop")
    assert "input" in end.reason


TIMES = st.floats(0, 20_000)
ANY = st.builds(
    Signals,
    now=st.floats(1_000, 20_000),
    started_at=st.floats(0, 1_000),
    last_event=TIMES,
    last_file_change=TIMES,
    last_log_growth=TIMES,
    last_busy=TIMES,
    cpu_recent=st.floats(0, 4),
    children=st.integers(0, 9),
    waiting_since=TIMES,
    nudged_at=TIMES,
    can_message=st.booleans(),
)


@given(ANY)
def test_who_computes_is_never_disturbed(seen: Signals) -> None:
    if seen.cpu_recent >= BUSY:
        assert next_step(seen, LIMITS).action == "none"


@given(ANY)
def test_who_was_just_seen_and_asks_nothing_is_never_stopped(seen: Signals) -> None:
    fresh = seen.model_copy(update={"last_event": seen.now, "waiting_since": 0.0})
    assert next_step(fresh, LIMITS).action == "none"


@given(ANY)
def test_a_stop_says_why_and_is_a_stall_or_no_start(seen: Signals) -> None:
    step = next_step(seen, LIMITS)
    if step.action == "stop":
        assert step.reason
        assert step.state in {"stalled", "never-started"}


@given(ANY)
def test_silence_for_ever_ends_in_a_stop(seen: Signals) -> None:
    latest = max(seen.last_sign, seen.waiting_since, seen.nudged_at, seen.now) + LIMITS.stall + LIMITS.nudge_wait
    quiet = seen.model_copy(update={"now": latest, "cpu_recent": 0.0})
    step = next_step(quiet, LIMITS)
    if step.action == "nudge":
        later = {"now": latest + LIMITS.nudge_wait, "nudged_at": latest}
        step = next_step(quiet.model_copy(update=later), LIMITS)
    assert step.action == "stop"
