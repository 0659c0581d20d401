"""Whether GitHub lets us push to a repository, in its own words of this moment."""

from __future__ import annotations

from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.trouble import Denied, Missing
from ops_orchestrate.core.names import is_slug, one_line


def why_no_push(client: GitHubClient, slug: str) -> str | None:
    """None only where GitHub says now, in so many words, that we may push. Every other word of it is a reason.

    No word of it at all is none: SourceUnavailable, to be asked again.
    """
    if not is_slug(slug):
        return f"{one_line(slug, 80)!r} is no name on GitHub"
    try:
        reply = client.get(f"/repos/{slug}", Purpose.SHIP)
        granted = client.identity.granted(slug)
    except (Missing, Denied) as error:
        return str(error)
    said: dict[str, object] = reply.data if isinstance(reply.data, dict) else {}
    name = one_line(str(said.get("full_name") or "?"), 140)
    if reply.moved or name.lower() != slug.lower():
        return f"{slug} is called {name} on GitHub now; change its registry entry"
    if said.get("archived") is not False or said.get("disabled") is True:
        return f"{slug} is archived or disabled on GitHub"
    permissions = said.get("permissions")
    pushes = isinstance(permissions, dict) and permissions.get("push") is True
    if not (pushes if granted is None else granted):
        return f"GitHub does not let us push to {slug}; it is only read"
    return None
