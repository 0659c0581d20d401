"""The screen of `watch`: who works at what, what comes next, what is needed; at any size."""

from __future__ import annotations

import pytest

from ops_orchestrate.report.cells import width_of
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.view import RunView
from ops_orchestrate.report.watch import watch_screen
from tests.report.snapshot import check_snapshot
from tests.report.stories import STORIES, busy, troubled


def shown(view: RunView, width: int = 100, height: int = 40, nobody: bool = False) -> str:
    now = (view.last_at or 0.0) + 3
    return watch_screen(view, now=now, cap=5, width=width, height=height, nobody=nobody)


@pytest.mark.parametrize("name", STORIES)
def test_screens(name: str) -> None:
    check_snapshot(f"watch-{name}", shown(fold(STORIES[name]().events), 90, 30))


def test_each_slot_says_who_has_it_for_how_long_and_what_it_does() -> None:
    lines = shown(fold(busy().events)).splitlines()
    assert " 1  task-1 20 s: reading the code" in lines
    assert " 5  ·" in lines
    assert " Next: task-6, task-7" in lines


def test_what_waits_is_shown_with_the_command_that_moves_it_on() -> None:
    assert "You:  $ ops-orchestrate answer night-1 login yes  (" in shown(fold(troubled().events))


def test_where_a_command_has_no_room_the_task_is_named() -> None:
    narrow = shown(fold(troubled().events), width=40)
    assert "You:  login: " in narrow and "$ ops-orchestrate answer" not in narrow


def test_a_run_that_nobody_works_on_says_so_and_how_to_go_on() -> None:
    view = fold(busy().events)
    assert "nothing moves until one is. $ ops-orchestrate resume r1" in shown(view, nobody=True)
    assert "No worker" not in shown(view)
    assert "No worker" not in shown(fold(troubled().events), nobody=True), "it is over"


@pytest.mark.parametrize("width", [20, 37, 60, 80, 200])
@pytest.mark.parametrize("name", STORIES)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    for line in shown(fold(STORIES[name]().events), width).splitlines():
        assert width_of(line) <= width


@pytest.mark.parametrize("height", [30, 40, 200])
def test_it_fits_into_the_terminal_and_says_what_it_leaves_out(height: int) -> None:
    view = fold(busy().events)
    screen = shown(view, height=height)
    assert len(screen.splitlines()) <= height
    rows = sum(f" task-{n} " in screen or f"task-{n}  Job" in screen for n in range(8))
    assert rows == 8 or "more" in screen
