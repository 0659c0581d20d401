"""`init`: which repositories are found under a folder, and what is proposed for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.adapters.discover import Discovered, discover, gate_for
from ops_orchestrate.adapters.gitplace import git_probe
from ops_orchestrate.config import load_settings
from ops_orchestrate.errors import UsageError
from tests.repos import commit, git


def _repo(path: Path, remote: str | None = None) -> Path:
    git("init", "--quiet", "--initial-branch=main", path)
    commit(path, {"README.md": "x"})
    if remote:
        git("remote", "add", "origin", remote, cwd=path)
    return path


def _discover(*folders: Path, depth: int = 5) -> Discovered:
    return discover(folders, git_probe(load_settings(data_dir=folders[0])), depth=depth)


def test_repositories_are_found_with_alias_slug_and_gate(tmp_path: Path) -> None:
    api = _repo(tmp_path / "work" / "api-checkout", "git@github.com:org/api.git")
    (api / "go.mod").write_text("module x\n")
    (api / ".planning").mkdir()
    _repo(tmp_path / "tool")
    found = _discover(tmp_path).candidates
    assert [(one.alias, one.slug, one.path) for one in found] == [
        ("tool", None, str(tmp_path / "tool")),
        ("api", "org/api", str(api)),
    ]
    assert found[1].proposal and found[1].proposal.gate.startswith("go vet")
    assert (found[1].planning, found[0].planning, found[0].proposal) == (True, False, None)


def test_a_remote_on_the_enterprise_server_shows_its_slug(tmp_path: Path) -> None:
    _repo(tmp_path / "api", "git@git.company.test:org/api.git")
    probe = git_probe(load_settings(data_dir=tmp_path))
    assert discover([tmp_path], probe).candidates[0].slug is None
    assert discover([tmp_path], probe, github="git.company.test").candidates[0].slug == "org/api"


def test_worktrees_submodules_and_second_checkouts_are_not_listed_twice(tmp_path: Path) -> None:
    app = _repo(tmp_path / "a-app", "https://github.com/org/app")
    _repo(tmp_path / "b-again", "git@github.com:org/app.git")
    git("worktree", "add", "--quiet", "--detach", tmp_path / "c-tree", cwd=app)
    lib = _repo(tmp_path / "lib")
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib, "vendored", cwd=app)
    found = _discover(tmp_path)
    assert [one.alias for one in found.candidates] == ["app", "lib"]
    assert {Path(one.name).name: one.reason for one in found.skipped} == {
        "b-again": f"another checkout of {app}",
        "c-tree": f"a worktree of {app}",
        "vendored": "a submodule",
    }


def test_folders_of_tools_links_and_deep_folders_are_passed_over(tmp_path: Path) -> None:
    for name in ("node_modules/x", ".venv/src/y", ".worktrees/z", "1/2/3/4/5/6/deep"):
        _repo(tmp_path / "root" / name)
    _repo(tmp_path / "elsewhere")
    (tmp_path / "root" / "link").symlink_to(tmp_path / "elsewhere")
    assert _discover(tmp_path / "root").candidates == ()
    assert len(_discover(tmp_path / "root", depth=7).candidates) == 1


def test_overlapping_folders_and_equal_names(tmp_path: Path) -> None:
    _repo(tmp_path / "one" / "app")
    _repo(tmp_path / "two" / "app")
    found = _discover(tmp_path, tmp_path / "one")
    assert [one.alias for one in found.candidates] == ["app", "app-2"]
    assert found.skipped == ()


def test_a_git_folder_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "odd" / ".git").mkdir(parents=True)
    assert [one.reason for one in _discover(tmp_path).skipped] == ["git does not know it as a repository"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        _discover(tmp_path / "no")


def test_a_proposal_does_not_follow_links_and_survives_strange_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"scripts": {"test": "x"}}')
    app = tmp_path / "app"
    app.mkdir()
    (app / "package.json").symlink_to(tmp_path / "secret")
    (app / "Makefile").mkdir()
    (app / "pyproject.toml").write_bytes(b"\xff\xfe\x00")
    assert gate_for(app) is None
    (app / "tests").mkdir()
    (app / "tests" / "conftest.py").write_text("")
    proposal = gate_for(app)
    assert proposal and proposal.gate == "python3 -m pytest -q"
