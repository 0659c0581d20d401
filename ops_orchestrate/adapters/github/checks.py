"""The checks of one commit: its rollup to the last page, and the workflow runs that a rollup leaves out."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ops_orchestrate.adapters.github import queries
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.wire import read
from ops_orchestrate.adapters.github.wire_pull import CommitNode, ContextNode
from ops_orchestrate.adapters.github.wire_rest import RunRest
from ops_orchestrate.adapters.github.words import conclusion_of, status_of, time_of
from ops_orchestrate.core.merge.checks import BROKEN_OFF
from ops_orchestrate.core.merge.pull import Check, Conclusion
from ops_orchestrate.core.names import one_line
from ops_orchestrate.errors import SourceUnavailable

_MAX_PAGES = 30


class Page(NamedTuple):
    """Checks, and why they may not be all."""

    checks: tuple[Check, ...]
    problem: str = ""


def rollup_checks(commit: CommitNode, viewer: str) -> Page:
    """The checks on one page of a commit's rollup. `viewer`: our own login."""
    if commit.status_check_rollup is None:
        return Page(())
    contexts = commit.status_check_rollup.contexts
    checks = [check for node in contexts.items if (check := _check(node, viewer)) is not None]
    problem = "" if len(checks) == len(contexts.nodes) else "a check of its head cannot be read"
    return Page(tuple(checks), problem)


def rest_of(client: GitHubClient, slug: str, commit: CommitNode, viewer: str) -> Page:
    """The checks after the first page, to as many as the forge counts."""
    rollup, oid = commit.status_check_rollup, commit.oid
    found: list[Check] = []
    problem = ""
    seen = len(rollup.contexts.nodes) if rollup else 0
    pages = 0
    while rollup and rollup.contexts.page_info.has_next_page and pages < _MAX_PAGES:
        node, bad = ask_commit(client, slug, oid, after=rollup.contexts.page_info.end_cursor)
        page = rollup_checks(node, viewer)
        found.extend(page.checks)
        problem = problem or bad or page.problem
        rollup = node.status_check_rollup
        seen += len(rollup.contexts.nodes) if rollup else 0
        pages += 1
    if rollup and rollup.contexts.total_count not in {None, seen}:
        problem = problem or f"{seen} of {rollup.contexts.total_count} checks were read"
    return Page(tuple(found), problem)


def ask_commit(client: GitHubClient, slug: str, oid: str, after: str | None = None) -> tuple[CommitNode, str]:
    """One page of a commit's checks by its id, and what was wrong with the answer. Raises SourceUnavailable."""
    owner, name = slug.split("/", 1)
    variables = {"owner": owner, "name": name, "oid": oid, "checks": after}
    answer = client.ask(queries.COMMIT, variables, Purpose.SHIP)
    found = (answer.data.get("repository") or {}).get("object")
    if not found:
        raise SourceUnavailable(f"GitHub does not know the commit {one_line(oid, 12)} of {slug}")
    node = read(CommitNode, found, f"a commit of {slug}")
    if node.oid != oid:
        raise SourceUnavailable(f"GitHub answered about another commit of {slug}")
    return node, answer.problem


def runs_of(client: GitHubClient, slug: str, oid: str) -> list[RunRest]:
    """Every workflow run of a commit. Raises SourceUnavailable."""
    listed = client.pages(f"/repos/{slug}/actions/runs", Purpose.SHIP, {"head_sha": oid}, inside="workflow_runs")
    return [run for run in (read(RunRest, one, f"a run of {slug}") for one in listed) if run.head_sha == oid]


def with_runs(checks: Iterable[Check], runs: Sequence[RunRest]) -> tuple[Check, ...]:
    """Checks with the attempt of their runs; and one check for each run that no check belongs to.

    A run started by hand is never in a rollup, nor is one that has not made a job yet or could not start.
    """
    by_id = {run.id: run for run in runs}
    found = [
        check.model_copy(update={"attempt": by_id[check.run].run_attempt}) if check.run in by_id else check
        for check in checks
    ]
    present = {check.run for check in found}
    return (*found, *(_of_run(run) for run in runs if run.id not in present and not _replaced(run, runs)))


def _replaced(run: RunRest, runs: Sequence[RunRest]) -> bool:
    """Broken off, and started again since."""
    if conclusion_of(run.status, run.conclusion) not in BROKEN_OFF:
        return False
    return any(o.id > run.id and o.workflow_id == run.workflow_id and o.event == run.event for o in runs)


def _of_run(run: RunRest) -> Check:
    conclusion = conclusion_of(run.status, run.conclusion)
    done = conclusion is not Conclusion.PENDING
    return Check(
        kind="run",
        id=run.id,
        name=one_line(run.name or "", 200),
        conclusion=conclusion,
        workflow=run.workflow_id or None,
        run=run.id,
        attempt=run.run_attempt,
        event=one_line(run.event, 60),
        started_at=time_of(run.run_started_at or run.created_at),
        completed_at=time_of(run.updated_at) if done else 0.0,
        url=one_line(run.html_url, 500),
    )


def _check(node: ContextNode, viewer: str) -> Check | None:
    if node.typename == "StatusContext":
        return _status(node, viewer)
    if node.typename != "CheckRun" or node.database_id is None:
        return None
    suite = node.check_suite
    run = suite.workflow_run if suite else None
    return Check(
        kind="run",
        id=node.database_id,
        name=one_line(node.name, 200),
        conclusion=conclusion_of(node.status, node.conclusion),
        app=suite.app.database_id if suite and suite.app else None,
        workflow=run.workflow.database_id if run else None,
        run=run.database_id if run else None,
        event=one_line(run.event, 60) if run else "",
        started_at=time_of(node.started_at),
        completed_at=time_of(node.completed_at),
        required=node.is_required,
        url=one_line(node.url or "", 500),
    )


def _status(node: ContextNode, viewer: str) -> Check:
    at = time_of(node.created_at)
    conclusion = status_of(node.state)
    creator = node.creator.name if node.creator else ""
    return Check(
        kind="status",
        # A status has no number of its own. Its second in front keeps newer ones greater, also than check runs' ids.
        id=int(at) << 20 | zlib.crc32(node.context.encode()) & 0xFFFFF,
        name=one_line(node.context, 200),
        conclusion=conclusion,
        started_at=at,
        completed_at=0.0 if conclusion is Conclusion.PENDING else at,
        required=node.is_required,
        url=one_line(node.target_url or "", 500),
        ours=bool(creator) and creator == viewer,
    )
