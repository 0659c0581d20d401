"""When what is kept of a repository may stand, and which repositories tell nothing by their signs."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.forge_look import ForgeLook, IssueSeen, PullRef, PullSeen
from ops_orchestrate.core.forge_signs import SETTLED, Signs, Step, next_step, restless

LOOKED = 1000.0
OLD, LATE = LOOKED - SETTLED, LOOKED - SETTLED + 1
NOTED = Signs(row="r", lately="l", newest=OLD)


@pytest.mark.parametrize(
    ("before", "now", "step"),
    [
        (NOTED, Signs(row="r", lately="l", newest=OLD), Step.KEEP),
        (NOTED, Signs(row="s", lately="l", newest=OLD), Step.ASK),
        (NOTED, Signs(row="", lately="l", newest=OLD), Step.ASK),
        (NOTED, Signs(row="r", lately="m", newest=OLD), Step.LOOK),
        (NOTED, Signs(row="", lately="m", newest=LATE), Step.LOOK),
        (NOTED, Signs(row="r"), Step.ASK),
        (NOTED, Signs(), Step.ASK),
        (Signs(), Signs(), Step.ASK),
        (Signs(), Signs(row="r", lately="l", newest=OLD), Step.ASK),
        (Signs(), Signs(row="r", lately="l", newest=LATE), Step.LOOK),
        (Signs(row="r"), Signs(row="r"), Step.ASK),
        (Signs(lately="l"), Signs(lately="l"), Step.ASK),
    ],
)
def test_only_equal_signs_that_are_known_let_it_stand(before: Signs, now: Signs, step: Step) -> None:
    assert next_step(before, now, LOOKED) is step


def _issue(**more: Any) -> dict[str, Any]:
    return {"issues": (IssueSeen(number=7, title="It hurts", **more),)}


@pytest.mark.parametrize(
    ("look", "told"),
    [
        ({}, False),
        ({"pulls": (PullSeen(number=9, title="Mend it"),)}, False),
        ({"pulls": (PullSeen(number=9, title="Mend it", ours=True),)}, True),
        (_issue(pulls=(PullRef(number=9, author="bob", slug="acme/app"),)), False),
        (_issue(pulls=(PullRef(number=9, author="bob", slug="acme/api"),)), True),
        (_issue(sub_issues=("github:acme/app#8",)), False),
        (_issue(sub_issues=("github:acme/app#8", "github:acme/app2#8")), True),
    ],
)
def test_what_may_change_without_a_sign_is_looked_at_every_time(look: dict[str, Any], told: bool) -> None:
    assert restless(ForgeLook(slug="Acme/App", writable=True, **look)) is told
