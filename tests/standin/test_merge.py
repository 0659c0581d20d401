"""Merging, as GitHub answers it: what is refused, with which status, and what is there afterwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.standin.scene import REPO, Scene


def merge(scene: Scene, pull: dict[str, Any], login: str = "bot", **body: Any) -> tuple[int, str]:
    """Try to merge with the head as its `sha`; status and message."""
    sent = {"sha": pull["head"]["sha"], "merge_method": "squash"} | body
    answer = scene.ask("PUT", f"pulls/{pull['number']}/merge", login, **sent)
    return answer.status_code, str(answer.json()["message"])


@pytest.mark.parametrize(("method", "parents"), [("squash", 1), ("merge", 2), ("rebase", 1)])
def test_a_merge_is_gits_own_merge(scene: Scene, method: str, parents: int) -> None:
    pull = scene.pull()
    scene.control.push(REPO, "main", {"other.txt": "meanwhile\n"})
    assert merge(scene, pull, merge_method=method)[0] == 200
    bare = scene.control.repository(REPO).bare
    commit = bare.commit(scene.control.repository(REPO).branch("main") or "")
    assert len(commit.parents) == parents
    assert {"feature.txt", "other.txt"} <= set(bare.files(commit.sha))
    after = scene.ask("GET", f"pulls/{pull['number']}").json()
    assert (after["merged"], after["merge_commit_sha"], after["state"]) == (True, commit.sha, "closed")


def test_a_moved_head_is_409_and_nothing_is_merged(scene: Scene) -> None:
    pull = scene.pull()
    scene.control.push(REPO, "feature", {"more.txt": "x\n"})
    assert merge(scene, pull) == (409, "Head branch was modified. Review and try the merge again.")
    assert not scene.control.journal.effects("pull-merged")


def test_a_second_merge_is_405_and_merges_nothing(scene: Scene) -> None:
    pull = scene.pull()
    assert merge(scene, pull)[0] == 200
    assert merge(scene, pull)[0] == 405
    assert len(scene.control.journal.effects("pull-merged")) == 1


def test_a_base_that_moved_at_that_moment_is_405_and_the_next_try_merges(scene: Scene) -> None:
    pull = scene.pull()
    bare, old = scene.control.repository(REPO).bare, scene.control.repository(REPO).branch("main") or ""
    new = bare.write_files(old, {"x.txt": "x\n"}, "Meanwhile", ("Somebody", "somebody@example.com"))
    assert bare.move("refs/heads/main", new, old)
    assert merge(scene, pull) == (405, "Base branch was modified. Review and try the merge again.")
    assert not scene.control.journal.effects("pull-merged")
    assert merge(scene, pull)[0] == 200


def test_of_many_merges_at_once_each_has_the_one_before_as_its_parent(scene: Scene) -> None:
    pulls = [scene.pull(f"feature-{number}") for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert [code for code, _ in pool.map(lambda pull: merge(scene, pull), pulls)] == [200] * 6
    repository = scene.control.repository(REPO)
    merged = [one.facts["sha"] for one in scene.control.journal.effects("pull-merged")]
    assert [sha for sha in repository.bare.git("rev-list", "--reverse", "main").split() if sha in merged] == merged
