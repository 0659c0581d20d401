"""Changes to pull requests. Each goes out once; what came of it is read from the answer, or looked for where there is
none. Nothing here reports a merge because GitHub refused one.
"""

from __future__ import annotations

from typing import Any, Literal

from ops_orchestrate.adapters.github import queries
from ops_orchestrate.adapters.github.answers import Written
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.wire import read
from ops_orchestrate.adapters.github.wire_rest import RunRest
from ops_orchestrate.adapters.github.words import conclusion_of
from ops_orchestrate.core.change import Landing, LandingEnd
from ops_orchestrate.core.merge.pull import Check, Conclusion
from ops_orchestrate.core.names import clean_text
from ops_orchestrate.errors import OpsError, SourceUnavailable

_CONFLICT = 409


def landing_of(done: Written, *, ok: int = 200) -> Landing:
    """What a write has come to, by its status alone; `ok` is the one that says that it is done."""
    if done.status == ok:
        return Landing(end=LandingEnd.LANDED)
    if done.limited is not None:
        return Landing(end=LandingEnd.UNKNOWN, detail=f"GitHub's rate limit: again in {done.limited:.0f} s")
    if done.status < 300 or done.status >= 500:
        return Landing(end=LandingEnd.UNKNOWN, detail=done.detail)
    if done.status == _CONFLICT:
        return Landing(end=LandingEnd.MOVED, detail=done.detail)
    return Landing(end=LandingEnd.REFUSED, detail=f"GitHub says no ({done.status}): {done.detail}")


class Writer:
    """Writes through one client."""

    def __init__(self, client: GitHubClient) -> None:
        self._client = client

    def open(self, slug: str, *, branch: str, base: str, title: str, body: str) -> int | None:
        """The new pull request's number; None where nobody knows whether it was made, or it is there already.

        Raises SourceUnavailable where a limit refused it, OpsError where GitHub won't have it.
        """
        terms = {"head": branch, "base": base, "title": title, "body": body, "maintainer_can_modify": False}
        done = self._client.write("POST", f"/repos/{slug}/pulls", terms)
        number = done.data.get("number")
        if done.status == 201 and isinstance(number, int):
            return number
        if done.limited is not None:
            raise SourceUnavailable(f"GitHub's rate limit refused a pull request for {slug}", retry_after=done.limited)
        if done.status < 300 or done.status >= 500 or "already exists" in _errors(done):
            return None
        why = self._client.clean(_errors(done) or done.detail)
        raise OpsError(f"GitHub opens no pull request from {branch} into {base} of {slug} ({done.status}): {why}")

    def close(self, slug: str, number: int) -> Landing:
        """Close it without a word."""
        return landing_of(self._client.write("PATCH", f"/repos/{slug}/pulls/{number}", {"state": "closed"}))

    def describe(self, slug: str, number: int, body: str) -> Landing:
        """Give it another text."""
        return landing_of(self._client.write("PATCH", f"/repos/{slug}/pulls/{number}", {"body": body}))

    def rerun(self, slug: str, check: Check) -> Landing:
        """Run the failed jobs again, unless somebody else has."""
        if check.run is None:
            return Landing(end=LandingEnd.REFUSED, detail=f"{check.name} belongs to no workflow run")
        run = self._run(slug, check.run)
        if run.run_attempt != check.attempt or conclusion_of(run.status, run.conclusion) is Conclusion.PENDING:
            return Landing(end=LandingEnd.MOVED, detail=f"run {check.run} is on attempt {run.run_attempt} by now")
        # A run that could not start has no failed job to run again.
        how = "rerun" if check.conclusion is Conclusion.STARTUP_FAILURE else "rerun-failed-jobs"
        landing = landing_of(self._client.write("POST", f"/repos/{slug}/actions/runs/{check.run}/{how}"), ok=201)
        if landing.end is LandingEnd.UNKNOWN and self._attempt(slug, check.run) > check.attempt:
            return Landing(end=LandingEnd.LANDED)
        return landing

    def merge(
        self, slug: str, number: int, *, head: str, method: Literal["squash", "merge"], title: str, message: str
    ) -> Landing:
        """Merge it at this head.

        200 is the only yes. 405 is a no (also "already merged": whoever asks looks again), 409 a head that moved;
        a failure of GitHub's own, or no answer, may have merged it.
        """
        terms = {"sha": head, "merge_method": method, "commit_title": title, "commit_message": message}
        done = self._client.write("PUT", f"/repos/{slug}/pulls/{number}/merge", terms)
        if done.status == 200:
            return _merged(done)
        if done.status == 405 and "base branch was modified" in done.detail.lower():
            return Landing(end=LandingEnd.MOVED, detail=done.detail)
        return landing_of(done)

    def enqueue(self, slug: str, number: int, *, head: str) -> Landing:
        """Put it into the merge queue at this head. Raises SourceUnavailable where it can't be read first."""
        owner, name = slug.split("/", 1)
        seen = self._client.ask(queries.PULL_ID, {"owner": owner, "name": name, "number": number}, Purpose.SHIP)
        node = (seen.data.get("repository") or {}).get("pullRequest") or {}
        if node.get("headRefOid") != head:
            return Landing(end=LandingEnd.MOVED, detail=f"the head of #{number} is not the expected one")
        if node.get("isInMergeQueue") is True:
            return Landing(end=LandingEnd.LANDED)
        done = self._client.mutate(queries.ENQUEUE, {"id": node.get("id"), "head": head})
        landing = landing_of(done)
        stale = landing.end is LandingEnd.REFUSED and "head" in done.detail.lower()
        return landing.model_copy(update={"end": LandingEnd.MOVED}) if stale else landing

    def answer(self, thread: str, text: str) -> Landing:
        """Answer a thread and resolve it; what is done of that already is not done again."""
        seen = self._client.ask(queries.THREAD, {"id": thread}, Purpose.SHIP).data.get("node") or {}
        if seen.get("isResolved") is True:
            return Landing(end=LandingEnd.LANDED)
        said = clean_text(text, 10_000)
        last = (((seen.get("comments") or {}).get("nodes") or [None])[-1]) or {}
        if not (last.get("viewerDidAuthor") is True and last.get("body") == said):
            replied = landing_of(self._client.mutate(queries.REPLY, {"id": thread, "text": said}))
            if replied.end is not LandingEnd.LANDED:
                return replied
        return landing_of(self._client.mutate(queries.RESOLVE, {"id": thread}))

    def _run(self, slug: str, run: int) -> RunRest:
        return read(RunRest, self._client.get(f"/repos/{slug}/actions/runs/{run}", Purpose.SHIP).data, f"run {run}")

    def _attempt(self, slug: str, run: int) -> int:
        try:
            return self._run(slug, run).run_attempt
        except SourceUnavailable:
            return 0


def _merged(done: Written) -> Landing:
    commit: Any = done.data.get("sha")
    if done.data.get("merged") is True and isinstance(commit, str) and commit:
        return Landing(end=LandingEnd.LANDED, commit=commit)
    return Landing(end=LandingEnd.UNKNOWN, detail="GitHub's answer to the merge names no commit")


def _errors(done: Written) -> str:
    errors = done.data.get("errors")
    parts = errors if isinstance(errors, list) else []
    return "; ".join(str(one.get("message") or one.get("code") or "") for one in parts if isinstance(one, dict))
