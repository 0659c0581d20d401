"""From the registry file to the portfolio, with real folders and real repositories."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.gitplace import git_probe
from ops_orchestrate.adapters.registry import find_registry, load_portfolio, read_registry
from ops_orchestrate.config import Settings, load_settings
from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.errors import GitError, RegistryError, UsageError
from tests.repos import ENV, git, make_upstream


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own, and none of the user's settings."""
    for name in [name for name in os.environ if name.startswith(("OPS_", "CLAUDE_", "XDG_", "GIT_"))]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "data").mkdir()
    return load_settings(data_dir=tmp_path / "data")


def _repo(path: Path, remote: str | None = None) -> Path:
    git("init", "--quiet", "--initial-branch=main", path)
    git("commit", "--quiet", "--allow-empty", "-m", "start", cwd=path)
    if remote:
        git("remote", "add", "origin", remote, cwd=path)
    return path


def _write(settings: Settings, *projects: dict[str, Any]) -> Path:
    path = settings.data_dir / "registry.json"
    path.write_text(json.dumps({"projects": projects}))
    path.chmod(0o600)
    return path


def _load(settings: Settings, *, cwd: Path | None = None, project: str | None = None) -> Portfolio:
    return load_portfolio(settings, git_probe(settings), None, cwd, project)


def _reasons(portfolio: Portfolio) -> str:
    return "\n".join(f"{one.name}: {one.reason}" for one in portfolio.skipped)


class TestLookup:
    """Where the file is looked for, and who may have written it."""

    def test_a1_a_missing_file_lists_every_place_and_the_remedy(self, settings: Settings, tmp_path: Path) -> None:
        with_root = settings.model_copy(update={"plugin_root": tmp_path / "plugin"})
        with pytest.raises(RegistryError) as caught:
            find_registry(with_root)
        for part in ("data/registry.json", "plugin/scripts/registry.json", "ops-orchestrate init"):
            assert part in str(caught.value)

    def test_a_file_that_was_asked_for_must_be_there(self, settings: Settings, tmp_path: Path) -> None:
        _write(settings)
        with pytest.raises(RegistryError, match="--registry"):
            find_registry(settings, tmp_path / "no.json")
        with pytest.raises(RegistryError, match="OPS_REGISTRY"):
            find_registry(settings.model_copy(update={"registry": tmp_path / "no.json"}))

    def test_the_first_place_counts(self, settings: Settings, tmp_path: Path) -> None:
        plugin = tmp_path / "plugin" / "scripts" / "registry.json"
        plugin.parent.mkdir(parents=True)
        plugin.write_text("{}")
        found = settings.model_copy(update={"plugin_root": tmp_path / "plugin"})
        assert find_registry(found) == plugin
        data = _write(settings)
        assert find_registry(found) == data
        named = tmp_path / "named.json"
        named.write_text("{}")
        assert find_registry(found.model_copy(update={"registry": named})) == named
        assert find_registry(found.model_copy(update={"registry": named}), data) == data

    def test_the_plugin_folder_comes_from_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CLAUDE_PLUGIN_ROOT", str(tmp_path / "plugin"))
        assert load_settings(data_dir=tmp_path).plugin_root == tmp_path / "plugin"

    def test_a11_a_file_that_everybody_may_write_is_refused(self, settings: Settings) -> None:
        path = _write(settings)
        path.chmod(0o666)
        with pytest.raises(RegistryError, match=f"chmod o-w {path}"):
            read_registry(path)

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to another user")
    def test_a11_a_file_of_another_user_is_refused(self, settings: Settings) -> None:
        path = _write(settings)
        os.chown(path, 12345, 12345)
        with pytest.raises(RegistryError, match="another user"):
            read_registry(path)

    def test_b22_a_folder_or_an_unreadable_file_is_one_sentence(self, settings: Settings) -> None:
        (settings.data_dir / "registry.json").mkdir()
        with pytest.raises(RegistryError, match="cannot be read"):
            read_registry(settings.data_dir / "registry.json")

    def test_a2_no_projects_is_an_error_with_the_remedy(self, settings: Settings) -> None:
        _write(settings)
        with pytest.raises(RegistryError, match="lists no projects"):
            _load(settings)

    def test_a12_the_digest_is_that_of_the_bytes_that_were_read(self, settings: Settings, home: Path) -> None:
        _repo(home / "app")
        _write(settings, {"alias": "app", "paths": ["~/app"]})
        before = _load(settings)
        assert _load(settings).digest == before.digest
        _write(settings, {"alias": "app", "paths": ["~/app"], "priority": 2})
        assert _load(settings).digest != before.digest
        assert before.projects[0].priority == 99


