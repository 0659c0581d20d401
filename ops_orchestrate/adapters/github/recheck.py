"""Asks GitHub, right before an agent starts, whether a finding is still there: one request a name."""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate.adapters.github.actions import runs_of_branch
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.recheck import (
    MOST_NAMES,
    IssueName,
    Rechecked,
    Still,
    WorkflowName,
    read_name,
    still_red,
    together,
)
from ops_orchestrate.errors import SourceUnavailable


def still(client: GitHubClient, slug: str, names: Sequence[str]) -> Rechecked:
    """Whether what has these names is still there. Raises SourceUnavailable where GitHub does not say."""
    known = [read_name(name) for name in names]
    if len(known) > MOST_NAMES or any(one is None or one.slug.lower() != slug.lower() for one in known):
        return Rechecked(Still.UNKNOWN, "it is not only known here")
    return together(_asked(client, slug, one) for one in known if one is not None)


def _asked(client: GitHubClient, slug: str, name: WorkflowName | IssueName) -> Rechecked:
    if isinstance(name, WorkflowName):
        return still_red(runs_of_branch(client, slug, name.branch, name.event), name)
    body = client.get(f"/repos/{slug}/issues/{name.number}", Purpose.AUDIT).data
    state = body.get("state") if isinstance(body, dict) else None
    if state not in ("open", "closed"):
        raise SourceUnavailable(f"GitHub does not say whether {slug}#{name.number} is open: {one_line(str(state), 40)}")
    return Rechecked(Still.GONE if state == "closed" else Still.OPEN, f"{slug}#{name.number} is {state}")
