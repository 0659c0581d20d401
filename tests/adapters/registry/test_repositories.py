"""From folders to repositories, with real git."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.config import Settings, load_settings
from ops_orchestrate.errors import RegistryError
from tests.adapters.registry.help import load, make_repo, reasons, register
from tests.repos import git, make_upstream


class TestRepositories:
    """Which repositories an entry's paths are."""

    def test_subdirectories_and_worktrees_are_their_repository(self, settings: Settings, home: Path) -> None:
        app = make_repo(home / "app")
        (app / "services" / "api").mkdir(parents=True)
        git("worktree", "add", "--quiet", "--detach", home / "tree", cwd=app)
        register(settings, {"alias": "app", "paths": ["~/tree", "~/app/services/api"]})
        (repository,) = load(settings).projects[0].repositories
        assert repository.path == str(app)
        assert repository.checkouts == ()

    def test_paths_of_several_repositories_are_told_apart_by_their_remotes(
        self, settings: Settings, home: Path
    ) -> None:
        make_repo(home / "a", "git@github.com:org/api.git")
        make_repo(home / "w", "https://github.com/org/web")
        make_repo(home / "w2", "https://token@github.com/org/web.git")
        register(
            settings,
            {
                "alias": "suite",
                "paths": ["~/w", "~/a", "~/w2"],
                "repos": ["org/api", "org/web"],
                "ops": {
                    "gate": "make test",
                    "repos": {"web": {"gate": "npm test"}, "org/api": {"ci": "none"}},
                },
            },
        )
        web, api = load(settings).projects[0].repositories
        assert (web.name, web.slug, web.gate, web.checkouts) == (
            "web",
            "org/web",
            "npm test",
            (str(home / "w2"),),
        )
        assert (api.name, api.slug, api.gate, api.ci) == ("api", "org/api", "make test", "none")

    def test_settings_for_a_repository_that_is_not_there_are_an_error(self, settings: Settings, home: Path) -> None:
        make_repo(home / "web")
        register(settings, {"alias": "s", "paths": ["~/web"], "ops": {"repos": {"wbe": {"gate": "x"}}}})
        with pytest.raises(RegistryError, match=r'project "s", field `ops\.repos\.wbe`.*"web"'):
            load(settings)

    def test_a8_the_second_entry_with_the_same_repository_is_skipped(self, settings: Settings, home: Path) -> None:
        make_repo(home / "one", "https://github.com/org/app.git")
        make_repo(home / "two", "git@github.com:Org/app.git")
        (home / "one" / "sub").mkdir()
        register(
            settings,
            {"alias": "first", "paths": ["~/one"]},
            {"alias": "second", "paths": ["~/two"], "ops": {"repos": {"app": {"gate": "x"}}}},
            {"alias": "nested", "paths": ["~/one/sub"]},
        )
        portfolio = load(settings)
        assert [project.alias for project in portfolio.projects] == ["first"]
        assert reasons(portfolio).splitlines() == [
            f"second: {home}/two: the same repository as project first",
            f"nested: {home}/one: the same repository as project first",
        ]
        assert load(settings, project="second").projects[0].alias == "second"

    def test_other_checkouts_of_the_synced_schema(self, settings: Settings, home: Path) -> None:
        make_repo(home / "app", "https://github.com/org/app.git")
        make_repo(home / "old", "https://github.com/org/app.git")
        make_repo(home / "alien", "https://github.com/org/alien.git")
        others = [f"{home}/old", f"{home}/alien", f"{home}/gone"]
        register(settings, {"name": "app", "path": f"{home}/app/", "aliases": others, "remote_url": ""})
        (repository,) = load(settings).projects[0].repositories
        assert repository.checkouts == (f"{home}/old",)

    def test_a_token_in_a_remote_is_neither_kept_nor_shown(self, settings: Settings, home: Path) -> None:
        make_repo(home / "app", "https://x-access-token:ghp_sEcReT@github.com/org/app.git")
        register(settings, {"alias": "app", "paths": ["~/app"]})
        portfolio = load(settings)
        assert portfolio.projects[0].repositories[0].upstream == "https://github.com/org/app.git"
        assert "ghp_sEcReT" not in portfolio.model_dump_json()
        assert any("credential" in warning for warning in portfolio.warnings)

    def test_a_remote_that_runs_a_program_is_not_used(self, settings: Settings, home: Path) -> None:
        make_repo(home / "app", f"ext::sh -c touch% {home}/fired")
        register(settings, {"alias": "app", "paths": ["~/app"]})
        assert "address that git must not be given" in reasons(load(settings))
        assert not (home / "fired").exists()

    def test_the_remote_that_the_entry_names_wins_over_origin(self, settings: Settings, home: Path) -> None:
        fork = make_repo(home / "app", "https://github.com/me/app.git")
        git("remote", "add", "upstream", "https://github.com/org/app.git", cwd=fork)
        register(settings, {"alias": "app", "paths": ["~/app"], "repos": ["org/app"]})
        (repository,) = load(settings).projects[0].repositories
        assert (repository.slug, repository.upstream) == ("org/app", "https://github.com/org/app.git")

    def test_a_remote_on_the_enterprise_server_needs_no_repos(
        self, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPS_GITHUB_API_URL", "https://git.company.test/api/v3")
        settings = load_settings(data_dir=tmp_path)
        make_repo(home / "app", "git@git.company.test:org/app.git")
        register(settings, {"alias": "app", "paths": ["~/app"]})
        assert load(settings).projects[0].repositories[0].slug == "org/app"

    @pytest.mark.parametrize("remote", ["https://github.com/org/app.git", "git@github-work:org/app.git"])
    def test_under_an_enterprise_server_a_repository_of_github_com_is_left_out_and_named(
        self, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, remote: str
    ) -> None:
        monkeypatch.setenv("OPS_GITHUB_API_URL", "https://git.company.test/api/v3")
        settings = load_settings(data_dir=tmp_path)
        make_repo(home / "app", remote)
        make_repo(home / "own", "git@git.company.test:org/own.git")
        register(
            settings,
            {"alias": "app", "paths": ["~/app"], "repos": ["org/app"]},
            {"alias": "own", "paths": ["~/own"]},
        )
        portfolio = load(settings)
        assert [one.alias for one in portfolio.projects] == ["own"]
        assert "is on github.com (org/app), and OPS_GITHUB_API_URL names git.company.test" in reasons(portfolio)

    def test_a_remote_that_the_entry_does_not_name_is_warned_about(self, settings: Settings, home: Path) -> None:
        make_repo(home / "app", "https://github.com/me/app.git")
        register(settings, {"alias": "app", "paths": ["~/app"], "repos": ["org/app"]})
        portfolio = load(settings)
        assert portfolio.projects[0].repositories[0].slug == "me/app"
        assert any("me/app" in warning for warning in portfolio.warnings)

    def test_local_remotes_and_none(self, settings: Settings, tmp_path: Path, home: Path) -> None:
        upstream = make_upstream(tmp_path, "lib")
        git("remote", "set-url", "origin", "../lib.git", cwd=upstream.checkout)
        make_repo(home / "alone")
        register(
            settings,
            {"alias": "lib", "paths": [str(upstream.checkout)], "repos": ["none"]},
            {"alias": "alone", "paths": ["~/alone"]},
        )
        lib, alone = (project.repositories[0] for project in load(settings).projects)
        assert (lib.upstream, lib.slug, lib.name) == (str(upstream.bare), None, "lib")
        assert (alone.upstream, alone.slug, alone.name) == (str(home / "alone"), None, "alone")

    def test_the_key_is_the_same_for_every_checkout_and_safe(self, settings: Settings, home: Path) -> None:
        make_repo(home / "a b", "https://github.com/org/Über.App.git")
        make_repo(home / "c", "git@github.com:org/Über.App")
        register(settings, {"alias": "one", "paths": ["~/a b"]})
        first = load(settings).projects[0].repositories[0].key
        register(settings, {"alias": "two", "paths": ["~/c"]})
        assert load(settings).projects[0].repositories[0].key == first
        assert first.startswith("uber-app-") and len(first) == len("uber-app-") + 8

    def test_planning_folders_are_noticed(self, settings: Settings, home: Path) -> None:
        (make_repo(home / "app") / ".planning").mkdir()
        register(settings, {"alias": "app", "paths": ["~/app"]})
        assert load(settings).projects[0].planning


def test_topics_set_a_deadline_and_raise_the_priority_by_one(settings: Settings, home: Path) -> None:
    make_repo(home / "app")
    register(settings, {"alias": "app", "paths": ["~/app"], "priority": 5})
    (settings.data_dir / "memories").mkdir()
    topics = "### Launch of app\n- **Action**: hurry\n- **Deadline**: 2026-04-20\n"
    (settings.data_dir / "memories" / "topics_active.md").write_text(topics)
    (project,) = load(settings).projects
    assert (project.priority, project.deadline) == (4, "2026-04-20")
