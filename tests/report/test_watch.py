"""The screen of `watch`: who works at what, what comes next, what is needed; at any size."""

from __future__ import annotations

import re
import shlex

import pytest

from ops_orchestrate.report.cells import width_of
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.view import RunView
from ops_orchestrate.report.watch import watch_screen
from tests.report.snapshot import check_snapshot
from tests.report.stories import STORIES, busy, ordinary, troubled
from tests.report.story import Story


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


@pytest.mark.parametrize("width", [24, 30, 40, 45, 49, 60, 80])
@pytest.mark.parametrize("run", ["night-1", "night-2026-11-27"])
def test_at_any_width_the_command_can_be_copied_whole(run: str, width: int) -> None:
    view = fold(troubled().events).model_copy(update={"run": run})
    text = shown(view, width)
    for task in ("login", "key"):
        word = "yes" if task == "login" else "done"
        assert ["ops-orchestrate", "answer", run, task, word] in commands(text)


def test_a_run_that_was_stopped_is_shown_with_what_goes_on_with_it() -> None:
    story = Story().begin().plan({"id": "a"}).finish("stopped", "stopped on request")
    assert ["ops-orchestrate", "resume", "r1"] in commands(shown(fold(story.events), 45))
    assert "To go on" not in shown(fold(ordinary().events))


def commands(text: str) -> list[list[str]]:
    """The words of every command on a screen, as a shell reads what is copied of it."""
    joined = text.replace("\\\n", "")  # which Python's own shlex keeps
    return [shlex.split(one.partition("  (")[0]) for one in re.findall(r"\$ (.*)", joined)]


def test_a_run_that_nobody_works_on_says_so_and_how_to_go_on() -> None:
    view = fold(busy().events)
    assert "nothing moves until one is.\n  $ ops-orchestrate resume r1\n" in shown(view, nobody=True)
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
