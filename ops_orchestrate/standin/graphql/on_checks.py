"""Check runs, suites, workflow runs and statuses."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.standin.call import Call
from ops_orchestrate.standin.check import CheckRun, Status, Suite, in_rollup, latest_runs, latest_statuses
from ops_orchestrate.standin.graphql.fields import connection, field, simple, time, upper
from ops_orchestrate.standin.graphql.on_repository import Commit, commit_of
from ops_orchestrate.standin.pull import Pull
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.rest.shape_check import check_html
from ops_orchestrate.standin.rules import is_required


@field("StatusCheckRollup", "contexts")
def contexts(source: dict[str, Any], _: Call, **args: Any) -> dict[str, Any]:
    """Check runs (the newest of a name in a suite) and statuses (the newest of a context)."""
    repository, sha = source["repository"], source["sha"]
    runs: list[Any] = [*in_rollup(repository.checks_of(sha)), *latest_statuses(repository.statuses_of(sha))]
    counts = {"checkRunCount": sum(isinstance(one, CheckRun) for one in runs)}
    return connection(runs, args, **counts, statusContextCount=len(runs) - counts["checkRunCount"])


simple("StatusCheckRollup", {"commit": lambda s, c: commit_of(s["repository"], s["sha"])})


def _asked(repository: Repository, call: Call, args: dict[str, Any]) -> Pull | None:
    number = args.get("pullRequestNumber")
    if number is not None:
        return repository.pulls.get(number)
    found = call.world.nodes.get(args.get("pullRequestId") or "")
    return found if isinstance(found, Pull) else None


@field("CheckRun", "isRequired")
def run_required(source: CheckRun, call: Call, **args: Any) -> bool:
    """Whether the pull request's base requires it."""
    return is_required(_asked(source.suite.repository, call, args), source)


@field("StatusContext", "isRequired")
def status_required(source: Status, call: Call, **args: Any) -> bool:
    """Whether the pull request's base requires it."""
    return is_required(_asked(source.repository, call, args), source)


def _url(run: CheckRun, call: Call) -> str:
    return check_html(call.links, run)


simple(
    "CheckRun",
    {
        "id": lambda r, c: r.node_id,
        "databaseId": lambda r, c: r.id,
        "name": lambda r, c: r.name,
        "status": lambda r, c: upper(r.status),
        "conclusion": lambda r, c: upper(r.conclusion),
        "startedAt": lambda r, c: time(r.started_at),
        "completedAt": lambda r, c: time(r.completed_at),
        "detailsUrl": _url,
        "url": _url,
        "permalink": _url,
        "title": lambda r, c: r.title,
        "summary": lambda r, c: r.summary,
        "text": lambda r, c: r.text,
        "externalId": lambda r, c: "",
        "checkSuite": lambda r, c: r.suite,
        "repository": lambda r, c: r.suite.repository,
    },
)


@field("CheckRun", "annotations")
def check_annotations(source: CheckRun, _: Call, **args: Any) -> dict[str, Any]:
    """What it says about places of the code."""
    items = [
        {
            "path": one["path"], "message": one["message"], "title": one["title"], "rawDetails": one["raw_details"],
            "annotationLevel": str(one["annotation_level"]).upper(),
            "location": {"start": {"line": one["start_line"]}, "end": {"line": one["end_line"]}},
        }
        for one in source.annotations
    ]  # fmt: skip
    return connection(items, args)


def _suite_runs(suite: Suite) -> list[CheckRun]:
    return latest_runs([run for run in suite.repository.check_runs.values() if run.suite is suite])


def _suite_state(suite: Suite) -> tuple[str, str | None]:
    if suite.run:
        return suite.run.status_of(len(suite.run.attempts))
    runs = _suite_runs(suite)
    if any(run.status != "completed" for run in runs):
        return "in_progress", None
    return "completed", next((r.conclusion for r in runs if r.conclusion != "success"), "success")


simple(
    "CheckSuite",
    {
        "id": lambda s, c: s.node_id,
        "databaseId": lambda s, c: s.id,
        "app": lambda s, c: s.app,
        "status": lambda s, c: upper(_suite_state(s)[0]),
        "conclusion": lambda s, c: upper(_suite_state(s)[1]),
        "createdAt": lambda s, c: time(s.created_at),
        "workflowRun": lambda s, c: s.run,
        "commit": lambda s, c: commit_of(s.repository, s.head_sha),
        "repository": lambda s, c: s.repository,
        "branch": lambda s, c: None,
        "url": lambda s, c: f"{c.links.html}/{s.repository.full_name}/commit/{s.head_sha}/checks?check_suite_id={s.id}",
    },
)


@field("CheckSuite", "checkRuns")
def suite_runs(source: Suite, _: Call, **args: Any) -> dict[str, Any]:
    """The check runs of a suite."""
    return connection(_suite_runs(source), args)


@field("Commit", "checkSuites")
def suites(source: Commit, _: Call, **args: Any) -> dict[str, Any]:
    """The suites of a commit."""
    return connection([s for s in source.repository.suites if s.head_sha == source.git.sha], args)


@field("Commit", "status")
def status(source: Commit, _: Call) -> dict[str, Any] | None:
    """The commit's statuses, without check runs."""
    newest = latest_statuses(source.repository.statuses_of(source.git.sha))
    if not newest:
        return None
    states = {one.state for one in newest}
    total = "FAILURE" if states & {"failure", "error"} else "PENDING" if "pending" in states else "SUCCESS"
    return {"__typename": "Status", "id": f"S_{source.git.sha}", "state": total, "contexts": newest, "commit": source}


simple(
    "WorkflowRun",
    {
        "id": lambda r, c: r.node_id,
        "databaseId": lambda r, c: r.id,
        "event": lambda r, c: r.event,
        "runNumber": lambda r, c: r.number,
        "createdAt": lambda r, c: time(r.created_at),
        "updatedAt": lambda r, c: time(r.updated_at),
        "url": lambda r, c: f"{c.links.html}/{r.suite.repository.full_name}/actions/runs/{r.id}",
        "checkSuite": lambda r, c: r.suite,
        "workflow": lambda r, c: r,
    },
)
simple(
    "Workflow",
    {
        "id": lambda r, c: f"W_{r.workflow_id}",
        "databaseId": lambda r, c: r.workflow_id,
        "name": lambda r, c: r.name,
        "url": lambda r, c: (
            f"{c.links.html}/{r.suite.repository.full_name}/actions/workflows/{r.path.rpartition('/')[2]}"
        ),
    },
)
simple(
    "StatusContext",
    {
        "id": lambda s, c: s.node_id,
        "context": lambda s, c: s.context,
        "state": lambda s, c: upper(s.state),
        "creator": lambda s, c: s.creator,
        "description": lambda s, c: s.description,
        "targetUrl": lambda s, c: s.target_url,
        "createdAt": lambda s, c: time(s.at),
        "avatarUrl": lambda s, c: f"{c.links.html}/avatars/{s.creator.id}",
        "commit": lambda s, c: commit_of(s.repository, s.sha),
    },
)
