"""Whether a repository has to be looked at anew, by what is asked of it with an ETag. A rule, without I/O.

Two answers show nearly all that an audit rests on: the repository's line in the list of those that we may see (its
name, whether it is archived, what we may do there, its default branch, when somebody pushed last, how many issues and
pull requests are open) and the issues and pull requests that were changed last, open or not. What neither shows is
`restless`.
"""

from __future__ import annotations

from enum import StrEnum

from ops_orchestrate.core.forge_look import ForgeLook
from ops_orchestrate.core.issue_text import issue_name
from ops_orchestrate.core.value import Value

SETTLED = 10.0
"""Seconds. Times at GitHub are whole seconds, and this machine's clock is not GitHub's."""


class Signs(Value):
    """What two answers said of a repository, as digests; "" where that is not known."""

    row: str = ""
    """Its line in the list of repositories."""
    lately: str = ""
    """What was changed last there, word for word."""
    newest: float = 0.0
    """When that was, in seconds since 1970; 0: nothing ever was."""


class Step(StrEnum):
    """What follows for what is kept of a repository."""

    KEEP = "keep"
    """It is as it was."""
    ASK = "ask"
    """It may be: one query that asks after many at once tells."""
    LOOK = "look"
    """It is looked at anew."""


def next_step(before: Signs, now: Signs, looked_at: float) -> Step:
    """What follows from signs of today and those that were noted before the kept look, or when it was confirmed.

    `looked_at`: when the kept look was taken, in seconds since 1970. What is not known never counts as equal.
    """
    if now.lately and now.lately != before.lately and (before.lately or now.newest > looked_at - SETTLED):
        return Step.LOOK
    same = now.row == before.row and now.lately == before.lately
    return Step.KEEP if same and now.row and now.lately else Step.ASK


def restless(look: ForgeLook) -> bool:
    """Whether something there may change without any sign of it, so that it is looked at every time.

    On an open pull request of ours: a thread that is resolved or opened again, a status of a third party, whether it
    can be merged. On an issue: a pull request or a sub-issue of another repository.
    """
    here = f"{issue_name(look.slug, 0).rpartition('#')[0]}#"
    return any(pull.ours for pull in look.pulls) or any(
        any(pull.slug.lower() != look.slug.lower() for pull in issue.pulls)
        or any(not name.startswith(here) for name in issue.sub_issues)
        for issue in look.issues
    )
