"""Pull requests on GitHub: the port, put together from what reads, what writes and what pushes."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Literal

from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.jobs import Reading, failed_jobs
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.permission import why_no_push
from ops_orchestrate.adapters.github.publishing import publish, unpublish
from ops_orchestrate.adapters.github.reading import Reader
from ops_orchestrate.adapters.github.recheck import still
from ops_orchestrate.adapters.github.rules import branch_rules
from ops_orchestrate.adapters.github.writing import Writer
from ops_orchestrate.adapters.mirrors import Mirrors
from ops_orchestrate.core.change import Landing, LandingEnd
from ops_orchestrate.core.merge.failure import FailedJob
from ops_orchestrate.core.merge.pull import BranchRules, Check, Pull, PullState
from ops_orchestrate.core.names import OUR_BRANCHES, is_branch, is_slug, one_line, short
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.recheck import Rechecked
from ops_orchestrate.errors import GuardRefusal, OpsError, SourceUnavailable

#: How long the rules of a branch are believed.
RULES_SECONDS = 300.0
#: How long a yes to writing is believed: the writes of one step follow each other. GitHub itself asks at every one; a
#: merge is never begun on an older yes, and one that GitHub contradicts by its answer to a write is forgotten.
YES_SECONDS = 5.0


class GitHubPullRequests:
    """Implements ports.PullRequests; the methods' meaning is written there."""

    name = "github"

    def __init__(self, client: GitHubClient, mirrors: Mirrors) -> None:
        self._client = client
        self._mirrors = mirrors
        self._reader = Reader(client)
        self._writer = Writer(client)
        self._lock = threading.Lock()
        self._rules: dict[tuple[str, str], tuple[float, BranchRules]] = {}
        self._yes: dict[str, float] = {}
        self._outsiders: set[str] = set()

    def may_write(self, repo: Repository) -> str | None:
        """None only where GitHub says now, in so many words, that we may push. Every other word of it is a reason.

        No word of it at all is none: SourceUnavailable, to be asked again. A yes counts for the writes of the next
        `YES_SECONDS` as well, but for merges, and only as long as they succeed; a no counts for none.
        """
        with self._lock:
            at = self._yes.get(str(repo.slug).lower(), -YES_SECONDS)
        return None if time.monotonic() - at < YES_SECONDS else self._why_not_now(repo, RULES_SECONDS)

    def _why_not_now(self, repo: Repository, standing: float) -> str | None:
        """Asked now. `standing`: how long the repository's name, and that it is not archived, are believed."""
        if repo.slug is None or not is_slug(repo.slug):
            return f"{repo.name} has no name on GitHub"
        slug, now = repo.slug, time.monotonic()
        no = why_no_push(self._client, slug, lambda: self._reader.standing(slug, standing))
        if no is None:
            with self._lock:
                self._yes[slug.lower()] = now
        return no

    def _written(self, repo: Repository, landing: Landing) -> Landing:
        if landing.end is not LandingEnd.LANDED:
            self._doubt(repo)
        return landing

    def _doubt(self, repo: Repository) -> None:
        """A write did not go through: whether we may write is asked anew before the next one."""
        with self._lock:
            self._yes.pop(str(repo.slug).lower(), None)
        self._reader.forget_standing(str(repo.slug))

    def publish(self, repo: Repository, *, commit: str, branch: str, expected: str) -> Landing:
        """Push a commit of the mirror to a branch of ours. Safe to repeat."""
        no = self.may_write(repo)
        if no:
            return Landing(end=LandingEnd.REFUSED, detail=no)
        return self._written(repo, publish(self._mirrors, repo, commit=commit, branch=branch, expected=expected))

    def remove(self, repo: Repository, *, branch: str, head: str) -> Landing:
        """Delete a branch of ours that stands at `head`. Safe to repeat."""
        no = self.may_write(repo)
        if no:
            return _refused(no)
        return self._written(repo, unpublish(self._mirrors, repo, branch=branch, head=head))

    def open(self, repo: Repository, *, branch: str, base: str, title: str, body: str) -> int:
        """The number of the pull request that is open for the branch, a new one where there is none.

        GitHub opens one for a branch and a base at the most: so it is asked to, and looked for only if it won't.
        Raises SourceUnavailable, GuardRefusal; OpsError where GitHub won't have one.
        """
        if not branch.startswith(OUR_BRANCHES) or not is_branch(branch) or not is_branch(base):
            raise GuardRefusal(f"{one_line(branch, 80)} is no branch of ours (ops/…)")
        slug = _slug(repo)
        no = self.may_write(repo)
        if no:
            raise GuardRefusal(no)
        try:
            made = self._writer.open(slug, branch=branch, base=base, title=title, body=body)
        except OpsError:
            self._doubt(repo)
            raise
        if made is None:
            made = self._open_one(slug, branch, base)
        if made is None:
            raise SourceUnavailable(f"Nobody knows whether a pull request from {branch} was opened in {slug}")
        return made

    def read(self, repo: Repository, number: int) -> Pull:
        """Everything about one pull request."""
        return self._reader.whole(_slug(repo), number)

    def glance(self, repo: Repository, number: int, max_age: float) -> Pull:
        """The same from a shared look at all open ones; threads come without their comments."""
        return self._reader.glance(_slug(repo), number, max_age)

    def opened(self, repo: Repository) -> tuple[Pull, ...]:
        """All open pull requests as they are now; threads come without their comments."""
        return self._reader.opened(_slug(repo))

    def close(self, repo: Repository, number: int, *, head: str) -> Landing:
        """Close a pull request of ours at this head. Safe to repeat."""
        no = self.may_write(repo)
        if no:
            return _refused(no)
        pull = self.read(repo, number)
        if pull.state in (PullState.CLOSED, PullState.MERGED):
            return Landing(end=LandingEnd.LANDED, detail=f"#{number} is {pull.state}")
        if not pull.ours or pull.state is not PullState.OPEN:
            return _refused(f"#{number} is not ours to close")
        if pull.head != head:
            return Landing(end=LandingEnd.MOVED, detail=f"the head of #{number} is not the expected one")
        return self._writer.close(_slug(repo), number)

    def describe(self, repo: Repository, number: int, *, was: str, body: str) -> Landing:
        """Give a pull request of ours another text, in the place of this one. Safe to repeat."""
        no = self.may_write(repo)
        if no:
            return _refused(no)
        pull = self.read(repo, number)
        if not pull.ours or pull.state is not PullState.OPEN:
            return _refused(f"#{number} is not an open one of ours")
        if pull.body == body:
            return Landing(end=LandingEnd.LANDED)
        if pull.body != was:
            return Landing(end=LandingEnd.MOVED, detail=f"somebody has written in the text of #{number}")
        return self._written(repo, self._writer.describe(_slug(repo), number, body))

    def rules(self, repo: Repository, branch: str) -> BranchRules:
        """What GitHub demands before anything gets into the branch. Asked again after `RULES_SECONDS`: it costs a point
        or two, mostly also where nothing has changed. What could not be read is asked again at once."""
        key, now = (_slug(repo).lower(), branch), time.monotonic()
        with self._lock:
            at, known = self._rules.get(key, (0.0, None))
        if known is not None and now - at < RULES_SECONDS:
            return known
        methods = self._reader.standing(_slug(repo), RULES_SECONDS).methods
        found = branch_rules(self._client, _slug(repo), branch, methods, self._outsiders)
        if found.known:
            with self._lock:
                self._rules[key] = (now, found)
        return found

    def checks(self, repo: Repository, commit: str, *, seen: Pull | None = None) -> tuple[Check, ...]:
        """Every check on a commit."""
        return self._reader.checks(_slug(repo), commit, seen)

    def failed_jobs(self, repo: Repository, check: Check) -> tuple[FailedJob, ...]:
        """The red jobs behind a check."""
        return failed_jobs(Reading(self._client, _slug(repo), Purpose.SHIP), check)

    def rerun(self, repo: Repository, check: Check) -> Landing:
        """Run the failed jobs once more."""
        no = self.may_write(repo)
        if no:
            return _refused(no)
        try:
            return self._writer.rerun(_slug(repo), check)
        except SourceUnavailable as error:
            return Landing(end=LandingEnd.UNKNOWN, detail=str(error))

    def merge(
        self, repo: Repository, number: int, *, head: str, method: Literal["squash", "merge"], title: str, message: str
    ) -> Landing:
        """Merge it, at this head and no other."""
        no = self._why_not_now(repo, YES_SECONDS)
        if no:
            return _refused(no)
        landing = self._writer.merge(_slug(repo), number, head=head, method=method, title=title, message=message)
        self._written(repo, landing)
        return self._looked_again(repo, number, head, landing) if landing.end is LandingEnd.REFUSED else landing

    def enqueue(self, repo: Repository, number: int, *, head: str) -> Landing:
        """Put it into the base's merge queue."""
        no = self._why_not_now(repo, YES_SECONDS)
        if no:
            return _refused(no)
        try:
            return self._writer.enqueue(_slug(repo), number, head=head)
        except SourceUnavailable as error:
            return Landing(end=LandingEnd.UNKNOWN, detail=str(error))

    def answer(self, repo: Repository, thread: str, text: str) -> Landing:
        """Answer a review thread and resolve it."""
        no = self.may_write(repo)
        if no:
            return _refused(no)
        try:
            return self._writer.answer(thread, text)
        except SourceUnavailable as error:
            return Landing(end=LandingEnd.UNKNOWN, detail=str(error))

    def still(self, repo: Repository, names: Sequence[str]) -> Rechecked:
        """Whether a finding is still there."""
        return still(self._client, _slug(repo), names)

    def _open_one(self, slug: str, branch: str, base: str) -> int | None:
        found = self._reader.newest_of(slug, branch)
        return found.number if found and found.state is PullState.OPEN and found.base_ref == base else None

    def _looked_again(self, repo: Repository, number: int, head: str, landing: Landing) -> Landing:
        """GitHub's no, with what is seen now: done by somebody, on another head, or simply refused."""
        try:
            pull = self.read(repo, number)
        except SourceUnavailable:
            return landing
        if pull.state is PullState.MERGED and pull.head == head and pull.merge_commit:
            return Landing(end=LandingEnd.LANDED, commit=pull.merge_commit, detail="found to be merged")
        if pull.head != head:
            return Landing(end=LandingEnd.MOVED, detail=f"the head of #{number} is {short(pull.head)} now")
        return landing


def _slug(repo: Repository) -> str:
    if repo.slug is None or not is_slug(repo.slug):
        raise SourceUnavailable(f"{repo.name} has no name on GitHub")
    return repo.slug


def _refused(why: str) -> Landing:
    return Landing(end=LandingEnd.REFUSED, detail=why)
