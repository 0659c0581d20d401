"""Workflow runs, their attempts, jobs and logs, and running them again."""

from __future__ import annotations

from ops_orchestrate.standin.call import Call, paged, route
from ops_orchestrate.standin.check import CheckRun, Run
from ops_orchestrate.standin.ci import Occasion, finish, rerun, start_run
from ops_orchestrate.standin.exchange import Refused, Reply, not_found
from ops_orchestrate.standin.rest import shape, shape_check

_RUN = "/repos/{owner}/{repo}/actions/runs/{id}"


@route("GET", "/repos/{owner}/{repo}/actions/runs")
def list_runs(call: Call) -> Reply:
    """Newest first, filtered by the query."""
    return _runs(call, list(call.repo.runs.values()))


@route("GET", "/repos/{owner}/{repo}/actions/workflows/{workflow}/runs")
def list_runs_of_workflow(call: Call) -> Reply:
    """Of one workflow, by number or file name."""
    name = call.args["workflow"]
    runs = call.repo.runs.values()
    return _runs(call, [one for one in runs if name in {str(one.workflow_id), one.path.rpartition("/")[2]}])


def _runs(call: Call, runs: list[Run]) -> Reply:
    wanted = [one for one in runs if _wanted(call, one)]
    wanted.sort(key=lambda one: one.id, reverse=True)
    page, headers = paged(call, wanted)
    body = [shape_check.run(call.links, call.repo, one) for one in page]
    return Reply(200, {"total_count": len(wanted), "workflow_runs": body}, headers)


def _wanted(call: Call, one: Run) -> bool:
    status, conclusion = one.status_of(len(one.attempts))
    facts: dict[str, set[str]] = {
        "branch": {one.suite.head_branch}, "event": {one.event}, "head_sha": {one.suite.head_sha},
        "actor": {one.actor.login}, "check_suite_id": {str(one.suite.id)}, "status": {status, conclusion or status},
    }  # fmt: skip
    return all(call.ask(key) in {"", *values} for key, values in facts.items())


@route("GET", "/repos/{owner}/{repo}/actions/workflows")
def list_workflows(call: Call) -> Reply:
    """Every workflow that has a profile or has run."""
    known = {profile.path: profile.workflow for profile in call.repo.profiles if profile.app is None}
    for path in known:
        call.repo.workflows.setdefault(path, call.world.next_id())
    body = [_workflow(call, path, known.get(path, path)) for path in call.repo.workflows]
    page, headers = paged(call, body)
    return Reply(200, {"total_count": len(body), "workflows": page}, headers)


@route("GET", "/repos/{owner}/{repo}/actions/workflows/{workflow}")
def get_workflow(call: Call) -> Reply:
    """One workflow by number or file name."""
    for one in list_workflows(call).body["workflows"]:
        if call.args["workflow"] in {str(one["id"]), one["path"].rpartition("/")[2]}:
            return Reply(200, one)
    raise not_found()


@route("POST", "/repos/{owner}/{repo}/actions/workflows/{workflow}/dispatches", needs="write")
def dispatch(call: Call) -> Reply:
    """Start a workflow by hand at a branch."""
    path, branch = get_workflow(call).body["path"], str(call.json().get("ref", "")).removeprefix("refs/heads/")
    sha = call.repo.branch(branch)
    chosen = [p for p in call.repo.profiles if p.path == path and p.wants("workflow_dispatch", branch)]
    if sha is None or not chosen:
        raise Refused(
            422, f"No ref found for: {branch}" if sha is None else "Workflow has no 'workflow_dispatch' trigger"
        )
    for profile in chosen:
        start_run(call.tide.ci, call.repo, profile, Occasion("workflow_dispatch", branch, sha, call.user))
    return Reply(204)


def _workflow(call: Call, path: str, name: str) -> shape.JSON:
    number, html = call.repo.workflows[path], f"{call.links.html}/{call.repo.full_name}"
    at = shape.iso(call.repo.created_at)
    return {
        "id": number, "node_id": f"W_{number}", "name": name, "path": path, "state": "active", "created_at": at,
        "updated_at": at, "url": f"{shape.repo_api(call.links, call.repo)}/actions/workflows/{number}",
        "html_url": f"{html}/blob/{call.repo.default_branch}/{path}", "badge_url": f"{html}/workflows/{name}/badge.svg",
    }  # fmt: skip


