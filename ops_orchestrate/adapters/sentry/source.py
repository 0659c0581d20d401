"""Unresolved errors of production as findings: P0 and P1 are work, smaller ones are counted.

An error is text of whoever has the project's DSN. It waits for a person, as a stranger's issue does, unless the owner
trusts the project.
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from ops_orchestrate.adapters.gather import gather
from ops_orchestrate.adapters.github.address import web_host
from ops_orchestrate.adapters.sentry.answers import Issue
from ops_orchestrate.adapters.sentry.client import SentryClient, sentry_client
from ops_orchestrate.config import Settings
from ops_orchestrate.core.belonging import Doubt, Spot, place_error
from ops_orchestrate.core.finding import AuditPart, Finding, FindingKind
from ops_orchestrate.core.mentions import GITHUB, LINEAR, names_in, sentry_name
from ops_orchestrate.core.names import clean_text, one_line
from ops_orchestrate.core.project import Portfolio, Project
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.severity import Bars, severity
from ops_orchestrate.core.triage import fingerprint
from ops_orchestrate.ports import Secrets

_NAME = "sentry"


class SentrySource:
    """Implements ports.Source."""

    name = _NAME

    def __init__(self, settings: Settings, secrets: Secrets, transport: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        self._secrets = secrets
        self._transport = transport
        self._bars = bars_of(settings)
        self._github = web_host(settings.github_api_url)

    def findings(self, projects: Sequence[Project], request: RunRequest) -> AuditPart:
        """The errors of every Sentry project that the registry names. What did not answer is unknown.

        Raises SourceUnavailable where nothing at all can be had.
        """
        portfolio = request.portfolio.model_copy(update={"projects": tuple(projects)})
        slugs = _slugs(portfolio) if projects else []

        def ask(client: SentryClient, slug: str) -> list[Finding]:
            return self._project(slug, portfolio, client)

        return gather(_NAME, slugs, sentry_client(self._settings, self._secrets, self._transport), ask)

    def _project(self, slug: str, portfolio: Portfolio, client: SentryClient) -> list[Finding]:
        place = place_error(slug, portfolio)
        issues = [one for one in client.unresolved(slug, self._settings.sentry_period) if one.category == "error"]
        rated = [(one, severity(one.level, one.count, one.users, self._bars)) for one in issues]
        work = [(issue, priority) for issue, priority in rated if priority is not None]
        if isinstance(place, Doubt):
            # In a scoped run, what names none of its projects may well be of another one.
            said = work and (place.named or portfolio.scope == "global")
            return [_homeless(slug, len(work), place, portfolio)] if said else []
        small = len(rated) - len(work)
        notes = [_notice(place, f"small:{slug}", _small(slug, small, self._settings.sentry_period))] if small else []
        hold = "" if self._trusts(slug) else _stranger(slug)
        errors = [self._finding(issue, place).model_copy(update={"priority": p, "hold": hold}) for issue, p in work]
        return errors + notes

    def _trusts(self, slug: str) -> bool:
        trusted = {one.casefold() for one in self._settings.sentry_trusted}
        return "*" in trusted or slug.casefold() in trusted

    def _finding(self, issue: Issue, place: Spot) -> Finding:
        project, repo = place
        links = names_in("\n".join(str(one) for one in issue.annotations), hosts=(self._github,))
        return Finding(
            kind=FindingKind.ERROR,
            project=project.alias,
            repo=repo.key,
            fingerprint=fingerprint(FindingKind.ERROR, project.alias, repo.key, issue.id),
            title=one_line(f"fix: {issue.title or issue.short_id}"),
            detail=_detail(issue, self._settings.sentry_period),
            source=_NAME,
            actionable=True,
            acceptance=("The cause is fixed, and a test fails without the fix.",),
            # Issues that somebody linked to it in Sentry.
            names=(
                sentry_name(issue.short_id),
                sentry_name(issue.id),
                *(one for one in links if one.startswith((GITHUB, LINEAR))),
            ),
            closes=(sentry_name(issue.id),),
            # Counts and times change all the time; what makes it due again is that it came back.
            cause="regressed" if issue.substatus == "regressed" else "",
        )


def bars_of(settings: Settings) -> Bars:
    """The owner's bars."""
    return Bars(
        p0_events=settings.sentry_p0_events,
        p0_users=settings.sentry_p0_users,
        p1_events=settings.sentry_p1_events,
        p1_users=settings.sentry_p1_users,
    )


def _slugs(portfolio: Portfolio) -> list[str]:
    named = [one.sentry_project for one in portfolio.projects]
    named += [one.sentry_project for one in portfolio.issue_sources]
    return list({slug.casefold(): slug for slug in named if slug}.values())


def _detail(issue: Issue, period: str) -> str:
    facts = {
        "Sentry": f"{issue.short_id} {issue.permalink or ''}",
        "Level": issue.level,
        "Within": f"{period}: {issue.count} events, {issue.users} users",
        "First seen": str(issue.born or ""),
        "Last seen": str(issue.last_seen or ""),
        "State": "it came back after it had been resolved" if issue.substatus == "regressed" else "",
        "Culprit": issue.culprit or "",
        **{word.capitalize(): issue.metadata.get(word) for word in ("type", "value", "filename", "function")},
    }
    lines = [f"{name}: {one_line(text, 1000)}" for name, text in facts.items() if isinstance(text, str) and text]
    return clean_text("\n".join(lines))


def _stranger(slug: str) -> str:
    """Why an error waits for a person, whatever its text says."""
    return (
        f"whoever has the DSN of the Sentry project {slug} can write its errors; name it in OPS_SENTRY_TRUSTED if only "
        "your own servers have it"
    )


def _small(slug: str, count: int, period: str) -> str:
    several = "s" if count > 1 else ""
    return f"Sentry {slug}: {count} more unresolved error{several} within {period}, too small to be worked on"


def _homeless(slug: str, count: int, doubt: Doubt, portfolio: Portfolio) -> Finding:
    what = f"Sentry {slug}: {count} error{'s' if count > 1 else ''} to work on, and it is not known where"
    if doubt.named:
        how = (
            f"it may be {', '.join(doubt.named[:10])}; give its repository an entry of its own with ops.sentry_project"
        )
    else:
        how = f'no project names it; set "ops": {{"sentry_project": "{slug}"}} at the one whose errors they are'
    first = portfolio.projects[0]
    return _notice(Spot(first, first.repositories[0]), f"homeless:{slug}", f"{what}: {how}", limit=400)


def _notice(place: Spot, key: str, text: str, limit: int = 200) -> Finding:
    project, repo = place
    return Finding(
        kind=FindingKind.NOTICE,
        project=project.alias,
        repo=repo.key,
        fingerprint=fingerprint(FindingKind.NOTICE, project.alias, repo.key, _NAME, key),
        title=one_line(text, limit),
        source=_NAME,
    )
