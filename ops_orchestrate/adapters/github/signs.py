"""What is asked with an ETag to learn whether a repository is as it was.

GitHub's ETag is a hash of the answer's body, of our token and of `Accept`: it is another one as soon as one letter of
the answer is, and none of those that were given with an App's token outlives that hour. The repository's own answer is
of no use here: that of a private one holds a new `temp_clone_token` every time. A line of a list holds none.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ops_orchestrate.adapters.github import words
from ops_orchestrate.adapters.github.answers import Reply
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.kept import Lately, Listed, ListPage
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.errors import SourceUnavailable

_PAGE = 100
_LATELY = "state=all&sort=updated&direction=desc&per_page=20"
"""Open or not: what is closed, merged or left open has been changed last, and stands first."""


def listed(client: GitHubClient, pages: int, before: Listed) -> Listed:
    """The repositories that we have rights on, on so many pages of a hundred at most. Raises SourceUnavailable."""
    found: list[ListPage] = []
    for number in range(pages):
        # Not by the link to the next page: an answer of 304 has none, and a page that is full may get a successor.
        known = before.pages[number] if number < len(before.pages) else None
        path = f"/user/repos?sort=full_name&per_page={_PAGE}&page={number + 1}"
        reply = client.get_if_changed(path, Purpose.AUDIT, known.etag if known else "")
        found.append(known if reply is None and known else _page(reply))
        if len(found[-1].rows) < _PAGE:
            return Listed(pages=tuple(found))
    return Listed(pages=(*found, *before.pages[pages:]))  # the rest is as old as it was


def _page(reply: Reply | None) -> ListPage:
    data = reply.data if reply else None
    if reply is None or not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise SourceUnavailable("GitHub's list of our repositories is none")
    rows = {str(one.get("full_name")).lower(): _digest(one) for one in data}
    return ListPage(etag=reply.headers.get("etag", ""), rows=rows)


def lately(client: GitHubClient, slug: str, before: Lately | None) -> Lately:
    """The issues and pull requests of a repository that were changed last. Raises SourceUnavailable."""
    path = f"/repos/{slug}/issues?{_LATELY}"
    reply = client.get_if_changed(path, Purpose.AUDIT, before.etag if before else "")
    if reply is None:
        assert before is not None
        return before
    if not isinstance(reply.data, list) or not all(isinstance(one, dict) for one in reply.data):
        raise SourceUnavailable(f"GitHub's list of what was changed last in {slug} is none")
    times = [words.time_of(str(one.get("updated_at") or "")) for one in reply.data]
    return Lately(etag=reply.headers.get("etag", ""), digest=_digest(reply.data), newest=max(times, default=0.0))


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:40]
