"""An installation whose repositories are on GitHub: the stand-in over real HTTP, everything of ours real."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops_orchestrate.core.project import Portfolio, Project
from ops_orchestrate.standin.control_work import Control
from ops_orchestrate.standin.profile import JobPlan
from ops_orchestrate.standin.run import Standin
from tests.builders import make_repository
from tests.conftest import own_server
from tests.engine.rig import GATE, Rig
from tests.repos import git

TOKEN = "t0ken-of-the-bot-0123456789"

#: Waits for CI in fractions of seconds, and somebody who looks as often whether one is over.
PERIODS = {
    "OPS_RECONCILE_EVERY": "0.4",
    "OPS_CI_POLL": "0.4",
    "OPS_CI_GRACE": "3",
    "OPS_CI_SETTLE": "0",
    "OPS_MERGE_UNKNOWN": "2",
    "OPS_GITHUB_WRITE_GAP": "0",
    "OPS_WATCH_EVERY": "0.3",
    "OPS_WATCH_WINDOW": "0.5",
}

#: Passes unless the commit holds a file called RED.
JOB = JobPlan("test", result={"path": "RED", "then": "failure", "else": "success"})


@dataclass
class ForgeRig:
    """One installation and its GitHub. Repositories are made one a test, served by the same workers."""

    rig: Rig
    github: Standin
    slug: str = ""
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def control(self) -> Control:
        return self.github.control

    def repository(self, name: str, *jobs: JobPlan, protected: bool = True, **fields: Any) -> str:
        """A repository with `main` and `dev`, a gate, CI with these jobs, and rules in front of `dev`; its slug."""
        self.slug, self.fields = f"acme/{name}", fields
        files = {"gate.sh": "test ! -e broken\n", ".github/workflows/ci.yml": "on: push\n", "README.md": "Hello\n"}
        self.control.add_repository(self.slug, files=files, organization=True)
        self.control.push(self.slug, "dev", None, start="main")
        self.control.permit(self.slug, "bot", "write")
        self.control.permit(self.slug, "rita", "write")
        self.control.ci(self.slug, jobs=list(jobs or (JOB,)), on=["pull_request"])
        checkout = self.rig.home / "code" / name
        git("clone", "--quiet", self.github.clone_url(self.slug, TOKEN), str(checkout), cwd=self.rig.home)
        git("remote", "set-url", "origin", self.github.clone_url(self.slug), cwd=checkout)
        if protected:
            for branch in ("dev", "main"):
                self.control.protect(self.slug, branch, checks=[job.name for job in jobs or (JOB,)])
        return self.slug

    def portfolio(self, *slugs: str) -> Portfolio:
        """These repositories as projects."""
        values = {"gate": GATE, "promote": False, "integration": "dev"} | self.fields
        found = [
            make_repository(
                slug.split("/")[1],
                path=str(self.rig.home / "code" / slug.split("/")[1]),
                slug=slug,
                upstream=self.github.clone_url(slug),
                **values,
            )
            for slug in slugs or (self.slug,)
        ]
        return Portfolio(
            origin="tests",
            digest="0" * 64,
            projects=tuple(Project(alias=one.key, repositories=(one,)) for one in found),
        )

    def head(self, branch: str) -> str:
        """Where a branch stands on GitHub."""
        found = self.control.repository(self.slug).branch(branch)
        assert found
        return found

    def merges(self) -> list[str]:
        """Every merge that GitHub made, by its journal."""
        merged = self.control.journal.effects("pull-merged", self.slug)
        return [str(entry.facts.get("number", "")) for entry in merged]


@contextmanager
def forge_standing(home: Path, repos: Sequence[str] = (), **env: str) -> Iterator[ForgeRig]:
    """Server, workers and GitHub for all tests of a module."""
    with own_server() as url, Standin(home / "github") as github:
        github.control.add_user("bot", token=TOKEN)
        github.control.add_user("rita")
        secrets = {"OPS_GITHUB_API_URL": github.url, "GITHUB_TOKEN": TOKEN}
        rig = Rig.build(home, url, repos, empty=True, **{**PERIODS, **secrets, **env})
        yield ForgeRig(rig, github)
        rig.close()
