"""What the registry has now for a repository of a run that began before it was edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.adapters.gitplace import git_probe
from ops_orchestrate.adapters.registered import registered
from ops_orchestrate.config import Settings
from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.core.regate import Registered
from ops_orchestrate.errors import RegistryError
from tests.adapters.registry.help import load, make_repo, register

GATE = {"gate": "make test", "gate_hosts": ["pypi.org"]}


def now(settings: Settings, portfolio: Portfolio, key: str = "") -> Registered:
    """As it is for the first repository of the run."""
    key = key or portfolio.projects[0].repositories[0].key
    return registered(settings, git_probe(settings), portfolio, key)


@pytest.fixture
def began(settings: Settings, home: Path) -> Portfolio:
    """A run over one repository without a gate."""
    make_repo(home / "app", "https://github.com/org/app.git")
    register(settings, {"alias": "app", "paths": ["~/app"]})
    return load(settings)


def test_a_gate_that_was_added_since(settings: Settings, began: Portfolio) -> None:
    before = now(settings, began)
    assert before.repository
    assert before.repository.gate is None
    path = register(settings, {"alias": "app", "paths": ["~/app"], "ops": GATE})
    found = now(settings, began)
    assert found.repository
    assert (found.repository.gate, found.repository.gate_hosts) == ("make test", ("pypi.org",))
    assert (found.origin, before.digest == began.digest, found.digest == began.digest) == (str(path), True, False)


def test_an_entry_that_has_another_name_now_is_found_by_its_repository(settings: Settings, began: Portfolio) -> None:
    register(settings, {"alias": "other", "paths": ["~/app"], "ops": GATE})
    found = now(settings, began).repository
    assert found
    assert found.gate == "make test"


def test_another_repository_under_the_old_name_lends_it_no_gate(
    settings: Settings, began: Portfolio, home: Path
) -> None:
    make_repo(home / "lib", "https://github.com/org/lib.git")
    register(settings, {"alias": "app", "paths": ["~/lib"], "ops": GATE})
    assert now(settings, began).repository is None


def test_the_file_of_the_runs_start_counts(
    settings: Settings, began: Portfolio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one that a variable names meanwhile; where it is gone, the one that is found."""
    own = register(settings, {"alias": "app", "paths": ["~/app"], "ops": GATE})
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text(own.read_text().replace("make test", "true"))
    elsewhere.chmod(0o600)
    moved = settings.model_copy(update={"registry": elsewhere})
    assert now(moved, began).origin == str(own)
    own.unlink()
    found = now(moved, began)
    assert found.origin == str(elsewhere)
    assert found.repository
    assert found.repository.gate == "true"


def test_a_run_from_inside_a_repository_finds_the_registry_that_was_made_since(settings: Settings, home: Path) -> None:
    place = make_repo(home / "app", "https://github.com/org/app.git")
    began = load(settings, cwd=place)
    assert "There is no registry." in now(settings, began).missing
    register(settings, {"alias": "app", "paths": ["~/app"], "ops": GATE})
    found = now(settings, began)
    assert found.repository
    assert (found.missing, found.repository.gate) == ("", "make test")


def test_a_registry_that_others_may_write_gives_no_gate(settings: Settings, began: Portfolio) -> None:
    register(settings, {"alias": "app", "paths": ["~/app"], "ops": GATE}).chmod(0o666)
    with pytest.raises(RegistryError, match="can be written by everybody"):
        now(settings, began)
