"""Branches of merged changes that are still there: which are asked for, and when it is enough."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ops_orchestrate.core.change import Landing, LandingEnd
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import TaskRecord, TaskSpec
from ops_orchestrate.engine.promotion.left_branches import remove_left_branches
from ops_orchestrate.errors import SourceUnavailable
from tests.builders import make_repository

REPOSITORY = make_repository("app", slug="acme/app")
HEAD, MERGE = "a" * 40, "b" * 40


def merged(task: str, *, repo: str = REPOSITORY.key, merge: str = MERGE) -> TaskRecord:
    spec = TaskSpec.model_validate({"id": task, "project": "app", "repo": repo, "title": task, "fingerprint": task})
    return TaskRecord(run="r1", spec=spec, state=TaskState.COMPLETED, attempt=1, fence=1, head=HEAD, merge=merge)


class Forge:
    """Says this of one branch after the other."""

    def __init__(self, *says: LandingEnd) -> None:
        self._says = list(says)
        self.asked: list[str] = []

    def remove(self, repo: Any, *, branch: str, head: str) -> Landing:
        assert (repo, head) == (REPOSITORY, HEAD)
        self.asked.append(branch)
        return Landing(end=self._says.pop(0), detail="as told")


def look(forge: Any, *records: TaskRecord, stands: dict[str, str]) -> None:
    """With a ledger that knows these tasks, and a mirror in which these branches stand."""
    attempts = SimpleNamespace(pursuit=lambda run, task: Pursuit(branch=f"ops/{run}/{task}"))
    tools: Any = SimpleNamespace(
        ledger=SimpleNamespace(tasks=SimpleNamespace(all=lambda run: records), attempts=attempts),
        workshop=SimpleNamespace(head=lambda repo, branch: stands.get(branch)),
    )
    remove_left_branches("r1", REPOSITORY, forge, tools)


BOTH = {"ops/r1/one": HEAD, "ops/r1/two": HEAD}


@pytest.mark.parametrize(
    ("says", "asked"),
    [
        ((LandingEnd.LANDED, LandingEnd.LANDED), ["ops/r1/one", "ops/r1/two"]),
        ((LandingEnd.MOVED, LandingEnd.LANDED), ["ops/r1/one", "ops/r1/two"]),
        ((LandingEnd.REFUSED,), ["ops/r1/one"]),  # it keeps such branches: that costs one question a look
    ],
)
def test_a_forge_that_keeps_branches_is_asked_for_one_of_them(says: tuple[LandingEnd, ...], asked: list[str]) -> None:
    forge = Forge(*says)
    look(forge, merged("one"), merged("two"), stands=BOTH)
    assert forge.asked == asked


def test_one_that_does_not_answer_is_asked_again_at_the_next_look() -> None:
    forge = Forge(LandingEnd.UNKNOWN)
    with pytest.raises(SourceUnavailable, match="ops/r1/one is merged and not removed yet: as told"):
        look(forge, merged("one"), merged("two"), stands=BOTH)


def test_only_what_still_stands_at_what_was_merged_is_asked_for() -> None:
    forge = Forge()
    elsewhere, open_one = merged("one", repo="other"), merged("two", merge="")
    look(forge, elsewhere, open_one, merged("gone"), merged("moved"), stands=BOTH | {"ops/r1/moved": MERGE})
    assert forge.asked == []
