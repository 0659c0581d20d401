"""The HTML report: one page, complete in itself, and whatever stands in it stays text."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_orchestrate.core.event import Event
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.page import page
from ops_orchestrate.report.page.graph import MOST, graph
from ops_orchestrate.report.page.slots import timeline
from ops_orchestrate.report.page.story import MOST as MOST_ENTRIES
from ops_orchestrate.report.page.story import stories
from ops_orchestrate.report.times import Clock
from ops_orchestrate.report.view import TaskView
from tests.laws import examples
from tests.report.stories import STORIES, ordinary, troubled
from tests.report.story import Story
from tests.report.test_fold import random_events

_VOID = frozenset({"meta", "br", "path", "rect", "line"})
ATTACK = '"><script>document.title = "owned"</script><img src=https://example.com/x onerror=alert(1)>'


class Seen(HTMLParser):
    """The elements and the text of a page; says where an element is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text += data

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def seen(events: list[Event]) -> Seen:
    found = Seen(page(events, Clock()))
    assert found.open == []
    return found


@pytest.mark.parametrize("name", STORIES)
def test_every_run_has_a_page_with_all_of_its_tasks(name: str) -> None:
    events = STORIES[name]().events
    found = seen(events)
    for task in fold(events).tasks.values():
        assert task.id in found.text
        assert task.title in found.text


def test_the_page_says_what_waits_and_what_moves_it_on() -> None:
    text = seen(troubled().events).text
    for said in (
        "ops-orchestrate answer night-1 login yes",
        "or, by hand: git -C ~/web switch -",
        "ops-orchestrate retry night-1 hopeless",
        "Held up by login",
        "refs/ops/salvage/hopeless",
        "sentry — it did not answer",
        "old-site — its path does not exist",
    ):
        assert said in text


def test_the_story_of_a_task_is_told_from_its_brief_to_the_proof_of_its_merge() -> None:
    story = Story().begin().plan({"id": "a"}).start("a", 1)
    story.add("evidence", "a", {"what": "brief", "brief": "0a1b2c"}, **story.where("a"))
    story.wait(5).end("a", cost_usd=0.25, tokens=1200)
    log = {"what": "merge preview", "gate": "failed", "exit_code": 1, "log": "FAILED test_a\n  assert 1 == 2"}
    story.add("evidence", "a", log, **story.where("a"))
    story.judge("a", "rejected", summary="the gate failed").settle("a", "retryable", "the gate failed")
    story.start("a", 2).end("a").judge("a").merge("a").finish()
    told = [entry.text for entry in stories(story.events)["a"].entries]
    wanted = [
        "attempt 1 got slot 1",
        "attempt 1 started on host-1",
        "its brief was written",
        "attempt 1 succeeded after 1 min",
        "merge preview made: gate failed, exit 1",
        "verdict: rejected: the gate failed",
        "now retryable: the gate failed",
        "attempt 2 started on host-1",
        "verdict: verified",
        "the merge was written down before it was asked for",
        "merged into dev, and proved there",
        "now completed: merged",
    ]
    assert [text for text in told if text in wanted] == wanted
    assert "FAILED test_a\n  assert 1 == 2" in seen(story.events).text


def test_on_a_phone_each_cell_of_the_costs_says_what_it_is_of() -> None:
    """There a row is a list, and the headings are not shown."""
    text = page(ordinary().events, Clock())
    headings = re.findall(r"<th>(.*?)</th>", text)
    cells = [attributes.get("data-of") for tag, attributes in Seen(text).tags if tag == "td"]
    assert len(cells) >= 2 * len(headings)
    for row in range(0, len(cells), len(headings)):
        assert cells[row : row + len(headings)] == [None, *headings[1:]]
    assert "content: attr(data-of)" in text


def test_a_story_without_end_is_cut_in_its_middle_and_says_so() -> None:
    story = Story().begin().plan({"id": "a"}).start("a")
    for number in range(3 * MOST_ENTRIES):
        story.add("agent.note", "a", {"text": f"thought {number}"}, **story.where("a"))
    told = stories(story.finish().events)["a"]
    assert len(told.entries) == MOST_ENTRIES
    assert f"{told.left_out} entries left out" in seen(story.events).text


def test_nothing_is_loaded_and_only_the_pages_own_script_may_run() -> None:
    text = page(ordinary().events, Clock())
    for tag, attributes in Seen(text).tags:
        assert tag not in ("img", "link", "iframe", "object", "embed", "base", "form")
        assert not {"src", "srcset", "href", "action", "onclick"} & set(attributes), tag
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert len(script) == 1
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in text
    assert "url(http" not in text


