"""The REST routes by subject; importing this package fills the table in `call.ROUTES`."""

from ops_orchestrate.standin.rest import actions, apps, branches, checks, commits, issues, merges, pulls, repos, reviews

__all__ = ["actions", "apps", "branches", "checks", "commits", "issues", "merges", "pulls", "repos", "reviews"]
