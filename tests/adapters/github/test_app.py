"""The same as a GitHub App: everything as a process has it, from settings and secrets alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.github.pulls import GitHubPullRequests
from ops_orchestrate.adapters.workshop import GitWorkshop
from ops_orchestrate.config import Settings
from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.finding import FindingKind
from ops_orchestrate.standin.run import Standin
from ops_orchestrate.wiring.outside import Outside
from tests.adapters.github.scene import OURS, SLUG
from tests.adapters.github.test_auth import PEM, PUBLIC
from tests.builders import make_project, make_repository, make_request


@pytest.fixture
def settings(github: Standin, tmp_path: Path) -> Settings:
    """The app is installed on acme's repositories, with what it needs to ship."""
    github.control.add_repository(SLUG, files={"README.md": "Hello\n"}, organization=True)
    app = github.control.add_app("ops", PUBLIC, {"issues": "read", "checks": "read", "actions": "write"})
    installed = github.control.install(app, "acme")
    return Settings(
        data_dir=tmp_path,
        github_api_url=github.url,
        github_app_id=str(app.id),
        github_app_installation=str(installed.id),
        github_write_gap=0,
    )


@pytest.fixture
def hub(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    monkeypatch.setenv("GITHUB_APP_KEY", PEM)
    made = Outside(settings)
    yield made
    made.github.close()


def test_an_app_pushes_opens_reads_and_merges_its_own(
    github: Standin, hub: Outside, settings: Settings, tmp_path: Path
) -> None:
    repo = make_repository(slug=SLUG, upstream=github.clone_url(SLUG))
    workshop = GitWorkshop(tmp_path / "state", settings, hub.access)
    pulls = GitHubPullRequests(hub.github, workshop.mirrors)
    assert pulls.may_write(repo) is None
    workshop.refresh(repo)
    base = workshop.head(repo, "main") or ""
    other = github.control.push(SLUG, "somewhere", {"new.txt": "x\n"}, start="main")
    workshop.refresh(repo)
    commit = workshop.commit_tree(
        repo, tree=workshop.tree_of(repo, other), parents=(base,), message="Mend\n", at=1_700_000_000
    )
    assert pulls.publish(repo, commit=commit, branch=OURS, expected="").end is LandingEnd.LANDED
    number = pulls.open(repo, branch=OURS, base="main", title="Mend it", body="x")
    pull = pulls.read(repo, number)
    assert (pull.author, pull.ours, pull.head) == ("ops[bot]", True, commit)
    merged = pulls.merge(repo, number, head=commit, method="squash", title="Mend it", message="x")
    assert (merged.end, merged.commit) == (LandingEnd.LANDED, github.control.repository(SLUG).branch("main"))


def test_an_app_audits(github: Standin, hub: Outside) -> None:
    github.control.permit(SLUG, "bob", "write")
    github.control.issue(SLUG, "It hurts", by="bob")
    project = make_project(repositories=(make_repository(slug=SLUG),))
    (issue,) = [
        one
        for one in hub.sources["github"].findings([project], make_request()).findings
        if one.kind is FindingKind.ISSUE
    ]
    assert (issue.title, issue.hold) == ("It hurts", "")


def test_its_token_and_key_are_named_for_redaction_and_stored_nowhere(hub: Outside, tmp_path: Path) -> None:
    token = hub.identity.token()
    assert {token, PEM} <= set(hub.secret_values())
    assert token not in repr(hub.identity) + hub.github.clean(f"x {token} y")
    assert [path for path in tmp_path.rglob("*") if path.is_file() and token.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("change", "may"),
    [
        (lambda one: None, True),
        (lambda one: one.permissions.update(contents="read"), False),
        (lambda one: one.permissions.update(pull_requests="read"), False),
        (lambda one: setattr(one, "repositories", frozenset({"acme/other"})), False),
        (lambda one: setattr(one, "id", 999_999), False),
    ],
    ids=["all", "contents", "pull-requests", "not-covered", "another-installation"],
)
def test_what_an_app_may_do_is_its_installations_and_no_persons(
    github: Standin, hub: Outside, settings: Settings, tmp_path: Path, change: Any, may: bool
) -> None:
    repo = make_repository(slug=SLUG, upstream=github.clone_url(SLUG))
    pulls = GitHubPullRequests(hub.github, GitWorkshop(tmp_path / "state", settings, hub.access).mirrors)
    hub.identity.token()
    (installed,) = github.world.installations.values()
    change(installed)
    assert (pulls.may_write(repo) is None) is may


def test_an_audit_as_an_app_plans_nothing_where_it_is_not_installed(github: Standin, hub: Outside) -> None:
    github.control.add_repository("elsewhere/open", files={"a": "b"}, private=False)
    github.control.issue("elsewhere/open", "It hurts", by="elsewhere")
    project = make_project(repositories=(make_repository(slug="elsewhere/open"),))
    found = hub.sources["github"].findings([project], make_request()).findings
    assert any("not worked on" in one.title for one in found)
    assert not any(one.actionable for one in found)