def hostile_run() -> list[Event]:
    story = Story().begin(mode_note=ATTACK, agent=ATTACK, skipped=[{"name": ATTACK, "reason": ATTACK}])
    story.plan(
        {"id": "a", "title": ATTACK, "project": ATTACK, "mode_reason": ATTACK, "paths": [ATTACK], "gate": ATTACK},
        {"id": "b", "title": ATTACK, "wave": 1, "blocked_by": ["a"], "acceptance": [ATTACK]},
    )
    story.start("a", host=ATTACK).end("a", summary=ATTACK).judge("a", "rejected", rule=ATTACK, summary=ATTACK)
    story.add("evidence", "a", {"what": ATTACK, "text": ATTACK, "url": ATTACK, "log": ATTACK}, **story.where("a"))
    story.settle("a", "blocked", ATTACK, "retry").add("warning", data={"text": ATTACK})
    return story.finish("halted", ATTACK).events


def test_what_others_wrote_stays_text() -> None:
    found = seen(hostile_run())
    assert [tag for tag, _ in found.tags].count("script") == 1
    assert "img" not in [tag for tag, _ in found.tags]
    assert ATTACK in found.text


@settings(max_examples=examples(40))
@given(random_events())
def test_no_event_breaks_the_page(events: list[Event]) -> None:
    seen(events)


@st.composite
def plans(draw: st.DrawFn) -> dict[str, TaskView]:
    """Plans as the planner makes them: a task's wave is one more than the largest of its blockers'."""
    tasks: dict[str, TaskView] = {}
    for number in range(draw(st.integers(1, 25))):
        blockers = draw(st.lists(st.sampled_from(list(tasks)), unique=True, max_size=4)) if tasks else []
        wave = max((tasks[one].wave + 1 for one in blockers), default=0)
        tasks[f"t{number}"] = TaskView(id=f"t{number}", title="x" * 60, blocked_by=tuple(blockers), wave=wave)
    return tasks


@given(plans())
def test_in_the_drawing_edges_run_to_the_right_and_no_boxes_touch(tasks: dict[str, TaskView]) -> None:
    drawn = graph(tasks)
    edges = sum(len(task.blocked_by) for task in tasks.values())
    if drawn is None:
        assert edges == 0
        return
    boxes = {box.task: box for box in drawn.boxes}
    assert set(boxes) == set(tasks)
    assert len(drawn.lines) == edges
    for task in tasks.values():
        for blocker in task.blocked_by:
            assert boxes[blocker].x + boxes[blocker].wide < boxes[task.id].x
    for box in boxes.values():
        assert box.x >= 0 and box.x + box.wide <= drawn.wide
        assert box.y >= 0 and box.y + box.high <= drawn.high
    for upper, lower in pairwise(sorted(boxes.values(), key=lambda box: (box.x, box.y))):
        assert upper.x != lower.x or upper.y + upper.high <= lower.y


def test_a_plan_too_large_to_draw_says_how_much_is_left_out() -> None:
    tasks = {f"t{n}": TaskView(id=f"t{n}", blocked_by=("t0",) if n else (), wave=min(n, 1)) for n in range(MOST + 7)}
    drawn = graph(tasks)
    assert drawn is not None
    assert len(drawn.boxes) == MOST
    assert drawn.left_out == "7 tasks more than are drawn"


@pytest.mark.parametrize("name", STORIES)
def test_attempts_in_one_slot_follow_each_other(name: str) -> None:
    drawn = timeline(fold(STORIES[name]().events))
    if drawn is None:
        return
    for bar in drawn.bars:
        assert drawn.left <= bar.x
        assert bar.x + bar.wide <= drawn.wide + 2.1
    for before, after in pairwise(sorted(drawn.bars, key=lambda bar: (bar.y, bar.x))):
        assert before.y != after.y or before.x + before.wide <= after.x + 2.1
    assert 1 < len(drawn.marks) <= 10


@pytest.mark.real
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here: the page is not seen by a browser")
def test_a_browser_shows_the_page_and_runs_nothing_of_what_others_wrote(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(hostile_run(), Clock()), encoding="utf-8")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    argv = ["chromium", *flags.split(), "--disable-component-update", "--disable-sync", "--enable-logging=stderr"]
    shown = subprocess.run(
        [*argv, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert shown.returncode == 0
    assert "<title>r1 · ops-orchestrate</title>" in shown.stdout
    assert "CONSOLE" not in shown.stderr
    assert shown.stdout.count("<details") == 2
