"""The seed's board and final report, the plan and the live lines: whole screens, at three widths."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.forecast import Forecast
from ops_orchestrate.core.outlet import Outlet
from ops_orchestrate.report.board import board, wave_boards
from ops_orchestrate.report.cells import width_of
from ops_orchestrate.report.final import final_report
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.live import event_line
from ops_orchestrate.report.plan import plan_text
from ops_orchestrate.report.view import RunView
from tests.laws import examples
from tests.report.snapshot import check_snapshot
from tests.report.stories import STORIES, busy, hostile, ordinary, troubled
from tests.report.story import Story
from tests.report.test_fold import random_events

FORECAST = Forecast(
    agents=5,
    attempts=9,
    waiting=1,
    seconds_lower_bound=1200,
    seconds_expected=1500,
    agent_seconds=5400,
    cost_usd=4.5,
    cost="$4.50 (9 × $0.50, the average of earlier attempts)",
    tokens=90_000,
    basis="Lengths of earlier attempts.",
)
PLANNING = {"run.begun", "audit.part", "run.planned", "task.planned"}


def planned(story: Story) -> RunView:
    return fold(event for event in story.events if event.kind in PLANNING)


def live(story: Story) -> str:
    """What the following command prints, with the moments at which a board is due."""
    lines, view = [], RunView()
    for event in story.events:
        before, view = view, fold([event], view)
        line = event_line(event, view)
        lines += [line] if line else []
        lines += [f"[board of wave {wave}]" for wave in wave_boards(before, view)]
    return "\n".join(lines)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", STORIES)
def test_screens(name: str, width: int) -> None:
    story = STORIES[name]()
    view = fold(story.events)
    parts = (board(view, width), final_report(view, width), plan_text(planned(story), width, FORECAST))
    check_snapshot(f"{name}-{width}", "\n\n".join(parts))


@pytest.mark.parametrize("name", STORIES)
def test_live_lines(name: str) -> None:
    check_snapshot(f"{name}-live", live(STORIES[name]()))


@pytest.mark.parametrize(
    ("why", "line"),
    [
        ("the lease ended", "↻ t: verify was lost with its worker and is repeated"),
        ("nobody claimed it", "… t: verify waits for a free worker; it was published once more"),
    ],
)
def test_a_stage_in_a_long_queue_is_not_called_lost(why: str, line: str) -> None:
    event = Event(seq=1, at=1.0, kind=EventKind.STAGE_LOST, run="r1", task="t", data={"stage": "verify", "why": why})
    assert event_line(event, fold([event])) == line


def test_a_screen_in_ascii() -> None:
    view = fold(troubled().events)
    check_snapshot("troubled-ascii", board(view, 80, encoding="ascii"))
    screens = (board, final_report, plan_text)
    assert all(screen(view, 80, encoding="ascii").isascii() for screen in screens)


def test_the_board_has_the_lines_of_the_seed() -> None:
    lines = board(fold(ordinary().events), 80).splitlines()
    assert lines[0] == lines[2] == lines[-1] and set(lines[0]) == {"━"} and len(lines[0]) >= 53
    assert lines[1] == " OPS ► ORCHESTRATE — Wave 1 | Mode: hybrid"
    assert lines[4].split() == ["TASK", "OWNER", "STATUS", "PR", "CI", "DEPLOY"]
    assert set(lines[5].strip()) == {"─"}
    assert lines[-2] == " Completed: 3/3 | In-flight: 0 | Queued: 0 | Blocked: 0"


def test_the_final_report_has_the_lines_of_the_seed() -> None:
    lines = final_report(fold(ordinary().events), 80).splitlines()
    assert lines[1] == " OPS ► ORCHESTRATION COMPLETE"
    assert [line.split()[0] for line in lines[3:7]] == ["Mode:", "Completed:", "Blocked:", "Follow-ups:"]
    assert lines[4].endswith("3 tasks, 3 changes shipped, 2 promoted to main"), "there is no pull request among them"


def test_pull_requests_are_counted_as_such_where_all_of_them_are() -> None:
    view = fold(ordinary().events)
    one, *others = view.tasks.values()
    asked = {task.id: task.model_copy(update={"change": f"#{n}"}) for n, task in enumerate(view.tasks.values(), 1)}
    assert "3 tasks, 3 PRs shipped" in final_report(view.model_copy(update={"tasks": asked}), 80)
    mixed = asked | {one.id: one}
    assert "3 tasks, 3 changes shipped" in final_report(view.model_copy(update={"tasks": mixed}), 80)
    alone = {one.id: asked[one.id]} | {task.id: task.model_copy(update={"merge": ""}) for task in others}
    assert "1 PR shipped" in final_report(view.model_copy(update={"tasks": alone}), 80)
    unmerged = {name: task.model_copy(update={"merge": ""}) for name, task in view.tasks.items()}
    assert "3 tasks, nothing shipped" in final_report(view.model_copy(update={"tasks": unmerged}), 80)


def test_every_blocked_task_has_its_reason_and_its_command() -> None:
    text = final_report(fold(troubled().events), 100)
    assert "login — src/auth/** is about auth: a person has to review it" in text
    assert "$ ops-orchestrate answer night-1 login yes" in text
    assert "$ git -C ~/web switch -" in text
    assert "$ ops-orchestrate answer night-1 key done" in text
    assert "$ ops-orchestrate retry night-1 hopeless" in text
    assert "after-all — blocked by login, hopeless" in text


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ("done", "ORCHESTRATION COMPLETE"),
        ("halted", "ORCHESTRATION COMPLETE"),
        ("stopped", "ORCHESTRATION STOPPED"),
        ("failed", "ORCHESTRATION FAILED"),
    ],
)
def test_the_title_does_not_call_an_unfinished_run_complete(state: str, title: str) -> None:
    story = Story().begin().plan({"id": "t"}).finish(state, "because")
    assert final_report(fold(story.events)).splitlines()[1] == f" OPS ► {title}"


def test_a_stopped_run_names_the_command_that_goes_on() -> None:
    story = Story().begin().plan({"id": "t"}).finish("stopped", "stopped by owner")
    assert "$ ops-orchestrate resume r1" in final_report(fold(story.events))
    assert "resume" not in final_report(fold(ordinary().events)), "nothing is left to be resumed"


def test_a_plan_that_found_nothing_says_so_and_what_it_could_not_see() -> None:
    text = plan_text(fold(STORIES["nothing"]().events), 100)
    assert "Nothing to do: the audit of 3 projects found no work." in text
    assert "linear — HTTP 503" in text


def test_what_another_run_has_is_skipped_and_not_called_no_work() -> None:
    story = Story().begin(projects=["api"]).plan(skipped=[{"name": "note", "reason": "owned by run r2"}])
    view = fold(story.finish("done", "every task has ended").events)
    for text in (plan_text(view, 100), final_report(view)):
        assert "the audit of 1 project found nothing beside the 1 skipped" in " ".join(text.split())
        assert "found no work" not in text


@pytest.mark.parametrize(
    ("flags", "gate", "words"),
    [
        ({}, "make test", ["api: 1 change into dev", "each waits for your yes", "then promoted to main"]),
        ({"force": True}, "make test", ["api: 1 change into dev", "then promoted to main"]),
        ({"no_main": True}, "make test", ["nothing is promoted to main (--no-main)"]),
        ({}, "", ["made, but not merged"]),
        ({"max_waves": 0}, "make test", ["beyond --max-waves 0"]),
    ],
)
def test_the_plan_says_what_would_be_merged(flags: dict[str, object], gate: str, words: list[str]) -> None:
    text = plan_text(fold(Story().begin(**flags).plan({"id": "t", "gate": gate}).events), 100)
    assert [word for word in words if word not in text] == []
    assert ("your yes" in text) == ("force" not in flags and flags.get("max_waves") != 0)


def test_the_plan_says_that_main_is_left_alone_where_it_is_the_integration_branch() -> None:
    view = fold(Story().begin(no_main=True, force=True).plan({"id": "t", "gate": "make test", "base": "main"}).events)
    way = Outlet(repo="api", name="api", integration="main", spared=True)
    text = " ".join(plan_text(view, 100, outlets=[way]).split())
    assert "1 change into main, each after your own yes: --no-main leaves main alone" in text


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ({"slug": "acme/api", "main": "main"}, "api: 1 pull request into dev of acme/api, then one to main"),
        ({"slug": "acme/api"}, "api: 1 pull request into dev of acme/api each waits"),
        (
            {"slug": "acme/api", "main": "main", "refused": "acme/api is archived or disabled on GitHub"},
            "api: 1 change into dev — made, but not merged: acme/api is archived or disabled on GitHub",
        ),
        ({"main": "main"}, "api: 1 change into dev, which is then promoted to main"),
    ],
)
def test_the_plan_says_which_way_changes_would_go(way: dict[str, str], says: str) -> None:
    view = fold(Story().begin().plan({"id": "t", "gate": "make test"}).events)
    text = plan_text(view, 160, outlets=[Outlet(repo="api", name="api", integration="dev", **way)])
    assert says in " ".join(text.split())


@pytest.mark.parametrize("width", [20, 33, 40, 52, 64, 80, 200])
@pytest.mark.parametrize("name", STORIES)
def test_no_line_is_wider_than_the_terminal_except_a_command(name: str, width: int) -> None:
    story = STORIES[name]()
    view = fold(story.events)
    text = "\n".join((board(view, width), final_report(view, width), plan_text(planned(story), width)))
    wide = [line for line in text.splitlines() if width_of(line) > width and not line.lstrip().startswith("$ ")]
    assert wide == []


@pytest.mark.parametrize("screen", [board, final_report, plan_text])
def test_hostile_words_cannot_leave_their_line(screen: object) -> None:
    text = screen(fold(hostile().events), 80)  # type: ignore[operator]  # each takes a view and a width
    bad = [c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    assert bad == []
    assert not re.search(r"^ ?and a fake", text, re.M)


def test_a_long_board_shows_what_moves_and_counts_the_rest() -> None:
    tasks = [{"id": f"t{i}", "repo": f"r{i}"} for i in range(300)]
    story = Story().begin().plan(*tasks).start("t250").settle("t299", "blocked", "why", "retry")
    text = board(fold(story.events), 80, rows=10)
    assert "t250" in text and "t299" in text and "… and 290 tasks more" in text


def test_waves_are_shown_once_while_others_run() -> None:
    lines = live(ordinary()).splitlines()
    assert [line for line in lines if line.startswith("[board")] == ["[board of wave 0]", "[board of wave 1]"]
    assert lines.index("[board of wave 0]") < lines.index("▸ web-types started on host-1 (attempt 1, slot 0)")


def test_a_wave_of_which_the_rest_is_held_up_is_shown() -> None:
    story = Story().begin().plan({"id": "a"}, {"id": "b"}, {"id": "c", "wave": 1, "blocked_by": ["a"]})
    before = fold(story.settle("b", "cancelled").events)
    after = fold(story.settle("a", "blocked", "why", "retry").events)
    assert wave_boards(before, after) == [0], "wave 1 holds nothing that has settled"
    assert wave_boards(after, after) == []


def test_the_live_line_of_a_start_names_host_attempt_and_slot() -> None:
    story = busy()
    assert "▸ task-2 started on host-3 (attempt 1, slot 2)" in live(story)


def test_the_board_is_drawn_for_a_run_that_has_not_begun() -> None:
    assert "Auditing 0 projects" in board(RunView())
    assert "NOT BEGUN" in final_report(RunView())


@settings(max_examples=examples(20))
@given(random_events())
def test_every_picture_can_be_drawn(events: list[Event]) -> None:
    view = fold(events)
    for text in (board(view, 60), final_report(view, 60), plan_text(view, 60)):
        text.encode("utf-8")
    for event in events:
        line = event_line(event, view)
        assert line is None or "\n" not in line
