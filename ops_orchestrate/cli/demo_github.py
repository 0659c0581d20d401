"""The demo's GitHub: the stand-in, on this machine, with CI that takes a moment and people who have opinions.

It lives as long as the command. Everything of ours is what a real GitHub gets: pushes, pull requests, looks at checks,
merges with the verified head.
"""

from __future__ import annotations

import os
import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ops_orchestrate.errors import UsageError

if TYPE_CHECKING:
    from ops_orchestrate.standin.run import Standin

OWNER = "demo"
BOT = "ops-bot"
#: Seconds that the demo's CI takes.
_CI_SECONDS = 1.0


class DemoGitHub:
    """A GitHub that stands for github.com while the demo runs."""

    def __init__(self, home: Path) -> None:
        """Raises UsageError where the stand-in's extra is not installed."""
        self._standin = _start(home / "github")
        self._token = f"demo-{secrets.token_hex(12)}"
        self._standin.control.add_user(BOT, token=self._token)
        # The workers read these from their environment, as they would a real address and a real token.
        os.environ.update(
            OPS_GITHUB_API_URL=self._standin.url,
            GITHUB_TOKEN=self._token,
            OPS_CI_POLL="0.5",
            OPS_CI_SETTLE="0.5",
            OPS_GITHUB_WRITE_GAP="0",
        )
        os.environ.pop("OPS_GITHUB_APP_ID", None)

    def publish(self, name: str, bare: Path) -> str:
        """Put a repository on it, with CI and rules in front of its branches; where git finds it."""
        from ops_orchestrate.standin.profile import JobPlan

        control, slug = self._standin.control, f"{OWNER}/{name}"
        control.add_repository(slug, source=bare, default="main", organization=True)
        control.permit(slug, BOT, "write")
        # One repository's runner breaks down once: that is no work for an agent, and is run again.
        result = ["cancelled", "success"] if name == "shop-web" else "success"
        control.ci(slug, jobs=[JobPlan("test", result=result, seconds=_CI_SECONDS)], on=["pull_request"])
        for branch in ("dev", "main"):
            control.protect(slug, branch, checks=["test"])
        return self._standin.clone_url(slug)

    def record(self) -> str:
        """What it says happened there, in its own words: the pull requests and how each ended."""
        lines = []
        for repository in self._standin.control.world.repositories.values():
            for pull in repository.pulls.values():
                end = "merged" if pull.merged else "open" if pull.closed_at is None else "closed"
                lines.append(f"  {repository.owner.login}/{repository.name}#{pull.number}  {end:<7} {pull.title}")
        points = self._standin.control.journal.points()
        merged = len(self._standin.control.journal.effects("pull-merged"))
        each = f", {points / merged:.1f} for each merged pull request" if merged else ""
        return "\n".join([f"Pull requests on the demo's GitHub ({points} points of its rate limit{each}):", *lines])

    def close(self) -> None:
        """End it; what it holds stays in the folder."""
        self._standin.close()


def _start(folder: Path) -> Standin:
    if find_spec("graphql") is None:  # the stand-in executes queries with it; an extra
        raise UsageError("`demo --github` needs graphql-core: pip install 'ops-orchestrate[standin]'.")
    from ops_orchestrate.standin.run import Standin  # late: only this demo needs it

    return Standin(folder)
