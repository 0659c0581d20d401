"""Which sources a run's projects name. A source that nobody names is no part of the audit."""

from __future__ import annotations

from ops_orchestrate.core.project import Portfolio


def sources_of(portfolio: Portfolio) -> tuple[str, ...]:
    """`github` where a repository is there; `linear` and `sentry` where an entry names a team or a Sentry project."""
    teams = [one.linear_team for one in portfolio.projects] + [one.linear_team for one in portfolio.issue_sources]
    slugs = [repository.slug for one in portfolio.projects for repository in one.repositories]
    errors = [one.sentry_project for one in portfolio.projects]
    errors += [one.sentry_project for one in portfolio.issue_sources]
    named = (("github", any(slugs)), ("linear", any(teams)), ("sentry", any(errors)))
    return tuple(name for name, there in named if there)
