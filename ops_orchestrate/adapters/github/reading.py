"""Reads pull requests: whole for a decision, or all open ones at once for waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from ops_orchestrate.adapters.github import queries
from ops_orchestrate.adapters.github.checks import ask_commit, rest_of, rollup_checks, runs_of, with_runs
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.pull_of import NO_COMMIT, pull_of, review_of, thread_of
from ops_orchestrate.adapters.github.standing import Standing, standing_of
from ops_orchestrate.adapters.github.trouble import Missing
from ops_orchestrate.adapters.github.wire import Connection, ThreadNode, read
from ops_orchestrate.adapters.github.wire_pull import CommitNode, PullNode, ReviewNode
from ops_orchestrate.core.merge.pull import Check, Pull
from ops_orchestrate.core.names import short
from ops_orchestrate.errors import SourceUnavailable

_MAX_PAGES = 30


class _Node(NamedTuple):
    """A pull request of an answer, our login, and what was wrong with the answer."""

    pull: PullNode
    viewer: str
    problem: str


class _Repository(NamedTuple):
    """The repository of an answer, how it stands, and what was wrong with the answer."""

    data: dict[str, Any]
    standing: Standing
    problem: str


class Reader:
    """Reads through one client; its glances are shared by all threads."""

    def __init__(self, client: GitHubClient, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._now = now
        self._glances: dict[str, _Glance] = {}
        self._standings: dict[str, Standing] = {}
        self._lock = threading.Lock()

    def standing(self, slug: str, max_age: float) -> Standing:
        """The repository itself, as any answer of the last `max_age` seconds had it. Raises SourceUnavailable."""
        with self._lock:
            found = self._standings.get(slug.lower())
        if found is not None and time.monotonic() - found.asked_at < max_age:
            return found
        owner, name = slug.split("/", 1)
        return self._repository(slug, queries.STANDING, {"owner": owner, "name": name}).standing

    def forget_standing(self, slug: str) -> None:
        """It does not count any more."""
        with self._lock:
            self._standings.pop(slug.lower(), None)

    def whole(self, slug: str, number: int) -> Pull:
        """Everything about one pull request, to the last page. Raises SourceUnavailable."""
        first = self._ask(slug, number)
        pull = pull_of(first.pull, first.viewer, self._now())
        problems = [first.problem, pull.problem]
        commit = first.pull.head_ref.target if first.pull.head_ref else None
        if pull.head != NO_COMMIT:
            checks, problem = self._checks(slug, pull.head, commit, first.viewer)
            pull = pull.model_copy(update={"checks": checks, "checks_of": pull.head, **_base(first.pull)})
            problems.append(problem)
        pull, problem = self._lists(slug, pull, first)
        problem = next((one for one in [*problems, problem] if one), "")
        return pull.model_copy(update={"complete": not problem, "problem": problem})

    def checks(self, slug: str, oid: str, seen: Pull | None = None) -> tuple[Check, ...]:
        """Every check on a commit. Raises SourceUnavailable where they are not all there.

        `seen`: a pull request read just now; a rollup that came with it is not asked for again if it is of this commit.
        """
        if seen is not None and seen.complete and seen.base_head == oid:
            return with_runs(seen.base_rollup, runs_of(self._client, slug, oid))
        found, problem = self._checks(slug, oid, None, "")
        if problem:
            raise SourceUnavailable(f"Checks of {short(oid)} in {slug}: {problem}")
        return found

    def newest_of(self, slug: str, branch: str) -> Pull | None:
        """The newest pull request from a branch of the repository itself. Raises SourceUnavailable."""
        owner, name = slug.split("/", 1)
        answer = self._client.ask(queries.FIND, {"owner": owner, "name": name, "branch": branch}, Purpose.SHIP)
        nodes = ((answer.data.get("repository") or {}).get("pullRequests") or {}).get("nodes")
        if answer.problem or not isinstance(nodes, list):
            raise SourceUnavailable(f"GitHub does not say which pull requests {slug} has: {answer.problem}")
        own = [one for one in nodes if one and not one.get("isCrossRepository")]
        return self.whole(slug, int(own[0]["number"])) if own else None

    def opened(self, slug: str) -> tuple[Pull, ...]:
        """All open pull requests as they are now, as a glance shows them. Raises SourceUnavailable."""
        return tuple(self._open_ones(slug).values())

    def glance(self, slug: str, number: int, max_age: float) -> Pull:
        """A pull request as it was at most `max_age` seconds ago. Who comes meanwhile waits for the same answer."""
        with self._lock:
            shared = self._glances.setdefault(slug.lower(), _Glance())
        came = self._now()
        with shared.lock:
            now = self._now()  # what is of a later time than that was learned before the clock was set back
            if came <= shared.failed_at <= now and shared.failure is not None:
                raise shared.failure
            if not shared.at or came - shared.at > max_age or shared.at > now:
                self._refresh(slug, shared)
            found = shared.pulls.get(number)
        return found if found is not None else self.whole(slug, number)

    def _refresh(self, slug: str, shared: _Glance) -> None:
        at = self._now()
        try:
            shared.pulls = self._open_ones(slug)
        except SourceUnavailable as error:
            shared.failure, shared.failed_at = error, self._now()
            raise
        shared.at, shared.failure = at, None

    def _open_ones(self, slug: str) -> dict[int, Pull]:
        owner, name = slug.split("/", 1)
        found: dict[int, Pull] = {}
        after: str | None = None
        for _ in range(_MAX_PAGES):
            variables = {"owner": owner, "name": name, "after": after}
            answer = self._repository(slug, queries.GLANCE, variables)
            listed = answer.data.get("pullRequests")
            page = read(Connection[PullNode], listed, f"open pull requests of {slug}")
            for node in page.items:
                found[node.number] = self._glanced(slug, node, answer.standing.login, answer.problem)
            if not page.page_info.has_next_page:
                return found
            after = page.page_info.end_cursor
        raise SourceUnavailable(f"{slug} has too many open pull requests to look at")

    def _glanced(self, slug: str, node: PullNode, viewer: str, problem: str) -> Pull:
        """One of many, with the further pages of its checks where it has any."""
        pull = pull_of(node, viewer, self._now())
        commit = node.head_ref.target if node.head_ref else None
        if commit is not None:
            rest = rest_of(self._client, slug, commit, viewer)
            pull = pull.model_copy(update={"checks": (*pull.checks, *rest.checks)})
            problem = problem or rest.problem
        problem = pull.problem or problem or ("" if _whole(node) else "it has more reviews or threads than were read")
        return pull.model_copy(update={"complete": not problem, "problem": problem})

    def _ask(self, slug: str, number: int, **cursors: str | None) -> _Node:
        owner, name = slug.split("/", 1)
        variables = {"owner": owner, "name": name, "number": number, **cursors}
        answer = self._repository(slug, queries.PULL, variables)
        node = answer.data.get("pullRequest")
        if node is None:
            raise Missing(f"{slug} has no pull request {number}: {answer.problem or 'GitHub names none'}")
        return _Node(read(PullNode, node, f"{slug}#{number}"), answer.standing.login, answer.problem)

    def _repository(self, slug: str, query: str, variables: dict[str, Any]) -> _Repository:
        """What a query has found. Raises SourceUnavailable."""
        asked_at = time.monotonic()
        answer = self._client.ask(query, variables, Purpose.SHIP)
        found, login = answer.data.get("repository"), self._client.own_name(answer.data.get("viewer"))
        if not isinstance(found, dict):
            raise Missing(f"GitHub does not have, or does not show us, {slug}")
        standing = standing_of(slug, found, login, asked_at)
        with self._lock:
            self._standings[slug.lower()] = standing
        return _Repository(found, standing, answer.problem)

    def _checks(self, slug: str, oid: str, commit: CommitNode | None, viewer: str) -> tuple[tuple[Check, ...], str]:
        """Checks of exactly this commit: what came with the pull request counts only if it is about it."""
        problem = ""
        if commit is None or commit.oid != oid:
            commit, problem = ask_commit(self._client, slug, oid)
        first, rest = rollup_checks(commit, viewer), rest_of(self._client, slug, commit, viewer)
        found = with_runs((*first.checks, *rest.checks), runs_of(self._client, slug, oid))
        return found, problem or first.problem or rest.problem

    def _lists(self, slug: str, pull: Pull, first: _Node) -> tuple[Pull, str]:
        """The further pages of reviews and threads."""
        reviews: list[ReviewNode] = list(first.pull.reviews.items) if first.pull.reviews else []
        threads: list[ThreadNode] = list(first.pull.review_threads.items) if first.pull.review_threads else []
        node, problem = first.pull, ""
        for _ in range(_MAX_PAGES):
            more = _cursors(node)
            if not more:
                break
            page = self._ask(slug, pull.number, **more)
            node, problem = page.pull, problem or page.problem
            if node.head_ref_oid != pull.head:
                problem = problem or "its head moved while it was read"
            reviews += node.reviews.items if node.reviews and "reviews" in more else []
            threads += node.review_threads.items if node.review_threads and "threads" in more else []
        problem = problem or _short("reviews", first.pull.reviews, len(reviews))
        problem = problem or _short("review threads", first.pull.review_threads, len(threads))
        read_in = {"reviews": tuple(map(review_of, reviews)), "threads": tuple(map(thread_of, threads))}
        return pull.model_copy(update=read_in), problem


class _Glance:
    """The open pull requests of one repository, shared."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.at = 0.0
        self.pulls: dict[int, Pull] = {}
        self.failure: SourceUnavailable | None = None
        self.failed_at = 0.0


def _cursors(node: PullNode) -> dict[str, str | None]:
    pages: tuple[tuple[str, Connection[Any] | None], ...] = (
        ("reviews", node.reviews),
        ("threads", node.review_threads),
    )
    return {name: page.page_info.end_cursor for name, page in pages if page and page.page_info.has_next_page}


def _base(node: PullNode) -> dict[str, Any]:
    """The rollup of the base's head where it came whole, with every check in words that are known."""
    commit = node.base_ref.target if node.base_ref else None
    if commit is None or not commit.oid:
        return {}
    page = rollup_checks(commit, "")
    if page.problem or (commit.status_check_rollup and not commit.status_check_rollup.contexts.whole):
        return {}
    return {"base_head": commit.oid, "base_rollup": page.checks}


def _whole(node: PullNode) -> bool:
    pages: tuple[Connection[Any] | None, ...] = (node.reviews, node.review_threads)
    return all(page is None or page.whole for page in pages)


def _short(name: str, page: Connection[Any] | None, count: int) -> str:
    if page is None:
        return f"its {name} were not read"
    if page.total_count is not None and page.total_count != count:
        return f"{count} of its {page.total_count} {name} were read"
    return ""
