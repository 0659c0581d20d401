"""The forge of repositories without one: their git remote, or the repository itself.

A landing is one push of one prepared commit to one branch, as a fast-forward from the head that was seen
(compare-and-set by git on both sides). Refuses: force, any branch name that is not plain, a branch that
somebody has checked out. After a push that failed it looks at the branch before it says anything, and an
unanswered question is UNKNOWN, never "not landed".
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path

from ops_orchestrate.adapters.git import Answer, printable, rejection, strip_userinfo
from ops_orchestrate.adapters.workshop import GitWorkshop
from ops_orchestrate.core.change import Landing, LandingEnd, MergeIntent
from ops_orchestrate.core.names import is_branch, one_line, short
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.remote import read_remote
from ops_orchestrate.errors import GitError, GuardRefusal, SourceUnavailable


class LocalForge:
    """Implements ports.Forge with pushes alone."""

    name = "local"

    def __init__(
        self, workshop: GitWorkshop, unshippable: Callable[[Repository], str | None] = lambda _repository: None
    ) -> None:
        """`unshippable`: why a repository is not to be shipped this way at all; None where it may be."""
        self._workshop = workshop
        self._unshippable = unshippable
        self._mirrors = workshop.mirrors

    def may_ship(self, repo: Repository) -> str | None:
        """None, or why this forge does not ship the repository."""
        return self._unshippable(repo)

    def land(self, repo: Repository, intent: MergeIntent) -> Landing:
        """Push the prepared commit to the base. Safe to repeat: a landed intent is found landed."""
        problem = self.may_ship(repo) or self._unfit(repo, intent)
        if problem:
            return Landing(end=LandingEnd.REFUSED, detail=problem)
        seen = self._seen(repo, intent)
        if seen:
            return seen
        holder = self._checked_out_at(repo, intent.branch)
        if holder:
            return self._leave_for_person(repo, intent, holder)
        try:
            answer = self._mirrors.push(repo, intent.commit, intent.branch, expected=intent.base)
        except GuardRefusal as refusal:
            return Landing(end=LandingEnd.REFUSED, detail=str(refusal))
        except GitError as error:
            return self._seen(repo, intent) or self._not_pushed(repo, intent, error)
        if answer.code == 0:
            return Landing(end=LandingEnd.LANDED)
        return self._seen(repo, intent) or self._rejected(repo, intent, answer)

    def proved(self, repo: Repository, intent: MergeIntent) -> bool:
        """Whether the base has the prepared commit as it was verified. Raises SourceUnavailable."""
        self._workshop.refresh(repo)
        head = self._workshop.head(repo, intent.branch)
        if head is None or not self._has(repo, intent.commit, head):
            return False
        return self._unfit(repo, intent) is None

    def _unfit(self, repo: Repository, intent: MergeIntent) -> str | None:
        """Why the prepared commit must not be pushed, whatever the upstream says."""
        if not is_branch(intent.branch) or intent.repo != repo.key:
            return f"{one_line(intent.branch, 80)!r} is no branch of {repo.name} that may be pushed to"
        try:
            tree = self._workshop.tree_of(repo, intent.commit)
            parents = self._workshop.parents_of(repo, intent.commit)
        except GitError as error:
            return f"the prepared commit is not in the mirror of {repo.name}: {error}"
        if tree != intent.tree:
            return f"the prepared commit {short(intent.commit)} does not hold the tree that was verified"
        forward = intent.method == "forward" and self._workshop.is_ancestor(repo, intent.base, intent.commit)
        if parents[:1] != (intent.base,) and not forward:
            return f"the prepared commit {short(intent.commit)} is no fast-forward of {short(intent.base)}"
        return None

    def _seen(self, repo: Repository, intent: MergeIntent) -> Landing | None:
        """What the upstream's branch says about the intent; None while it stands where it stood."""
        try:
            heads = self._mirrors.upstream(repo).heads
            head = heads.get(intent.branch)
            if head == intent.base:
                return None
            if head is None:
                return Landing(end=LandingEnd.MOVED, detail=f"{intent.branch} is no longer there")
            if head != intent.commit:
                self._workshop.refresh(repo)
        except (SourceUnavailable, GitError) as error:
            return Landing(end=LandingEnd.UNKNOWN, detail=str(error))
        if not self._has(repo, intent.commit, head):
            return Landing(end=LandingEnd.MOVED, detail=f"{intent.branch} is at {short(head)} now")
        if heads.get(_waiting_branch(intent)) == intent.commit:
            self._mirrors.unpublish(repo, intent.commit, _waiting_branch(intent))
        return Landing(end=LandingEnd.LANDED)

    def _has(self, repo: Repository, commit: str, head: str) -> bool:
        return commit == head or self._workshop.is_ancestor(repo, commit, head)

    def _checked_out_at(self, repo: Repository, branch: str) -> str | None:
        """The folder where an upstream on this host has the branch checked out, unless pushes change it."""
        upstream = _local_path(repo)
        if upstream is None:
            return None
        git = self._workshop.git
        try:
            listed = git.run("worktree", "list", "--porcelain", "-z", at=upstream, network=True)
            allowed = git.run("config", "--get", "receive.denyCurrentBranch", at=upstream, ok=(0, 1), network=True)
        except GitError:  # the push itself will say what is wrong there
            return None
        if allowed.text.lower() == "updateinstead":
            return None
        for worktree in printable(listed.out).split("\0\0"):
            lines = worktree.split("\0")
            if f"branch refs/heads/{branch}" in lines:
                return lines[0].removeprefix("worktree ")
        return None

    def _leave_for_person(self, repo: Repository, intent: MergeIntent, holder: str) -> Landing:
        """The commit goes upstream under a branch of ours, so that the printed command finds it there."""
        try:
            answer = self._mirrors.push(repo, intent.commit, _waiting_branch(intent))
        except GitError as error:
            return self._not_pushed(repo, intent, error)
        if answer.code:
            return self._rejected(repo, intent, answer)
        return Landing(
            end=LandingEnd.REFUSED,
            detail=f"{intent.branch} of {repo.name} is checked out at {holder}, where a push changes no file",
            command=f"git -C {shlex.quote(holder)} merge --ff-only {intent.commit}",
        )

    def _rejected(self, repo: Repository, intent: MergeIntent, answer: Answer) -> Landing:
        why, whole = rejection(answer)
        if why == "stale info":
            return Landing(end=LandingEnd.MOVED, detail=f"{intent.branch} was being changed by somebody else")
        return self._refused(repo, intent, f"{repo.upstream} refused the push to {intent.branch}: {whole}")

    def _not_pushed(self, repo: Repository, intent: MergeIntent, error: GitError) -> Landing:
        """The push ended without a verdict, and the branch stands where it stood."""
        upstream = _local_path(repo)
        if upstream is not None and not _writable(upstream):
            return self._refused(repo, intent, f"{upstream} cannot be written to: {error}")
        return Landing(end=LandingEnd.UNKNOWN, detail=str(error))

    def _refused(self, repo: Repository, intent: MergeIntent, detail: str) -> Landing:
        mirror = self._mirrors.path(repo)
        words = (
            "git",
            f"--git-dir={mirror}",
            "push",
            repo.upstream,
            f"{intent.commit}:refs/heads/{intent.branch}",
        )
        return Landing(
            end=LandingEnd.REFUSED,
            detail=one_line(strip_userinfo(detail), 500),
            command=shlex.join(words),
        )


def _waiting_branch(intent: MergeIntent) -> str:
    return f"ops/land/{intent.commit[:12]}"


def _local_path(repo: Repository) -> Path | None:
    remote = read_remote(repo.upstream)
    return Path(remote.url) if remote and remote.local else None


def _writable(upstream: Path) -> bool:
    folder = upstream / ".git" if (upstream / ".git").is_dir() else upstream
    return os.access(folder / "objects", os.W_OK)
