"""Clients written by others get along with it: `gh`, over its Unix socket, and PyGithub."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import github
import pytest

from ops_orchestrate.standin.run import Standin
from tests.standin.published import GRAPHQL, MISSING
from tests.standin.scene import REPO, Scene


@pytest.fixture
def gh_scene(tmp_path: Path, server_folder: Path) -> Iterator[Scene]:
    """A stand-in with GitHub's whole GraphQL schema, on a socket too: gh asks for fields as it likes."""
    if shutil.which("gh") is None:
        pytest.skip("gh is not here (apt-get install gh)")
    if not GRAPHQL.exists():
        pytest.skip(MISSING)
    socket = server_folder / "s"
    with Standin(tmp_path / "github", published=GRAPHQL, socket=socket) as standin:
        (server_folder / "config.yml").write_text(f"http_unix_socket: {socket}\nprompt: disabled\n")
        yield Scene(standin)


def gh(folder: Path, *args: str, code: int = 0) -> str:
    """Run gh as the bot; its output."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GH_CONFIG_DIR": str(folder), "GH_TOKEN": "token-of-bot"}
    env |= {"GH_REPO": REPO, "NO_COLOR": "1", "GH_NO_UPDATE_NOTIFIER": "1"}
    done = subprocess.run(["gh", *args], env=env, capture_output=True, text=True, check=False, cwd=folder, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_gh_lists_pull_requests_runs_and_checks(gh_scene: Scene, server_folder: Path) -> None:
    scene, folder = gh_scene, server_folder
    scene.control.ci(REPO, jobs=["test", {"name": "slow", "hold": True}], statuses=["lint"])
    pull = scene.pull()
    scene.control.review(REPO, pull["number"], "rita", "APPROVED")
    fields = "number,title,statusCheckRollup,reviewDecision,mergeable,isDraft,mergeStateStatus,reviews,files,labels"
    listed: list[dict[str, Any]] = json.loads(gh(folder, "pr", "list", "--state", "open", "--json", fields))
    assert [one["title"] for one in listed] == ["Add feature"]
    rollup = {
        one.get("name") or one["context"]: one.get("status") or one["state"] for one in listed[0]["statusCheckRollup"]
    }
    assert rollup == {"test": "COMPLETED", "slow": "QUEUED", "lint": "SUCCESS"}
    runs = json.loads(
        gh(folder, "run", "list", "--limit", "5", "--json", "status,conclusion,name,headBranch,createdAt")
    )
    assert [(one["name"], one["status"], one["headBranch"]) for one in runs] == [("CI", "in_progress", "feature")]
    checks = gh(folder, "pr", "checks", str(pull["number"]), code=1)
    assert "test\tpass" in checks
    assert "slow\tpending" in checks


def test_gh_reads_a_failed_log_and_merges(gh_scene: Scene, server_folder: Path) -> None:
    scene, folder = gh_scene, server_folder
    scene.control.ci(
        REPO, jobs=[{"name": "test", "result": ["failure", "success"], "log": "2026-01-01T00:00:00Z boom"}]
    )
    pull = scene.pull()
    run = next(iter(scene.control.repository(REPO).runs))
    assert json.loads(gh(folder, "run", "view", str(run), "--json", "conclusion,jobs"))["conclusion"] == "failure"
    gh(folder, "run", "rerun", str(run), "--failed")
    assert json.loads(gh(folder, "run", "view", str(run), "--json", "conclusion"))["conclusion"] == "success"
    seen = json.loads(gh(folder, "pr", "view", str(pull["number"]), "--json", "files,additions,deletions,mergeable"))
    assert [one["path"] for one in seen["files"]] == ["feature.txt"]
    gh(folder, "pr", "merge", str(pull["number"]), "--squash")
    assert [one.facts["method"] for one in scene.control.journal.effects("pull-merged")] == ["squash"]


def test_gh_lists_issues(gh_scene: Scene, server_folder: Path) -> None:
    gh_scene.control.issue(REPO, "Broken", "It is", labels=["bug"], by="rita")
    listed = json.loads(gh(server_folder, "issue", "list", "--state", "open", "--json", "number,title,labels,author"))
    assert [(one["title"], one["labels"][0]["name"]) for one in listed] == [("Broken", "bug")]


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_pygithub_opens_reads_and_merges(github: Standin, prefix: str) -> None:
    scene = Scene(github)
    scene.control.ci(REPO, statuses=["lint"])
    with pygithub(scene, prefix) as client:
        repository = client.get_repo(REPO)
        assert repository.permissions.push
        scene.control.push(REPO, "feature", {"b.txt": "two\n"}, by="bot")
        pull = repository.create_pull(base="main", head="feature", title="Add b", body="")
        commit = repository.get_commit(pull.head.sha)
        assert commit.get_combined_status().state == "success"
        assert [run.conclusion for run in commit.get_check_runs()] == ["success"]
        assert [file.filename for file in pull.get_files()] == ["b.txt"]
        done = pull.merge(merge_method="squash", sha=pull.head.sha)
        assert (done.merged, repository.get_branch("main").commit.sha) == (True, done.sha)
        with pytest.raises(github_error()) as refused:
            pull.merge(merge_method="squash")
    assert refused.value.status == 405


def pygithub(scene: Scene, prefix: str) -> github.Github:
    """PyGithub as the bot, not waiting between requests."""
    auth = github.Auth.Token("token-of-bot")
    url = scene.standin.url + prefix
    return github.Github(auth=auth, base_url=url, retry=None, seconds_between_requests=0, seconds_between_writes=0)


def github_error() -> type[github.GithubException]:
    """Its exception (the fixture has the module's name)."""
    return github.GithubException
