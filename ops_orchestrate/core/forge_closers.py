"""Which open pull requests work on which issues, by their own texts, over all repositories that were looked at.

A forge links a pull request with an issue only where it goes into the default branch. A colleague's change into `dev`
that says `Fixes #7` is at work on that issue all the same, and it is left to them.
"""

from __future__ import annotations

from collections.abc import Mapping

from ops_orchestrate.core.forge_look import ForgeLook, IssueSeen, PullRef
from ops_orchestrate.core.issue_text import issue_name


def with_closers(looks: Mapping[str, ForgeLook]) -> dict[str, ForgeLook]:
    """The looks; each issue has the open pull requests that say they close it, after those that the forge names."""
    closers: dict[str, list[PullRef]] = {}
    for look in looks.values():
        for pull in look.pulls:
            ref = PullRef(number=pull.number, author=pull.author, url=pull.url, ours=pull.ours, slug=look.slug)
            for name in pull.closes:
                closers.setdefault(name, []).append(ref)
    return {key: _with(look, closers) for key, look in looks.items()}


def _with(look: ForgeLook, closers: Mapping[str, list[PullRef]]) -> ForgeLook:
    found = [_named(one, look.slug, closers.get(issue_name(look.slug, one.number), [])) for one in look.issues]
    return look.model_copy(update={"issues": tuple(found)})


def _named(issue: IssueSeen, slug: str, closers: list[PullRef]) -> IssueSeen:
    """Ours are a change to go on with in their own repository only."""
    known = {(one.slug.lower(), one.number) for one in issue.pulls}
    new = [one for one in closers if (one.slug.lower(), one.number) not in known]
    here = [one.model_copy(update={"ours": one.ours and one.slug.lower() == slug.lower()}) for one in new]
    return issue.model_copy(update={"pulls": (*issue.pulls, *here)}) if here else issue
