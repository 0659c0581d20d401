"""Sentry: unresolved errors as findings, the errors of a window after a deployment, and resolving an issue."""
