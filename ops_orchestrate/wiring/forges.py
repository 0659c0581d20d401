"""Which way a repository ships: through pull requests where its forge has them, else by a push of ours."""

from __future__ import annotations

from functools import cached_property

from ops_orchestrate.adapters.forges.local import LocalForge
from ops_orchestrate.adapters.workshop import GitWorkshop
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.project import Repository
from ops_orchestrate.ports import Forge, PullRequests
from ops_orchestrate.wiring.outside import Outside


class Forges:
    """The forges of this process."""

    def __init__(self, outside: Outside, workshop: GitWorkshop) -> None:
        self._outside = outside
        self._workshop = workshop
        self._local = LocalForge(workshop, unshippable=self._without_token)

    def forge_of(self, _repository: Repository) -> Forge:
        """Where a repository without pull requests ships."""
        return self._local

    def pulls_of(self, repository: Repository) -> PullRequests | None:
        """Its pull requests; None where it has none, or nobody gave us the means to use them."""
        return self._github if repository.slug and not self._without_token(repository) else None

    def _without_token(self, repository: Repository) -> str | None:
        """Why a repository on GitHub is not shipped; None for one that is, or that is not on GitHub."""
        if not repository.slug:
            return None
        lacks = self._outside.identity.lacks()  # a GitHub that is down for a moment is no lack of ours
        return f"{repository.slug} is on GitHub and is not shipped: {one_line(lacks, 300)}" if lacks else None

    @cached_property
    def _github(self) -> PullRequests:
        from ops_orchestrate.adapters.github.pulls import GitHubPullRequests  # late: httpx is slow to import

        return GitHubPullRequests(self._outside.github, self._workshop.mirrors)
