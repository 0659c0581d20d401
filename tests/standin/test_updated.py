"""What moves an issue or a pull request to the front of what was changed last, and a repository's line in a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.standin.scene import REPO, Scene

Change = Callable[[Scene, int, int], object]
#: Each is a change of an issue (the first number) or a pull request (the second).
MOVES: dict[str, Change] = {
    "text": lambda s, issue, _: s.ask("PATCH", f"issues/{issue}", body="More"),
    "closed": lambda s, issue, _: s.ask("PATCH", f"issues/{issue}", state="closed"),
    "labels": lambda s, issue, _: s.ask("POST", f"issues/{issue}/labels", labels=["bug"]),
    "comment": lambda s, issue, _: s.ask("POST", f"issues/{issue}/comments", body="Me too"),
    "comment by another": lambda s, issue, _: s.control.comment(REPO, issue, "rita", "Me too"),
    "closed by a commit": lambda s, issue, _: s.control.push(REPO, "main", {"z": "z"}, message=f"Fixes #{issue}"),
    "push": lambda s, _, pull: s.control.push(REPO, "feature", {"y.txt": "y"}),
    "review": lambda s, _, pull: s.control.review(REPO, pull, "rita", "APPROVED"),
    "thread": lambda s, _, pull: s.control.thread(REPO, pull, "rita", "Why?"),
    "merge": lambda s, _, pull: s.control.merge(REPO, pull),
    "branch removed": lambda s, _, pull: s.control.delete_branch(REPO, "feature"),
}


def _lately(scene: Scene) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scene.ask("GET", "issues?state=all&sort=updated&direction=desc").json()
    return found


@pytest.mark.parametrize("name", MOVES)
def test_a_change_is_the_last_one(scene: Scene, name: str) -> None:
    issue, pull = scene.control.issue(REPO, "It hurts").number, int(scene.pull()["number"])
    scene.control.skip(10)
    scene.control.issue(REPO, "Another")
    scene.control.skip(10)
    before = _lately(scene)
    MOVES[name](scene, issue, pull)
    first = _lately(scene)[0]
    assert first["number"] in {issue, pull}
    assert first["updated_at"] > max(one["updated_at"] for one in before)


def test_a_thread_that_is_resolved_moves_nothing(scene: Scene) -> None:
    thread = scene.control.thread(REPO, int(scene.pull()["number"]), "rita", "Why?")
    scene.control.skip(10)
    before = _lately(scene)
    for by in ("rita", None):
        scene.control.resolve(thread, by)
        assert _lately(scene) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.control.push(REPO, "dev", None, start="main"),
        lambda s: s.control.delete_branch(REPO, "old"),
        lambda s: s.control.issue(REPO, "It hurts"),
        lambda s: s.control.change_repository(REPO, archived=True),
        lambda s: s.control.change_repository(REPO, default_branch="old"),
        lambda s: s.control.permit(REPO, "bot", "read"),
    ],
    ids=["branch", "branch gone", "issue", "archived", "default", "level"],
)
def test_a_repositorys_line_tells_of_it(scene: Scene, change: Callable[[Scene], object]) -> None:
    scene.control.push(REPO, "old", None, start="main")
    scene.control.skip(10)
    before = scene.ask("GET", "/user/repos").json()
    change(scene)
    assert scene.ask("GET", "/user/repos").json() != before
