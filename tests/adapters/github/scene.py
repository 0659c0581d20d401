"""A GitHub of a test with one repository, and everything of ours that talks to it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ops_orchestrate.adapters.github.access import GitHubAccess
from ops_orchestrate.adapters.github.address import read_address
from ops_orchestrate.adapters.github.auth import TokenIdentity
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import RateLimits
from ops_orchestrate.adapters.github.pulls import GitHubPullRequests
from ops_orchestrate.adapters.workshop import GitWorkshop
from ops_orchestrate.config import Settings
from ops_orchestrate.core.project import Repository
from ops_orchestrate.standin.journal import Entry
from ops_orchestrate.standin.run import Standin
from tests.adapters.github.scripted import Known
from tests.builders import make_repository

SLUG = "acme/app"
TOKEN = "ghp_" + "c3D4" * 9
OURS = "ops/t1/a1"


class Scene:
    """The bot may write to `acme/app`; rita reviews, bob is a colleague, mallory a stranger."""

    def __init__(self, github: Standin, folder: Path) -> None:
        self.github = github
        self.control = github.control
        self.control.add_user("bot", token=TOKEN)
        self.add(SLUG)
        for login, level in {"rita": "write", "bob": "write"}.items():
            self.control.permit(SLUG, login, level)
        address, identity = read_address(github.url), TokenIdentity(Known(GITHUB_TOKEN=TOKEN))
        self.limits = RateLimits(500, time.time)
        self.client = GitHubClient(address, identity, self.limits, write_gap=0.0, timeout=10.0)
        settings = Settings(data_dir=folder)
        self.workshop = GitWorkshop(folder, settings, GitHubAccess(address, identity))
        self.pulls = GitHubPullRequests(self.client, self.workshop.mirrors)
        self.repo = self.value(SLUG)

    def add(self, slug: str, level: str = "write", **more: Any) -> None:
        """A repository with `main` and `dev` that the bot has this level on."""
        self.control.add_repository(slug, files={"README.md": "Hello\n"}, organization=True, **more)
        self.control.push(slug, "dev", None, start="main")
        self.control.permit(slug, "bot", level)

    def value(self, slug: str, **more: Any) -> Repository:
        """The repository as the registry would give it."""
        owner_name = slug.replace("/", "-")
        return make_repository(owner_name, slug=slug, upstream=self.github.clone_url(slug), **more)

    def open(self, branch: str = OURS, base: str = "dev", by: str = "bot", **files: str) -> int:
        """A pull request from a branch with these files changed."""
        self.control.push(SLUG, branch, dict(files) or {"a.txt": "new\n"}, by=by, start=base)
        return self.control.open_pull(SLUG, branch, base, "Mend it", by).number

    def head(self, branch: str = OURS) -> str:
        """Where a branch stands."""
        found = self.control.repository(SLUG).branch(branch)
        assert found
        return found

    def asked(self) -> list[Entry]:
        """Every request so far, but those of git."""
        return [one for one in self.control.journal.requests() if ".git/" not in one.what]

    def close(self) -> None:
        self.client.close()
