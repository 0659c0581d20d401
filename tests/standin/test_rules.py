"""What GitHub lets through: permissions, protections and rulesets, for merges and for pushes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.standin.scene import REPO, Scene
from tests.standin.test_merge import merge

NEEDS: list[tuple[dict[str, Any], str]] = [
    ({"checks": ["test"]}, 'Required status check "test" is expected.'),
    ({"approvals": 1}, "At least 1 approving review is required by reviewers with write access."),
    ({"merge_queue": True}, "Changes must be made through the merge queue"),
    ({"methods": ["merge"]}, "Squash merges are not allowed on this repository."),
]


@pytest.mark.parametrize(("rules", "words"), NEEDS)
def test_what_a_rule_wants_is_405(scene: Scene, rules: dict[str, Any], words: str) -> None:
    pull = scene.pull()
    scene.control.protect(REPO, "main", **rules)
    status, message = merge(scene, pull)
    assert (status, words in message) == (405, True), message
    assert not scene.control.journal.effects("pull-merged")


CHECKS = [
    ("success", "clean", 200), ("neutral", "clean", 200), ("skipped", "clean", 200), ("failure", "blocked", 405),
    ("cancelled", "blocked", 405), ("in_progress", "blocked", 405),
]  # fmt: skip


@pytest.mark.parametrize(("conclusion", "state", "status"), CHECKS)
def test_a_required_check_passes_with_success_neutral_and_skipped(
    scene: Scene, conclusion: str, state: str, status: int
) -> None:
    pull = scene.pull()
    scene.control.protect(REPO, "main", checks=["test"])
    scene.control.check(REPO, pull["head"]["sha"], "test", conclusion)
    assert scene.ask("GET", f"pulls/{pull['number']}").json()["mergeable_state"] == state
    assert merge(scene, pull)[0] == status


def test_a_check_of_another_app_or_a_status_of_anybody_is_not_the_required_one(scene: Scene) -> None:
    pull = scene.pull()
    scene.control.protect(REPO, "main", checks=[("test", 15368)])
    scene.control.status(REPO, pull["head"]["sha"], "test", "success")
    assert merge(scene, pull)[0] == 405
    scene.control.check(REPO, pull["head"]["sha"], "test", "success")
    assert merge(scene, pull)[0] == 200


def test_a_red_check_that_is_not_required_stops_nothing(scene: Scene) -> None:
    pull = scene.pull()
    scene.control.check(REPO, pull["head"]["sha"], "extra", "failure")
    assert scene.ask("GET", f"pulls/{pull['number']}").json()["mergeable_state"] == "unstable"
    assert merge(scene, pull)[0] == 200


def test_strict_rules_want_the_base_in_the_head(scene: Scene) -> None:
    pull = scene.pull()
    scene.control.protect(REPO, "main", checks=["test"], strict=True, bypass=["somebody"])
    scene.control.push(REPO, "main", {"x.txt": "x\n"})
    scene.control.check(REPO, pull["head"]["sha"], "test", "success")
    number = pull["number"]
    assert scene.ask("GET", f"pulls/{number}").json()["mergeable_state"] in {"unknown", "behind"}
    assert scene.ask("GET", f"pulls/{number}").json()["mergeable_state"] == "behind"
    wrong = scene.ask("PUT", f"pulls/{number}/update-branch", expected_head_sha="0" * 40)
    assert wrong.status_code == 422
    assert scene.ask("PUT", f"pulls/{number}/update-branch", expected_head_sha=pull["head"]["sha"]).status_code == 202
    head = scene.ask("GET", f"pulls/{number}").json()["head"]["sha"]
    assert len(scene.control.repository(REPO).bare.commit(head).parents) == 2
    assert scene.ask("PUT", f"pulls/{number}/update-branch").json()["message"] == (
        "There are no new commits on the base branch."
    )


def test_a_conflict_is_dirty_and_405(scene: Scene) -> None:
    pull = scene.pull(**{"a.txt": "two\n"})
    scene.control.push(REPO, "main", {"a.txt": "three\n"})
    scene.ask("GET", f"pulls/{pull['number']}")
    seen = scene.ask("GET", f"pulls/{pull['number']}").json()
    assert (seen["mergeable"], seen["mergeable_state"]) == (False, "dirty")
    assert merge(scene, pull) == (405, "Pull Request is not mergeable")


def test_nobody_approves_their_own_and_a_comment_takes_no_vote_back(scene: Scene) -> None:
    pull = scene.pull()
    scene.control.protect(REPO, "main", approvals=1, dismiss_stale=True)
    number = pull["number"]
    assert scene.ask("POST", f"pulls/{number}/reviews", event="APPROVE").status_code == 422
    assert scene.ask("POST", f"pulls/{number}/reviews", "reader", event="APPROVE").status_code == 200
    assert merge(scene, pull)[0] == 405  # a reader's vote does not count
    scene.ask("POST", f"pulls/{number}/reviews", "rita", event="APPROVE")
    scene.ask("POST", f"pulls/{number}/reviews", "rita", event="COMMENT", body="One more thing")
    query = '{repository(owner:"acme",name:"app"){pullRequest(number:1){reviewDecision}}}'
    assert scene.graphql(query)["data"]["repository"]["pullRequest"]["reviewDecision"] == "APPROVED"
    scene.control.push(REPO, "feature", {"more.txt": "x\n"})  # dismisses it
    assert scene.graphql(query)["data"]["repository"]["pullRequest"]["reviewDecision"] == "REVIEW_REQUIRED"


@pytest.mark.parametrize(("enforce", "status"), [(True, 405), (False, 200)])
def test_an_administrator_passes_a_classic_protection_that_does_not_hold_them(
    scene: Scene, enforce: bool, status: int
) -> None:
    pull = scene.pull()
    scene.control.protect(REPO, "main", classic=True, checks=["test"], enforce_admins=enforce)
    assert merge(scene, pull, "owner")[0] == status


WHO = [("reader", 403), ("nobody", 401), ("stranger", 404)]


@pytest.mark.parametrize(("login", "status"), WHO)
def test_who_may_not_is_told_as_little_as_github_tells(scene: Scene, login: str, status: int) -> None:
    scene.control.add_user("stranger", token="token-of-stranger")
    pull = scene.pull()
    assert merge(scene, pull, login)[0] == status


def test_rules_and_protections_are_read_with_the_right_permission_only(scene: Scene) -> None:
    scene.control.protect(REPO, "main", classic=True, checks=["test"])
    scene.control.protect(REPO, "main", checks=["lint"])
    assert scene.ask("GET", "branches/main/protection", "bot").status_code == 404
    assert scene.ask("GET", "branches/main/protection", "owner").json()["required_status_checks"]["contexts"] == [
        "test"
    ]
    kinds = {one["type"] for one in scene.ask("GET", "rules/branches/main", "reader").json()}
    assert kinds == {"deletion", "non_fast_forward", "pull_request", "required_status_checks"}


def test_a_review_is_asked_of_collaborators_other_than_the_author(scene: Scene) -> None:
    number = scene.pull()["number"]
    codes = [
        scene.ask("POST", f"pulls/{number}/requested_reviewers", reviewers=[login]).status_code
        for login in ("bot", "ghost", "rita")
    ]
    assert codes == [422, 422, 201]
    assert [one["login"] for one in scene.ask("GET", f"pulls/{number}").json()["requested_reviewers"]] == ["rita"]
    scene.ask("POST", f"pulls/{number}/reviews", "rita", event="APPROVE")
    assert scene.ask("GET", f"pulls/{number}/requested_reviewers").json()["users"] == []


def test_base_sha_is_the_base_as_the_head_met_it(scene: Scene) -> None:
    """A trap of GitHub's: neither REST's `base.sha` nor `baseRefOid` follows the base branch."""
    pull = scene.pull()
    new = scene.control.push(REPO, "main", {"x.txt": "x\n"})
    query = '{repository(owner:"acme",name:"app"){pullRequest(number:1){baseRefOid baseRef{target{oid}}}}}'
    seen = scene.graphql(query)["data"]["repository"]["pullRequest"]
    assert seen == {"baseRefOid": pull["base"]["sha"], "baseRef": {"target": {"oid": new}}}


PUSHES = [
    ("HEAD:refs/heads/main", "through a pull request"),
    ("HEAD:refs/pull/9/head", "hidden ref"),
    (":refs/heads/main", "refusing to delete the current branch"),
]


@pytest.mark.parametrize(("refspec", "words"), PUSHES)
def test_git_refuses_a_push_as_github_does(scene: Scene, tmp_path: Path, refspec: str, words: str) -> None:
    scene.control.protect(REPO, "main")
    work = clone(scene, tmp_path)
    done = scene.git("push", "origin", refspec, cwd=work)
    assert (done.returncode, words in done.stderr) == (1, True), done.stderr
    assert not scene.control.journal.effects("push")


def test_git_pushes_a_branch_and_the_pull_request_follows(scene: Scene, tmp_path: Path) -> None:
    work = clone(scene, tmp_path)
    assert scene.git("push", "origin", "HEAD:refs/heads/feature", cwd=work).returncode == 0
    pull = scene.ask("POST", "pulls", title="Add", head="feature", base="main").json()
    (work / "more.txt").write_text("more\n")
    scene.git("add", ".", cwd=work)
    scene.git("commit", "-qm", "More", cwd=work)
    assert scene.git("push", "origin", "HEAD:refs/heads/feature", cwd=work).returncode == 0
    head = scene.git("rev-parse", "HEAD", cwd=work).stdout.strip()
    assert scene.ask("GET", f"pulls/{pull['number']}").json()["head"]["sha"] == head
    fetched = scene.git("fetch", "-q", "origin", f"refs/pull/{pull['number']}/head", cwd=work)
    assert fetched.returncode == 0, fetched.stderr


def test_a_reader_can_clone_and_not_push(scene: Scene, tmp_path: Path) -> None:
    work = clone(scene, tmp_path, "reader")
    done = scene.git("push", "origin", "HEAD:refs/heads/feature", cwd=work)
    assert done.returncode != 0
    assert not scene.control.journal.effects("push")


def clone(scene: Scene, folder: Path, login: str = "bot") -> Path:
    """A clone with one commit more than main."""
    url = scene.standin.clone_url(REPO, f"token-of-{login}")
    assert scene.git("clone", "-q", url, "work", cwd=folder).returncode == 0
    work = folder / "work"
    (work / "new.txt").write_text("new\n")
    scene.git("add", ".", cwd=work)
    scene.git("commit", "-qm", "New", cwd=work)
    return work


def test_a_ref_of_several_words_is_no_ref_and_does_nothing(scene: Scene) -> None:
    sha = scene.pull()["head"]["sha"]
    name = f"refs/heads/x {sha} {'0' * 40}\ndelete refs/heads/main\nupdate refs/heads/y"
    assert scene.ask("POST", "git/refs", ref=name, sha=sha).status_code == 422
    assert {one["name"] for one in scene.ask("GET", "branches").json()} == {"main", "feature"}


def test_a_file_named_like_a_pattern_has_its_own_patch_only(scene: Scene) -> None:
    number = scene.pull(**{"[id].txt": "mine\n", "i.txt": "other\n"})["number"]
    patches = {one["filename"]: one["patch"] for one in scene.ask("GET", f"pulls/{number}/files").json()}
    assert ("+mine" in patches["[id].txt"], "+other" in patches["[id].txt"]) == (True, False)


def test_what_a_client_sends_to_a_repository_breaks_no_record_of_it(scene: Scene) -> None:
    assert scene.ask("PATCH", f"/repos/{REPO}", "owner", repository="x", archived=True).status_code == 200
    assert [one.facts["fields"] for one in scene.control.journal.effects("repository-changed")] == [
        ["archived", "repository"]
    ]