def _run(call: Call) -> Run:
    found = call.repo.runs.get(call.number("id"))
    if found is None:
        raise not_found()
    return found


@route("GET", _RUN)
def get_run(call: Call) -> Reply:
    """One run."""
    return Reply(200, shape_check.run(call.links, call.repo, _run(call)))


@route("GET", f"{_RUN}/attempts/{{attempt}}")
def get_attempt(call: Call) -> Reply:
    """One run as it was at an attempt."""
    run, attempt = _run(call), call.number("attempt")
    if not 1 <= attempt <= len(run.attempts):
        raise not_found()
    return Reply(200, shape_check.run(call.links, call.repo, run, attempt))


@route("GET", f"{_RUN}/jobs")
def list_jobs(call: Call) -> Reply:
    """Of the newest attempt, or with `filter=all` of every one."""
    run = _run(call)
    return _jobs(call, [job for jobs in run.attempts for job in jobs] if call.ask("filter") == "all" else run.jobs)


@route("GET", f"{_RUN}/attempts/{{attempt}}/jobs")
def list_jobs_of_attempt(call: Call) -> Reply:
    """Of one attempt."""
    run, attempt = _run(call), call.number("attempt")
    if not 1 <= attempt <= len(run.attempts):
        raise not_found()
    return _jobs(call, run.attempts[attempt - 1])


def _jobs(call: Call, jobs: list[CheckRun]) -> Reply:
    page, headers = paged(call, jobs)
    body = [shape_check.job(call.links, call.repo, job) for job in page]
    return Reply(200, {"total_count": len(jobs), "jobs": body}, headers)


def _job(call: Call) -> CheckRun:
    found = call.repo.check_runs.get(call.number("id"))
    if found is None or found.suite.run is None:
        raise not_found()
    return found


@route("GET", "/repos/{owner}/{repo}/actions/jobs/{id}")
def get_job(call: Call) -> Reply:
    """One job."""
    return Reply(200, shape_check.job(call.links, call.repo, _job(call)))


@route("GET", "/repos/{owner}/{repo}/actions/jobs/{id}/logs", needs="read")
def job_log(call: Call) -> Reply:
    """Leads to the log's own address, which takes no credentials."""
    job = _job(call)
    if not job.log or job.status != "completed":
        raise Refused(404, "BlobNotFound" if job.status == "completed" else "Not Found")
    return Reply(302, None, {"Location": f"{call.links.html}/_logs/{call.repo.id}/{job.id}?sig=standin"})


@route("GET", "/_logs/{repository}/{id}", needs="none", resource="free")
def log_text(call: Call) -> Reply:
    """The log itself, from what stands for the blob store."""
    for repository in call.world.repositories.values():
        if str(repository.id) == call.args["repository"] and call.number("id") in repository.check_runs:
            text = repository.check_runs[call.number("id")].log or ""
            return Reply(200, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
    raise not_found()


@route("POST", f"{_RUN}/rerun-failed-jobs", needs="write")
def rerun_failed(call: Call) -> Reply:
    """A new attempt of what has not passed."""
    return _rerun(call, only_failed=True)


@route("POST", f"{_RUN}/rerun", needs="write")
def rerun_all(call: Call) -> Reply:
    """A new attempt of everything."""
    return _rerun(call, only_failed=False)


def _rerun(call: Call, *, only_failed: bool) -> Reply:
    run = _run(call)
    status, conclusion = run.status_of(len(run.attempts))
    if status != "completed":
        raise Refused(403, "The workflow run containing this job is already running")
    if only_failed and conclusion == "success":
        raise Refused(403, "This workflow run cannot be retried")
    rerun(call.tide.ci, run, call.user, only_failed)
    return Reply(201, {})


@route("POST", f"{_RUN}/cancel", needs="write")
def cancel(call: Call) -> Reply:
    """Stop it."""
    run = _run(call)
    if run.status_of(len(run.attempts))[0] == "completed":
        raise Refused(409, "Cannot cancel a workflow run that is completed.")
    call.tide.ci.pending = [w for w in call.tide.ci.pending if w.sha != run.suite.head_sha or w.workflow != run.name]
    for job in run.jobs:
        if job.status != "completed":
            finish(call.world, job, "cancelled")
    return Reply(202, {})
