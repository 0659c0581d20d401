"""Whether GitHub lets us push to a repository, in its own words of this moment."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.standing import Standing
from ops_orchestrate.adapters.github.trouble import Denied, Missing
from ops_orchestrate.core.names import is_slug, one_line

_PUSHING = frozenset({"write", "admin"})
"""Permissions with which one may push; `maintain` is called `write` there."""


def why_no_push(client: GitHubClient, slug: str, standing: Callable[[], Standing] | None = None) -> str | None:
    """None only where GitHub says now, in so many words, that we may push. Every other word of it is a reason.

    No word of it at all is none: SourceUnavailable, to be asked again. `standing`: how the repository itself stands.
    A person is asked about by themselves first: that answer does not change with what happens in the repository, so
    that it is mostly 304 and costs no point, as the repository's own would.
    """
    if not is_slug(slug):
        return f"{one_line(slug, 80)!r} is no name on GitHub"
    if standing and not client.identity.bot and _is_granted(client, slug, standing):
        return None
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


def _is_granted(client: GitHubClient, slug: str, standing: Callable[[], Standing]) -> bool:
    """Whether GitHub says that the person who we are may push there. Anything but a yes is no answer."""
    try:
        seen = standing()
        if not seen.open_to_writes or not seen.login:
            return False
        login = seen.login
        said = client.get(f"/repos/{slug}/collaborators/{quote(login, safe='')}/permission", Purpose.SHIP).data
    except (Missing, Denied):
        return False
    who = said.get("user") if isinstance(said, dict) else None
    ours = isinstance(who, dict) and str(who.get("login")).lower() == login.lower()
    return ours and said.get("permission") in _PUSHING
