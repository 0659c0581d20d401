"""Which projects a command is about, by where it was called and by `--project`."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.config import Settings
from ops_orchestrate.errors import RegistryError, UsageError
from tests.adapters.registry.help import load, make_repo, register
from tests.repos import git


class TestScope:
    """One project or all of them."""

    @pytest.fixture
    def two(self, settings: Settings, home: Path) -> Settings:
        make_repo(home / "app", "https://github.com/org/app.git")
        make_repo(home / "lib")
        register(settings, {"alias": "app", "paths": ["~/app"]}, {"alias": "lib", "paths": ["~/lib"]})
        return settings

    def test_everywhere_else_it_is_all(self, two: Settings, home: Path, tmp_path: Path) -> None:
        for place in (home, tmp_path, None):
            portfolio = load(two, cwd=place)
            assert portfolio.scope == "global"
            assert [project.alias for project in portfolio.projects] == ["app", "lib"]

    def test_a_repository_of_the_registry(self, two: Settings, home: Path) -> None:
        (home / "app" / "deep" / "down").mkdir(parents=True)
        git("worktree", "add", "--quiet", "--detach", home / "tree", cwd=home / "app")
        for place in (home / "app", home / "app" / "deep" / "down", home / "tree"):
            portfolio = load(two, cwd=place)
            assert portfolio.scope == "scoped"
            assert [project.alias for project in portfolio.projects] == ["app"]
            assert portfolio.out_of_scope == ("lib",)

    def test_another_checkout_of_a_registered_repository(self, two: Settings, home: Path) -> None:
        place = make_repo(home / "app-again", "git@github.com:org/app.git")
        assert [project.alias for project in load(two, cwd=place).projects] == ["app"]

    def test_a_repository_that_is_not_registered(self, two: Settings, tmp_path: Path) -> None:
        place = make_repo(tmp_path / "New Thing")
        portfolio = load(two, cwd=place)
        assert [(p.alias, p.repositories[0].path) for p in portfolio.projects] == [("new-thing", str(place))]
        assert any("not in the registry" in warning for warning in portfolio.warnings)

    def test_no_registry_is_needed_inside_a_repository(self, settings: Settings, tmp_path: Path) -> None:
        place = make_repo(tmp_path / "new")
        portfolio = load(settings, cwd=place)
        assert (portfolio.scope, portfolio.origin) == ("scoped", str(place))
        with pytest.raises(RegistryError, match="There is no registry"):
            load(settings, cwd=tmp_path)

    def test_a_damaged_registry_is_an_error_inside_a_repository_too(self, settings: Settings, tmp_path: Path) -> None:
        register(settings).write_text("{")
        with pytest.raises(RegistryError, match="not valid JSON"):
            load(settings, cwd=make_repo(tmp_path / "new"))

    def test_a_home_folder_under_git_is_not_a_project(self, two: Settings, home: Path) -> None:
        make_repo(home)
        (home / "notes").mkdir()
        assert load(two, cwd=home).scope == "global"
        assert load(two, cwd=home / "notes").scope == "global"

    def test_a_named_project_wins_over_the_folder(self, two: Settings, home: Path) -> None:
        portfolio = load(two, cwd=home / "app", project="lib")
        assert ([p.alias for p in portfolio.projects], portfolio.scope) == (["lib"], "scoped")
        assert portfolio.out_of_scope == ("app",)

    def test_what_is_out_of_scope_still_says_which_team_it_shares(self, settings: Settings, home: Path) -> None:
        for name in ("app", "lib", "docs"):
            make_repo(home / name, f"git@github.com:org/{name}.git")
        team = {"alias": "eng", "type": "external", "source": "linear", "linear": {"team_key": "ENG"}}
        lib = {"alias": "lib", "paths": ["~/lib"], "ops": {"linear_team": "ENG", "sentry_project": "lib"}}
        register(settings, {"alias": "app", "paths": ["~/app"]}, lib, {"alias": "docs", "paths": ["~/docs"]}, team)
        scoped = load(settings, project="app")
        assert [(one.alias, one.linear_team, one.sentry_project) for one in scoped.elsewhere] == [("lib", "ENG", "lib")]
        assert load(settings).elsewhere == ()

    def test_b16_an_unknown_alias_suggests_the_nearest(self, two: Settings) -> None:
        with pytest.raises(UsageError, match=r'No project "lbi".*Did you mean "lib"\?'):
            load(two, project="lbi")
        with pytest.raises(UsageError, match="ops-orchestrate projects"):
            load(two, project="zzzzzz")
