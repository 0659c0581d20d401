"""What follows from a moved ref: pull requests get new heads, close or count as merged, workflows start."""

from __future__ import annotations

import re

from ops_orchestrate.standin.ci import CI, Occasion
from ops_orchestrate.standin.git import ZERO
from ops_orchestrate.standin.issue import Issue
from ops_orchestrate.standin.people import User
from ops_orchestrate.standin.pull import Pull
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.world import World

_HEADS = "refs/heads/"
_CLOSES = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:(?P<repo>[\w.-]+/[\w.-]+))?#(?P<number>\d+)", re.IGNORECASE
)


class Refs:
    """Compares what git holds with what was last seen, and lets GitHub react to the difference."""

    def __init__(self, world: World, ci: CI) -> None:
        self.world = world
        self.ci = ci

    def notice(self, repository: Repository, by: User, how: str = "push") -> None:
        """React to every branch or tag that has moved since the last look."""
        old, new = repository.refs, repository.bare.refs()
        repository.refs = new
        for ref in sorted(old.keys() | new.keys()):
            before, after = old.get(ref, ZERO), new.get(ref, ZERO)
            if before != after and not ref.startswith("refs/pull/"):
                self._moved(repository, ref, (before, after), by=by, how=how)

    def move(self, repository: Repository, ref: str, new: str, old: str, *, by: User, how: str) -> bool:
        """Move a ref by compare-and-set and react; False where it was elsewhere."""
        if not repository.bare.move(ref, new, old):
            return False
        self.notice(repository, by, how)
        return True

    def _moved(self, repository: Repository, ref: str, span: tuple[str, str], *, by: User, how: str) -> None:
        before, after = span
        forced = ZERO not in {before, after} and not repository.bare.is_ancestor(before, after)
        facts = {"ref": ref, "before": before, "after": after, "how": how, "forced": forced}
        self.world.effect("push", repository, by, **facts)
        repository.pushed_at = self.world.now()
        if not ref.startswith(_HEADS):
            return
        branch = ref.removeprefix(_HEADS)
        self._note_removal(repository, branch, after)
        for pull in self._open_pulls():
            if pull.head_repository is repository and pull.head_ref == branch:
                self._head_moved(pull, after, by)
            if pull.open and pull.repository is repository and pull.base_ref == branch:
                self._base_moved(pull, after, by)
        if branch == repository.default_branch and ZERO not in {before, after}:
            for message in repository.bare.messages(before, after):
                self._close_issues(named(self.world, repository, message), by)
        if after != ZERO and not branch.startswith("gh-readonly-queue/"):
            self.ci.happened(repository, branch, Occasion("push", branch, after, by))

    def _note_removal(self, repository: Repository, branch: str, after: str) -> None:
        """That the branch of a pull request is removed is an event of that pull request, also afterwards."""
        if after != ZERO:
            return
        for pull in [p for repo in self.world.repositories.values() for p in repo.pulls.values()]:
            if pull.head_repository is repository and pull.head_ref == branch:
                pull.updated_at = self.world.now()

    def _open_pulls(self) -> list[Pull]:
        return [p for repo in self.world.repositories.values() for p in repo.pulls.values() if p.open]

    def _head_moved(self, pull: Pull, after: str, by: User) -> None:
        if after == ZERO:
            self.close(pull, by)
            return
        pull.head_sha, pull.mergeable, pull.asked = after, None, 0
        pull.base_sha = pull.repository.branch(pull.base_ref) or pull.base_sha
        pull.updated_at = self.world.now()
        self.keep_head(pull)
        if any(rule.dismiss_stale for rule in pull.repository.rules_of(pull.base_ref)):
            for review in pull.reviews:
                review.state = "DISMISSED" if review.state == "APPROVED" else review.state
        self.world.effect("pull-head", pull.repository, by, number=pull.number, sha=after)
        self.workflows(pull, by)

    def _base_moved(self, pull: Pull, after: str, by: User) -> None:
        if after == ZERO:
            self.close(pull, by)
            return
        pull.mergeable, pull.asked = None, 0
        if pull.repository.bare.is_ancestor(pull.head_sha, after) and pull.base_sha != after:
            self.mark_merged(pull, pull.head_sha, by, "push")

    def keep_head(self, pull: Pull) -> None:
        """Keep the head under refs/pull/N/head, fetched from the fork where it comes from one."""
        bare, ref = pull.repository.bare, f"refs/pull/{pull.number}/head"
        if pull.head_repository is not None and pull.cross_repository:
            bare.git("fetch", "-q", str(pull.head_repository.bare.path), f"+refs/heads/{pull.head_ref}:{ref}")
        else:
            bare.git("update-ref", ref, pull.head_sha)
        pull.repository.refs = bare.refs()

    def workflows(self, pull: Pull, by: User) -> None:
        """Start what runs on pull requests."""
        occasion = Occasion("pull_request", pull.head_ref, pull.head_sha, by, pull.number)
        self.ci.happened(pull.repository, pull.base_ref, occasion)

    def close(self, pull: Pull, by: User) -> None:
        """Close it unmerged."""
        pull.open, pull.closed_at, pull.updated_at = False, self.world.now(), self.world.now()
        pull.auto_merge = None
        self.leave_queue(pull)
        self.world.effect("pull-closed", pull.repository, by, number=pull.number)

    def leave_queue(self, pull: Pull) -> None:
        """Take it out of the merge queue, its test branch with it."""
        entry, pull.queued = pull.queued, None
        if entry is None:
            return
        pull.repository.queue.remove(entry)
        if entry.branch:
            pull.repository.bare.git("update-ref", "-d", f"{_HEADS}{entry.branch}")
            pull.repository.refs = pull.repository.bare.refs()

    def mark_merged(self, pull: Pull, commit: str, by: User, method: str) -> None:
        """It is merged: record it, close what its text closes, remove its branch where that is the setting."""
        now = self.world.now()
        pull.open, pull.closed_at, pull.merged_at, pull.updated_at = False, now, now, now
        pull.merged_by, pull.merge_commit, pull.auto_merge = by, commit, None
        self.leave_queue(pull)
        facts = {"number": pull.number, "sha": commit, "head": pull.head_sha, "base": pull.base_ref}
        self.world.effect("pull-merged", pull.repository, by, **facts, method=method)
        self._close_issues(closing(self.world, pull), by, pull=pull.number)
        if pull.repository.delete_branch_on_merge and pull.head_repository is pull.repository:
            self.move(pull.repository, f"{_HEADS}{pull.head_ref}", ZERO, pull.head_sha, by=by, how="merge")

    def _close_issues(self, issues: list[Issue], by: User, **facts: int) -> None:
        for issue in issues:
            if issue.open:
                issue.open, issue.closed_at, issue.state_reason = False, self.world.now(), "completed"
                issue.updated_at = self.world.now()
                self.world.effect("issue-closed", issue.repository, by, number=issue.number, **facts)


def closing(world: World, pull: Pull) -> list[Issue]:
    """The issues that a pull request's text says it closes, in any repository of the stand-in.

    GitHub reads those words only in a pull request into the default branch, and links nothing with any other.
    """
    if pull.base_ref != pull.repository.default_branch:
        return []
    return named(world, pull.repository, pull.body)


def named(world: World, where: Repository, text: str) -> list[Issue]:
    """The issues that a text says it closes; those without a repository are of `where`."""
    found: list[Issue] = []
    for match in _CLOSES.finditer(text):
        repository = world.find(match["repo"]) if match["repo"] else where
        issue = repository.issues.get(int(match["number"])) if repository else None
        if issue is not None and issue not in found:
            found.append(issue)
    return found
