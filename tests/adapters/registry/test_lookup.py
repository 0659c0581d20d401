"""Which registry file is read, and that reading changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops_orchestrate.adapters.registry import find_registry, read_registry
from ops_orchestrate.config import Settings, load_settings
from ops_orchestrate.errors import RegistryError
from tests.adapters.registry.help import load, make_repo, register
from tests.repos import ENV


class TestLookup:
    """Where the file is looked for, and who may have written it."""

    def test_a1_a_missing_file_lists_every_place_and_the_remedy(self, settings: Settings, tmp_path: Path) -> None:
        with_root = settings.model_copy(update={"plugin_root": tmp_path / "plugin"})
        with pytest.raises(RegistryError) as caught:
            find_registry(with_root)
        for part in ("data/registry.json", "plugin/scripts/registry.json", "ops-orchestrate init"):
            assert part in str(caught.value)

    def test_a_file_that_was_asked_for_must_be_there(self, settings: Settings, tmp_path: Path) -> None:
        register(settings)
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
        data = register(settings)
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
        path = register(settings)
        path.chmod(0o666)
        with pytest.raises(RegistryError, match=f"chmod o-w {path}"):
            read_registry(path)

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to another user")
    def test_a11_a_file_of_another_user_is_refused(self, settings: Settings) -> None:
        path = register(settings)
        os.chown(path, 12345, 12345)
        with pytest.raises(RegistryError, match="another user"):
            read_registry(path)

    def test_b22_a_folder_or_an_unreadable_file_is_one_sentence(self, settings: Settings) -> None:
        (settings.data_dir / "registry.json").mkdir()
        with pytest.raises(RegistryError, match="cannot be read"):
            read_registry(settings.data_dir / "registry.json")

    def test_a2_no_projects_is_an_error_with_the_remedy(self, settings: Settings) -> None:
        register(settings)
        with pytest.raises(RegistryError, match="lists no projects"):
            load(settings)

    def test_a12_the_digest_is_that_of_the_bytes_that_were_read(self, settings: Settings, home: Path) -> None:
        make_repo(home / "app")
        register(settings, {"alias": "app", "paths": ["~/app"]})
        before = load(settings)
        assert load(settings).digest == before.digest
        register(settings, {"alias": "app", "paths": ["~/app"], "priority": 2})
        assert load(settings).digest != before.digest
        assert before.projects[0].priority == 99


def test_reading_changes_nothing(settings: Settings, home: Path) -> None:
    app = make_repo(home / "app", "https://github.com/org/app.git")
    register(settings, {"alias": "app", "paths": ["~/app"]})
    before = {path: path.stat().st_mtime_ns for path in sorted(app.rglob("*"))}
    load(settings, cwd=app)
    assert {path: path.stat().st_mtime_ns for path in sorted(app.rglob("*"))} == before
    assert ENV["HOME"] == "/nonexistent"
