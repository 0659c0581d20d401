"""Topics out of other people's messages: what little they can change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.topics import parse_topics, with_topics
from tests.builders import make_project

FILE = """---
type: topics
---
half a block that was cut off
- **Deadline**: 2020-01-01

### Launch of my-app
- **Contacts**: Alice
- **Summary**: the shop opens
- **Action**: be quick
- **Deadline**: 2026-04-20

### Lunch
- **Contacts**: unknown
- **Summary**: nothing about code
"""


def test_blocks_are_read_and_a_cut_off_beginning_is_not() -> None:
    launch, lunch = parse_topics(FILE)
    assert (launch.title, launch.action, launch.deadline) == ("Launch of my-app", "be quick", "2026-04-20")
    assert (lunch.title, lunch.deadline) == ("Lunch", None)


def test_a_project_that_is_named_gets_the_deadline_and_one_level() -> None:
    projects = [make_project("my-app", priority=5), make_project("lunchbox", priority=5)]
    named, other = with_topics(projects, parse_topics(FILE))
    assert (named.priority, named.deadline) == (4, "2026-04-20")
    assert other == projects[1]


def test_the_summary_counts_as_naming() -> None:
    (shop,) = with_topics([make_project("shop", priority=5)], parse_topics(FILE))
    assert shop.priority == 4


def test_many_topics_raise_by_one_level_at_most_and_the_nearest_deadline_counts() -> None:
    topics = parse_topics("".join(f"### api {n}\n- **Deadline**: 2026-05-{n:02}\n" for n in range(9, 1, -1)))
    (project,) = with_topics([make_project("api", priority=7)], topics)
    assert (project.priority, project.deadline) == (6, "2026-05-02")
    assert with_topics([make_project("api", priority=1)], topics)[0].priority == 1


@pytest.mark.parametrize(
    ("alias", "text"),
    [
        ("app", "### the apple\n- **Deadline**: 2026-01-01\n"),
        ("app", "### my-app\n- **Deadline**: 2026-01-01\n"),
        ("ui", "### ui\n- **Deadline**: 2026-01-01\n"),
        ("app", "### app\n- **Summary**: nothing to do\n"),
        ("app", "### other\n- **Action**: rewrite app\n"),
    ],
    ids=["inside a word", "inside a longer name", "too short", "nothing pressing", "only in the action"],
)
def test_what_does_not_count(alias: str, text: str) -> None:
    project = make_project(alias, priority=5)
    assert with_topics([project], parse_topics(text)) == (project,)


@pytest.mark.parametrize("date", ["soon", "2026-13-01", "2026-02-30", "20260101", "2026-01-011"])
def test_a_deadline_is_an_iso_date(date: str) -> None:
    assert parse_topics(f"### a\n- **Deadline**: {date}\n")[0].deadline is None


@given(st.text())
def test_law_topics_never_fail_and_never_touch_anything_else(text: str) -> None:
    project = make_project("app", priority=5)
    (changed,) = with_topics([project], parse_topics("### app " + text))
    assert changed.model_copy(update={"priority": 5, "deadline": None}) == project
    assert changed.priority in (4, 5)