class TestPaths:
    """What a path can be, beside a repository."""

    def test_a7_home_relative_and_absolute_paths(self, settings: Settings, home: Path) -> None:
        one, two, three = _repo(home / "one"), _repo(settings.data_dir / "two"), _repo(home / "three")
        _write(
            settings,
            {"alias": "one", "paths": ["~/one"]},
            {"alias": "two", "paths": ["two"]},
            {"alias": "three", "paths": [f"{three}/"]},
        )
        assert [p.repositories[0].path for p in _load(settings).projects] == [str(one), str(two), str(three)]

    def test_a7_everything_else_is_skipped_with_its_reason(self, settings: Settings, home: Path) -> None:
        (home / "file").write_text("")
        (home / "plain").mkdir()
        (home / "loop").symlink_to(home / "loop")
        git("init", "--quiet", "--bare", home / "bare.git")
        _repo(home / "ok")
        names = ["gone", "file", "plain", "loop", "bare.git", "ok", "file/below"]
        _write(
            settings,
            *({"alias": name.split(".")[0].replace("/", "-"), "paths": [f"~/{name}"]} for name in names),
            {"alias": "nobody", "paths": ["~no-such-user-here/x"]},
            {"alias": "empty", "paths": []},
            {"alias": "shop", "type": "external", "source": "shopify"},
        )
        portfolio = _load(settings)
        assert [project.alias for project in portfolio.projects] == ["ok"]
        assert _reasons(portfolio).splitlines() == [
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
        _write(settings, {"alias": "eng", "type": "external", "source": "linear", "linear": {"team_key": "ENG"}})
        portfolio = _load(settings)
        assert [(one.alias, one.linear_team) for one in portfolio.issue_sources] == [("eng", "ENG")]
        assert portfolio.skipped == ()

    @pytest.mark.parametrize("shelf", ["archives", "scratch", ".worktrees"])
    def test_shelved_projects_are_left_alone_unless_named(self, settings: Settings, home: Path, shelf: str) -> None:
        _repo(home / shelf / "app")
        _write(settings, {"alias": "app", "paths": [f"~/{shelf}/app"]})
        assert f"is under {shelf}/" in _reasons(_load(settings))
        assert _load(settings, project="app").projects[0].alias == "app"

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
    def test_a_repository_that_git_refuses_is_skipped(self, settings: Settings, home: Path) -> None:
        path = _repo(home / "theirs")
        os.chown(path, 12345, 12345)
        os.chown(path / ".git", 12345, 12345)
        _write(settings, {"alias": "theirs", "paths": ["~/theirs"]})
        assert "belongs to another user" in _reasons(_load(settings))
        with pytest.raises(GitError, match="belongs to another user"):
            _load(settings, cwd=path)


class TestRepositories:
    """Which repositories an entry's paths are."""

    def test_subdirectories_and_worktrees_are_their_repository(self, settings: Settings, home: Path) -> None:
        app = _repo(home / "app")
        (app / "services" / "api").mkdir(parents=True)
        git("worktree", "add", "--quiet", "--detach", home / "tree", cwd=app)
        _write(settings, {"alias": "app", "paths": ["~/tree", "~/app/services/api"]})
        (repository,) = _load(settings).projects[0].repositories
        assert repository.path == str(app)
        assert repository.checkouts == ()

    def test_paths_of_several_repositories_are_told_apart_by_their_remotes(
        self, settings: Settings, home: Path
    ) -> None:
        _repo(home / "a", "git@github.com:org/api.git")
        _repo(home / "w", "https://github.com/org/web")
        _repo(home / "w2", "https://token@github.com/org/web.git")
        _write(
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
        web, api = _load(settings).projects[0].repositories
        assert (web.name, web.slug, web.gate, web.checkouts) == (
            "web",
            "org/web",
            "npm test",
            (str(home / "w2"),),
        )
        assert (api.name, api.slug, api.gate, api.ci) == ("api", "org/api", "make test", "none")

    def test_settings_for_a_repository_that_is_not_there_are_an_error(self, settings: Settings, home: Path) -> None:
        _repo(home / "web")
        _write(settings, {"alias": "s", "paths": ["~/web"], "ops": {"repos": {"wbe": {"gate": "x"}}}})
        with pytest.raises(RegistryError, match=r'project "s", field `ops\.repos\.wbe`.*"web"'):
            _load(settings)

    def test_a8_the_second_entry_with_the_same_repository_is_skipped(self, settings: Settings, home: Path) -> None:
        _repo(home / "one", "https://github.com/org/app.git")
        _repo(home / "two", "git@github.com:Org/app.git")
        (home / "one" / "sub").mkdir()
        _write(
            settings,
            {"alias": "first", "paths": ["~/one"]},
            {"alias": "second", "paths": ["~/two"], "ops": {"repos": {"app": {"gate": "x"}}}},
            {"alias": "nested", "paths": ["~/one/sub"]},
        )
        portfolio = _load(settings)
        assert [project.alias for project in portfolio.projects] == ["first"]
        assert _reasons(portfolio).splitlines() == [
            f"second: {home}/two: the same repository as project first",
            f"nested: {home}/one: the same repository as project first",
        ]
        assert _load(settings, project="second").projects[0].alias == "second"

    def test_other_checkouts_of_the_synced_schema(self, settings: Settings, home: Path) -> None:
        _repo(home / "app", "https://github.com/org/app.git")
        _repo(home / "old", "https://github.com/org/app.git")
        _repo(home / "alien", "https://github.com/org/alien.git")
        others = [f"{home}/old", f"{home}/alien", f"{home}/gone"]
        _write(settings, {"name": "app", "path": f"{home}/app/", "aliases": others, "remote_url": ""})
        (repository,) = _load(settings).projects[0].repositories
        assert repository.checkouts == (f"{home}/old",)

    def test_a_token_in_a_remote_is_neither_kept_nor_shown(self, settings: Settings, home: Path) -> None:
        _repo(home / "app", "https://x-access-token:ghp_sEcReT@github.com/org/app.git")
        _write(settings, {"alias": "app", "paths": ["~/app"]})
        portfolio = _load(settings)
        assert portfolio.projects[0].repositories[0].upstream == "https://github.com/org/app.git"
        assert "ghp_sEcReT" not in portfolio.model_dump_json()
        assert any("credential" in warning for warning in portfolio.warnings)

    def test_a_remote_that_runs_a_program_is_not_used(self, settings: Settings, home: Path) -> None:
        _repo(home / "app", f"ext::sh -c touch% {home}/fired")
        _write(settings, {"alias": "app", "paths": ["~/app"]})
        assert "address that git must not be given" in _reasons(_load(settings))
        assert not (home / "fired").exists()

    def test_the_remote_that_the_entry_names_wins_over_origin(self, settings: Settings, home: Path) -> None:
        fork = _repo(home / "app", "https://github.com/me/app.git")
        git("remote", "add", "upstream", "https://github.com/org/app.git", cwd=fork)
        _write(settings, {"alias": "app", "paths": ["~/app"], "repos": ["org/app"]})
        (repository,) = _load(settings).projects[0].repositories
        assert (repository.slug, repository.upstream) == ("org/app", "https://github.com/org/app.git")

    def test_a_remote_that_the_entry_does_not_name_is_warned_about(self, settings: Settings, home: Path) -> None:
        _repo(home / "app", "https://github.com/me/app.git")
        _write(settings, {"alias": "app", "paths": ["~/app"], "repos": ["org/app"]})
        portfolio = _load(settings)
        assert portfolio.projects[0].repositories[0].slug == "me/app"
        assert any("me/app" in warning for warning in portfolio.warnings)

    def test_local_remotes_and_none(self, settings: Settings, tmp_path: Path, home: Path) -> None:
        upstream = make_upstream(tmp_path, "lib")
        git("remote", "set-url", "origin", "../lib.git", cwd=upstream.checkout)
        _repo(home / "alone")
        _write(
            settings,
            {"alias": "lib", "paths": [str(upstream.checkout)], "repos": ["none"]},
            {"alias": "alone", "paths": ["~/alone"]},
        )
        lib, alone = (project.repositories[0] for project in _load(settings).projects)
        assert (lib.upstream, lib.slug, lib.name) == (str(upstream.bare), None, "lib")
        assert (alone.upstream, alone.slug, alone.name) == (str(home / "alone"), None, "alone")

    def test_the_key_is_the_same_for_every_checkout_and_safe(self, settings: Settings, home: Path) -> None:
        _repo(home / "a b", "https://github.com/org/Über.App.git")
        _repo(home / "c", "git@github.com:org/Über.App")
        _write(settings, {"alias": "one", "paths": ["~/a b"]})
        first = _load(settings).projects[0].repositories[0].key
        _write(settings, {"alias": "two", "paths": ["~/c"]})
        assert _load(settings).projects[0].repositories[0].key == first
        assert first.startswith("uber-app-") and len(first) == len("uber-app-") + 8

    def test_planning_folders_are_noticed(self, settings: Settings, home: Path) -> None:
        (_repo(home / "app") / ".planning").mkdir()
        _write(settings, {"alias": "app", "paths": ["~/app"]})
        assert _load(settings).projects[0].planning


class TestScope:
    """One project or all of them."""

    @pytest.fixture
    def two(self, settings: Settings, home: Path) -> Settings:
        _repo(home / "app", "https://github.com/org/app.git")
        _repo(home / "lib")
        _write(settings, {"alias": "app", "paths": ["~/app"]}, {"alias": "lib", "paths": ["~/lib"]})
        return settings

    def test_everywhere_else_it_is_all(self, two: Settings, home: Path, tmp_path: Path) -> None:
        for place in (home, tmp_path, None):
            portfolio = _load(two, cwd=place)
            assert portfolio.scope == "global"
            assert [project.alias for project in portfolio.projects] == ["app", "lib"]

    def test_a_repository_of_the_registry(self, two: Settings, home: Path) -> None:
        (home / "app" / "deep" / "down").mkdir(parents=True)
        git("worktree", "add", "--quiet", "--detach", home / "tree", cwd=home / "app")
        for place in (home / "app", home / "app" / "deep" / "down", home / "tree"):
            portfolio = _load(two, cwd=place)
            assert portfolio.scope == "scoped"
            assert [project.alias for project in portfolio.projects] == ["app"]
            assert portfolio.out_of_scope == ("lib",)

    def test_another_checkout_of_a_registered_repository(self, two: Settings, home: Path) -> None:
        place = _repo(home / "app-again", "git@github.com:org/app.git")
        assert [project.alias for project in _load(two, cwd=place).projects] == ["app"]

    def test_a_repository_that_is_not_registered(self, two: Settings, tmp_path: Path) -> None:
        place = _repo(tmp_path / "New Thing")
        portfolio = _load(two, cwd=place)
        assert [(p.alias, p.repositories[0].path) for p in portfolio.projects] == [("new-thing", str(place))]
        assert any("not in the registry" in warning for warning in portfolio.warnings)

    def test_no_registry_is_needed_inside_a_repository(self, settings: Settings, tmp_path: Path) -> None:
        place = _repo(tmp_path / "new")
        portfolio = _load(settings, cwd=place)
        assert (portfolio.scope, portfolio.origin) == ("scoped", str(place))
        with pytest.raises(RegistryError, match="There is no registry"):
            _load(settings, cwd=tmp_path)

    def test_a_damaged_registry_is_an_error_inside_a_repository_too(self, settings: Settings, tmp_path: Path) -> None:
        _write(settings).write_text("{")
        with pytest.raises(RegistryError, match="not valid JSON"):
            _load(settings, cwd=_repo(tmp_path / "new"))

    def test_a_home_folder_under_git_is_not_a_project(self, two: Settings, home: Path) -> None:
        _repo(home)
        (home / "notes").mkdir()
        assert _load(two, cwd=home).scope == "global"
        assert _load(two, cwd=home / "notes").scope == "global"

    def test_a_named_project_wins_over_the_folder(self, two: Settings, home: Path) -> None:
        portfolio = _load(two, cwd=home / "app", project="lib")
        assert ([p.alias for p in portfolio.projects], portfolio.scope) == (["lib"], "scoped")
        assert portfolio.out_of_scope == ("app",)

    def test_what_is_out_of_scope_still_says_which_team_it_shares(self, settings: Settings, home: Path) -> None:
        for name in ("app", "lib", "docs"):
            _repo(home / name, f"git@github.com:org/{name}.git")
        team = {"alias": "eng", "type": "external", "source": "linear", "linear": {"team_key": "ENG"}}
        lib = {"alias": "lib", "paths": ["~/lib"], "ops": {"linear_team": "ENG", "sentry_project": "lib"}}
        _write(settings, {"alias": "app", "paths": ["~/app"]}, lib, {"alias": "docs", "paths": ["~/docs"]}, team)
        scoped = _load(settings, project="app")
        assert [(one.alias, one.linear_team, one.sentry_project) for one in scoped.elsewhere] == [("lib", "ENG", "lib")]
        assert _load(settings).elsewhere == ()

    def test_b16_an_unknown_alias_suggests_the_nearest(self, two: Settings) -> None:
        with pytest.raises(UsageError, match=r'No project "lbi".*Did you mean "lib"\?'):
            _load(two, project="lbi")
        with pytest.raises(UsageError, match="ops-orchestrate projects"):
            _load(two, project="zzzzzz")


def test_topics_set_a_deadline_and_raise_the_priority_by_one(settings: Settings, home: Path) -> None:
    _repo(home / "app")
    _write(settings, {"alias": "app", "paths": ["~/app"], "priority": 5})
    (settings.data_dir / "memories").mkdir()
    topics = "### Launch of app\n- **Action**: hurry\n- **Deadline**: 2026-04-20\n"
    (settings.data_dir / "memories" / "topics_active.md").write_text(topics)
    (project,) = _load(settings).projects
    assert (project.priority, project.deadline) == (4, "2026-04-20")


def test_reading_changes_nothing(settings: Settings, home: Path) -> None:
    app = _repo(home / "app", "https://github.com/org/app.git")
    _write(settings, {"alias": "app", "paths": ["~/app"]})
    before = {path: path.stat().st_mtime_ns for path in sorted(app.rglob("*"))}
    _load(settings, cwd=app)
    assert {path: path.stat().st_mtime_ns for path in sorted(app.rglob("*"))} == before
    assert ENV["HOME"] == "/nonexistent"
