"""Sentry's API, the few questions that are asked of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from urllib.parse import quote

import httpx

from ops_orchestrate.adapters.credential import NotSetUp, required
from ops_orchestrate.adapters.outward import Outward
from ops_orchestrate.adapters.sentry.answers import Issue, issue_of, issues_of, next_cursor
from ops_orchestrate.adapters.web import Web
from ops_orchestrate.config import Settings
from ops_orchestrate.core.names import one_line
from ops_orchestrate.errors import SourceUnavailable, UsageError
from ops_orchestrate.ports import Secrets

MAX_PAGES = 50
_PAGE = 100
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+/-]{0,249}")


class SentryClient:
    """One organization."""

    def __init__(self, web: Web, org: str) -> None:
        self._web = web
        self._issues = f"/api/0/organizations/{quote(org, safe='')}/issues/"

    def unresolved(self, project: str, period: str) -> list[Issue]:
        """The unresolved issues that occurred within the period (`24h`), to the last page.

        Raises SourceUnavailable: Refused for the token, Denied for this project.
        """
        params = {"project": checked(project), "query": "is:unresolved", "statsPeriod": period}
        return [one for one in self._pages(params) if one.status == "unresolved"]

    def reach(self, project: str) -> None:
        """Ask for one issue of a project, to see whether it can be had. Raises SourceUnavailable."""
        reply = self._web.read(self._issues, {"project": checked(project), "query": "is:unresolved", "limit": 1})
        issues_of(reply.data)

    def between(self, project: str, since: float, until: float, release: str = "") -> list[Issue]:
        """Issues of any status that occurred between two moments, of one release or of all.

        Raises SourceUnavailable, UsageError for a release that cannot be one.
        """
        if release and not _RELEASE.fullmatch(release):
            raise UsageError(f"{one_line(release, 60)!r} cannot be the name of a release.")
        params = {
            "project": checked(project),
            "query": f'release:"{release}"' if release else "",
            "start": _moment(since),
            "end": _moment(until),
        }
        return self._pages(params)

    def issue(self, number: str) -> Issue:
        """One issue, by its number. Raises SourceUnavailable."""
        return issue_of(self._web.read(f"{self._issues}{_number(number)}/").data)

    def resolve(self, number: str) -> None:
        """Set an issue resolved; sent once. Raises SourceUnavailable."""
        self._web.write("PUT", f"{self._issues}{_number(number)}/", {"status": "resolved"})

    def _pages(self, params: Mapping[str, str]) -> list[Issue]:
        found: list[Issue] = []
        cursor = ""
        for _ in range(MAX_PAGES):
            more = {"cursor": cursor} if cursor else {}
            reply = self._web.read(self._issues, {**params, "limit": _PAGE, **more})
            found += issues_of(reply.data)
            cursor = next_cursor(reply.headers.get("link", ""))
            if not cursor:
                # A page may move while the list is read: what comes twice is one.
                return list({one.id: one for one in found}.values())
        raise SourceUnavailable(f"Sentry has more than {MAX_PAGES * _PAGE} such issues of {params['project']}")


@contextmanager
def sentry_client(
    settings: Settings, secrets: Secrets, transport: httpx.BaseTransport | None = None
) -> Iterator[SentryClient]:
    """The client for these settings. Raises NotSetUp where token or organization is missing."""
    if not settings.sentry_org:
        raise NotSetUp("OPS_SENTRY_ORG, the slug of the Sentry organization, is not set")
    token = required(secrets, "SENTRY_AUTH_TOKEN")
    web = Web(
        "Sentry",
        settings.sentry_url,
        headers={"authorization": f"Bearer {token}"},
        secret=token,
        timeout=settings.source_timeout,
        outward=Outward.of(settings),
        transport=transport,
    )
    with closing(web):
        yield SentryClient(web, settings.sentry_org)


def checked(project: str) -> str:
    """A Sentry project's slug that can be nothing else. Raises SourceUnavailable."""
    if not _SLUG.fullmatch(project):
        raise SourceUnavailable(f'"{one_line(project, 60)}" (ops.sentry_project) is no slug of a Sentry project')
    return project


def _number(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise UsageError(f"{one_line(text, 60)!r} is no number of a Sentry issue.")
    return text


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
