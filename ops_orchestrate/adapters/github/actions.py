"""Recent workflow runs of a repository: a list, asked after by its ETag, and more of a branch that needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from ops_orchestrate.adapters.github import words
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.kept import RunsPage
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.trouble import Missing
from ops_orchestrate.adapters.github.wire import read
from ops_orchestrate.adapters.github.wire_rest import RunRest
from ops_orchestrate.core.merge.regression import WorkflowRun, red_workflows
from ops_orchestrate.core.names import one_line
from ops_orchestrate.errors import SourceUnavailable

_RUNS = 100


class Runs(NamedTuple):
    """Runs of the branches that were asked for, and the answers that they were in."""

    runs: tuple[WorkflowRun, ...]
    pages: Mapping[str, RunsPage]


def runs_at(client: GitHubClient, slug: str, branches: Sequence[str], kept: Mapping[str, RunsPage]) -> Runs:
    """Recent runs of workflows on these branches: the newest hundred of all, and more of a branch that needs it.

    `kept`: answers of an earlier time, each asked after by its ETag. Raises SourceUnavailable. A repository without
    Actions has no runs.
    """
    pages: dict[str, RunsPage] = {}
    try:
        first = pages[""] = _page(client, slug, {}, kept.get(""))
    except Missing:
        return Runs((), {})
    runs = first.runs
    if not first.whole:
        for branch in branches:
            if _shallow(runs, branch):
                pages[branch] = _page(client, slug, {"branch": branch}, kept.get(branch))
                runs = (*runs, *pages[branch].runs)
    return Runs(tuple({(run.id, run.attempt): run for run in runs if run.branch in branches}.values()), pages)


def runs_of_branch(client: GitHubClient, slug: str, branch: str, event: str) -> tuple[WorkflowRun, ...]:
    """The newest hundred runs for one event on one branch. Raises SourceUnavailable."""
    return _page(client, slug, {"branch": branch, "event": event}, None).runs


def _shallow(runs: Sequence[WorkflowRun], branch: str) -> bool:
    """Whether too little is known of a branch: nothing, or a failure whose beginning is not in sight."""
    if not any(run.branch == branch for run in runs):
        return True
    return any(one.shallow for one in red_workflows(runs, {branch}))


def _page(client: GitHubClient, slug: str, more: Mapping[str, str], kept: RunsPage | None) -> RunsPage:
    params: dict[str, str | int] = {"per_page": _RUNS, "exclude_pull_requests": "true", **more}
    path = f"/repos/{slug}/actions/runs?{urlencode(params)}"
    reply = client.get_if_changed(path, Purpose.AUDIT, kept.etag if kept else "")
    if reply is None:
        assert kept is not None
        return kept
    body = reply.data
    listed = body.get("workflow_runs") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise SourceUnavailable(f"GitHub's list of workflow runs of {slug} is none")
    runs = tuple(_run(read(RunRest, one, f"a run of {slug}")) for one in listed)
    return RunsPage(etag=reply.headers.get("etag", ""), runs=runs, whole=body.get("total_count") == len(listed))


def _run(run: RunRest) -> WorkflowRun:
    file = (run.path or "").split("@")[0].rsplit("/", 1)[-1]
    return WorkflowRun(
        id=run.id,
        workflow=run.workflow_id,
        name=one_line(file or run.name or "", 100),
        event=one_line(run.event, 60),
        branch=one_line(run.head_branch or "", 200),
        conclusion=words.conclusion_of(run.status, run.conclusion),
        attempt=run.run_attempt,
        head=one_line(run.head_sha, 64),
        url=one_line(run.html_url, 500),
    )
