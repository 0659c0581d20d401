"""The digest of a night: what was done, what waits and what was given up, each with the command that moves it on."""

from __future__ import annotations

import pytest

from ops_orchestrate.report.digest import digest
from ops_orchestrate.report.fold import fold
from tests.report.stories import ordinary, troubled
from tests.report.story import Story


def test_what_waits_and_what_was_given_up_stand_with_their_commands() -> None:
    told = digest(fold(troubled().events))
    assert told.title == "ops-orchestrate: 1 task done, 2 waiting for you, 1 given up"
    for part in (
        "- good: An easy one",
        "- login: src/auth/** is about auth: a person has to review it\n  $ ops-orchestrate answer night-1 login yes",
        "- key: only the owner has the key\n  $ ops-orchestrate answer night-1 key done",
        "- hopeless: no sign of life for 15 min\n  $ ops-orchestrate retry night-1 hopeless",
        "- sentry: it did not answer",
        "$ ops-orchestrate report night-1",
    ):
        assert part in told.body


@pytest.mark.parametrize(
    ("story", "title"),
    [
        (ordinary(), "ops-orchestrate: 3 tasks done, 0 waiting for you"),
        (Story().begin().plan().finish(), "ops-orchestrate: nothing to do, 0 waiting for you"),
    ],
)
def test_of_a_night_without_trouble_the_title_says_enough(story: Story, title: str) -> None:
    assert digest(fold(story.events)).title == title
