"""Pushes a commit of the mirror to a branch of ours, or takes the branch away; git alone says what came of it."""

from __future__ import annotations

from ops_orchestrate.adapters.git import Answer, rejection, strip_userinfo
from ops_orchestrate.adapters.mirrors import Mirrors
from ops_orchestrate.core.change import Landing, LandingEnd
from ops_orchestrate.core.names import OUR_BRANCHES, is_branch, one_line
from ops_orchestrate.core.project import Repository
from ops_orchestrate.errors import GitError, GuardRefusal, SourceUnavailable

_STALE = frozenset({"stale info", "fetch first", "non-fast-forward"})


def publish(mirrors: Mirrors, repo: Repository, *, commit: str, branch: str, expected: str) -> Landing:
    """LANDED where the branch holds the commit now, whoever put it there. Safe to repeat."""
    try:
        answer = mirrors.publish(repo, commit, branch, expected)
    except GuardRefusal as refusal:
        return Landing(end=LandingEnd.REFUSED, detail=str(refusal))
    except GitError as error:
        return _seen(mirrors, repo, commit, branch) or Landing(end=LandingEnd.UNKNOWN, detail=str(error))
    if answer.code == 0:
        return Landing(end=LandingEnd.LANDED, commit=commit)
    return _seen(mirrors, repo, commit, branch) or _rejected(answer, branch)


def unpublish(mirrors: Mirrors, repo: Repository, *, branch: str, head: str) -> Landing:
    """LANDED where the branch is gone, whoever took it away; MOVED where it stands elsewhere. Safe to repeat."""
    if not branch.startswith(OUR_BRANCHES) or not is_branch(branch):
        return Landing(end=LandingEnd.REFUSED, detail=f"{one_line(branch, 80)} is no branch of ours (ops/…)")
    try:
        answer = mirrors.unpublish(repo, head, branch)
        there = mirrors.upstream(repo).heads.get(branch)
    except GuardRefusal as refusal:
        return Landing(end=LandingEnd.REFUSED, detail=str(refusal))
    except (SourceUnavailable, GitError) as error:
        return Landing(end=LandingEnd.UNKNOWN, detail=str(error))
    if there is None:
        return Landing(end=LandingEnd.LANDED)
    if there != head:
        return Landing(end=LandingEnd.MOVED, detail=f"{branch} is not where it was expected")
    return _rejected(answer, branch)


def _seen(mirrors: Mirrors, repo: Repository, commit: str, branch: str) -> Landing | None:
    """LANDED if the branch is found at the commit."""
    try:
        head = mirrors.upstream(repo).heads.get(branch)
    except (SourceUnavailable, GitError):
        return None
    return Landing(end=LandingEnd.LANDED, commit=commit) if head == commit else None


def _rejected(answer: Answer, branch: str) -> Landing:
    why, whole = rejection(answer)
    if why in _STALE:
        return Landing(end=LandingEnd.MOVED, detail=f"{branch} is not where it was expected: {why}")
    detail = f"GitHub refused the push to {branch}: {whole}"
    return Landing(end=LandingEnd.REFUSED, detail=one_line(strip_userinfo(detail), 500))
