"""From the paths of a registry to folders: what exists, what is left out and why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops_orchestrate.config import Settings
from ops_orchestrate.errors import GitError
from tests.adapters.registry.help import load, make_repo, reasons, register
from tests.repos import git


class TestPaths:
    """What a path can be, beside a repository."""

    def test_a7_home_relative_and_absolute_paths(self, settings: Settings, home: Path) -> None:
        one, two, three = make_repo(home / "one"), make_repo(settings.data_dir / "two"), make_repo(home / "three")
        register(
            settings,
            {"alias": "one", "paths": ["~/one"]},
            {"alias": "two", "paths": ["two"]},
            {"alias": "three", "paths": [f"{three}/"]},
        )
        assert [p.repositories[0].path for p in load(settings).projects] == [str(one), str(two), str(three)]

    def test_a7_everything_else_is_skipped_with_its_reason(self, settings: Settings, home: Path) -> None:
        (home / "file").write_text("")
        (home / "plain").mkdir()
        (home / "loop").symlink_to(home / "loop")
        git("init", "--quiet", "--bare", home / "bare.git")
        make_repo(home / "ok")
        names = ["gone", "file", "plain", "loop", "bare.git", "ok", "file/below"]
        register(
            settings,
            *({"alias": name.split(".")[0].replace("/", "-"), "paths": [f"~/{name}"]} for name in names),
            {"alias": "nobody", "paths": ["~no-such-user-here/x"]},
            {"alias": "empty", "paths": []},
            {"alias": "shop", "type": "external", "source": "shopify"},
        )
        portfolio = load(settings)
        assert [project.alias for project in portfolio.projects] == ["ok"]
        assert reasons(portfolio).splitlines() == [
            "gone: ~/gone: does not exist",
            "file: ~/file: is a file, not a folder",
            "plain: ~/plain: is not in a git repository",
            "loop: ~/loop: is a loop of symbolic links",
            "bare: ~/bare.git: is a bare repository; register a checkout of it",
            "file-below: ~/file/below: does not exist",
            "nobody: ~no-such-user-here/x: names the home of a user who is not here",
            "empty: names no path of a checkout",
            "shop: is external: it has no git repository to work on",
        ]

    def test_external_entries_may_give_issues(self, settings: Settings, home: Path) -> None:
        register(settings, {"alias": "eng", "type": "external", "source": "linear", "linear": {"team_key": "ENG"}})
        portfolio = load(settings)
        assert [(one.alias, one.linear_team) for one in portfolio.issue_sources] == [("eng", "ENG")]
        assert portfolio.skipped == ()

    @pytest.mark.parametrize("shelf", ["archives", "scratch", ".worktrees"])
    def test_shelved_projects_are_left_alone_unless_named(self, settings: Settings, home: Path, shelf: str) -> None:
        make_repo(home / shelf / "app")
        register(settings, {"alias": "app", "paths": [f"~/{shelf}/app"]})
        assert f"is under {shelf}/" in reasons(load(settings))
        assert load(settings, project="app").projects[0].alias == "app"

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
    def test_a_repository_that_git_refuses_is_skipped(self, settings: Settings, home: Path) -> None:
        path = make_repo(home / "theirs")
        os.chown(path, 12345, 12345)
        os.chown(path / ".git", 12345, 12345)
        register(settings, {"alias": "theirs", "paths": ["~/theirs"]})
        assert "belongs to another user" in reasons(load(settings))
        with pytest.raises(GitError, match="belongs to another user"):
            load(settings, cwd=path)
