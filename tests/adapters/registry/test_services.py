"""The services file beside the registry: the owner's own is read, a repository's never is."""

from __future__ import annotations

import json
from pathlib import Path

from ops_orchestrate.config import Settings
from ops_orchestrate.core.project import Deployed
from tests.adapters.registry.help import load, make_repo, register

WEB = {"org/web:main": {"health": "https://web.test/h"}, "org/web": {"health": "https://odd.test"}}


def put(folder: Path, document: object) -> None:
    folder.mkdir(parents=True)
    (folder / "post-merge-services.json").write_text(json.dumps(document))


def test_it_is_read_from_the_home_folder_alone(settings: Settings, home: Path) -> None:
    checkout = make_repo(home / "web", "git@github.com:org/web.git")
    register(settings, {"alias": "web", "paths": [str(checkout)]})
    put(checkout / ".claude", {"org/web:main": {"version": "https://evil.test"}})
    put(checkout / ".claude" / "config", {"org/web:main": {"version": "https://evil.test"}})
    assert load(settings).projects[0].repositories[0].deployed == ()
    put(home / ".claude" / "config", WEB)
    portfolio = load(settings)
    assert portfolio.projects[0].repositories[0].deployed == (Deployed(branch="main", health_url="https://web.test/h"),)
    assert [warning for warning in portfolio.warnings if '"org/web" is not `owner/name:branch`' in warning]


def test_one_that_cannot_be_opened_is_a_warning(settings: Settings, home: Path) -> None:
    register(settings, {"alias": "web", "paths": [str(make_repo(home / "web"))]})
    (home / ".claude" / "config" / "post-merge-services.json").mkdir(parents=True)
    assert "cannot be read" in " ".join(load(settings).warnings)
