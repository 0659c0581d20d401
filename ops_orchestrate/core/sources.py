"""Which sources a run's projects name. A source that nobody names is no part of the audit."""

from __future__ import annotations

from ops_orchestrate.core.project import Portfolio


def sources_of(portfolio: Portfolio) -> tuple[str, ...]:
    """`linear` and `sentry`, where a project or an entry for issues names a team or a Sentry project."""
    teams = [one.linear_team for one in portfolio.projects] + [one.linear_team for one in portfolio.issue_sources]
    errors = [one.sentry_project for one in portfolio.projects]
    errors += [one.sentry_project for one in portfolio.issue_sources]
    return tuple(name for name, named in (("linear", any(teams)), ("sentry", any(errors))) if named)
