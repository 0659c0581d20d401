"""The places outside that this process may ask: made when they are first needed, shared by all of its threads.

A process that never meets a repository on GitHub imports no client and asks nobody for a token.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ops_orchestrate.adapters.git import Access
from ops_orchestrate.adapters.outward import Outward
from ops_orchestrate.adapters.preferences import load_preferences
from ops_orchestrate.adapters.secrets import SecretChain
from ops_orchestrate.config import Settings
from ops_orchestrate.core.change import HealthLook, ServedLook
from ops_orchestrate.core.duty import duty_of
from ops_orchestrate.core.finding import AuditPart
from ops_orchestrate.core.project import Project
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.ports import Health, Source
from ops_orchestrate.ports.aftermath import Errors, Tracker

if TYPE_CHECKING:
    from ops_orchestrate.adapters.github.auth import Identity
    from ops_orchestrate.adapters.github.client import GitHubClient


class Outside:
    """Clients, sources and git's credentials, over one chain of secrets."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def secrets(self) -> SecretChain:
        """The chain that tokens come from."""
        duty = duty_of(self.settings.pool, os.environ)
        return SecretChain(os.environ, load_preferences(self.settings), cwd=Path.home(), duty=duty)

    @cached_property
    def identity(self) -> Identity:
        """Who we are to GitHub."""
        from ops_orchestrate.adapters.github.auth import identity_of  # late: httpx is slow to import

        return identity_of(self.settings, self.secrets)

    @cached_property
    def github(self) -> GitHubClient:
        """The one client of GitHub in this process."""
        from ops_orchestrate.adapters.github.address import read_address
        from ops_orchestrate.adapters.github.client import GitHubClient
        from ops_orchestrate.adapters.github.limits import RateLimits

        settings = self.settings
        return GitHubClient(
            read_address(settings.github_api_url),
            self.identity,
            RateLimits(settings.github_reserve, time.time),
            timeout=settings.github_timeout,
            cache=settings.state_dir / "cache" / "github.sqlite",
            write_gap=settings.github_write_gap,
            outward=Outward.of(settings),
        )

    @property
    def access(self) -> Access:
        """Git's credentials for GitHub, asked for with the first command that talks to it."""
        return _LateAccess(self)

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """Every source by its name; each says for itself whether it is set up."""
        return {name: _LateSource(name, make) for name, make in self._makers().items()}

    @cached_property
    def errors(self) -> Errors | None:
        """Who counts errors in production; None where Sentry is not set up."""
        if not self.settings.sentry_org:
            return None
        from ops_orchestrate.adapters.sentry.aftermath import SentryAftermath

        return SentryAftermath(self.settings, self.secrets)

    @cached_property
    def trackers(self) -> Mapping[str, Tracker]:
        """Where tickets and errors are marked as done, by the first word of their names; only what the owner allows."""
        found: dict[str, Tracker] = {}
        if self.settings.linear_close:
            from ops_orchestrate.adapters.linear.tracker import LinearTracker

            found["linear"] = LinearTracker(self.settings, self.secrets)
        if self.settings.sentry_close and self.settings.sentry_org:
            from ops_orchestrate.adapters.sentry.aftermath import SentryAftermath

            found["sentry"] = SentryAftermath(self.settings, self.secrets)
        return found

    @property
    def health(self) -> Health:
        """Who asks deployed services how they are."""
        return _LateHealth(self.settings)

    def secret_values(self) -> tuple[str, ...]:
        """Tokens that are known by now: none is fetched for this."""
        identity, chain = self.__dict__.get("identity"), self.__dict__.get("secrets")
        return (*(identity.secrets() if identity else ()), *(chain.values() if chain else ()))

    def _makers(self) -> dict[str, Callable[[], Source]]:
        def github() -> Source:
            from ops_orchestrate.adapters.github.source import GitHubSource

            kept = self.settings.state_dir / "cache" / "github"
            return GitHubSource(self.github, threads=self.settings.github_threads, kept=kept)

        def sentry() -> Source:
            from ops_orchestrate.adapters.sentry.source import SentrySource

            return SentrySource(self.settings, self.secrets)

        def linear() -> Source:
            from ops_orchestrate.adapters.linear.source import LinearSource

            return LinearSource(self.settings, self.secrets)

        return {"github": github, "sentry": sentry, "linear": linear}


class _LateSource:
    """A source that is made when it is first asked."""

    def __init__(self, name: str, make: Callable[[], Source]) -> None:
        self.name = name
        self._make = make

    @cached_property
    def _source(self) -> Source:
        return self._make()

    def findings(self, projects: Sequence[Project], request: RunRequest) -> AuditPart:
        """See ports.Source."""
        return self._source.findings(projects, request)


class _LateHealth:
    """A client that is made when something is deployed that can be asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _client(self) -> Health:
        from ops_orchestrate.adapters.served import HttpHealth  # late: httpx is slow to import

        return HttpHealth(Outward.of(self._settings))

    def look(self, url: str) -> HealthLook:
        """See ports.Health."""
        return self._client.look(url)

    def served(self, url: str) -> ServedLook:
        """See ports.Health."""
        return self._client.served(url)


class _LateAccess:
    """Git's credentials; a remote that is no web address needs none of ours, and nothing is made for it."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def environment(self, url: str) -> Mapping[str, str]:
        """See git.Access."""
        if not url.startswith(("https://", "http://")):
            return {}
        return self._access.environment(url)

    @cached_property
    def _access(self) -> Access:
        from ops_orchestrate.adapters.github.access import GitHubAccess
        from ops_orchestrate.adapters.github.address import read_address

        return GitHubAccess(read_address(self._outside.settings.github_api_url), self._outside.identity)
