"""Check runs, statuses, workflow runs and jobs as GitHub's JSON has them."""

from __future__ import annotations

from ops_orchestrate.standin.check import CheckRun, Run, Status
from ops_orchestrate.standin.exchange import Links
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.rest.shape import JSON, app, iso, minimal, pull_ref, repo_api, user, utc
from ops_orchestrate.standin.world import ACTIONS


def check_html(links: Links, one: CheckRun) -> str:
    """The page of a check run; of Actions it is a job's."""
    html = f"{links.html}/{one.suite.repository.full_name}"
    run = one.suite.run
    return f"{html}/actions/runs/{run.id}/job/{one.id}" if run else f"{html}/runs/{one.id}"


def check_run(links: Links, where: Repository, one: CheckRun) -> JSON:
    """A check run."""
    url, html = f"{repo_api(links, where)}/check-runs/{one.id}", check_html(links, one)
    pulls = [p for p in where.pulls.values() if p.open and p.head_sha == one.head_sha]
    return {
        "id": one.id, "name": one.name, "node_id": one.node_id, "head_sha": one.head_sha, "external_id": "",
        "url": url, "html_url": html, "details_url": html, "status": one.status, "conclusion": one.conclusion,
        "started_at": iso(one.started_at), "completed_at": iso(one.completed_at),
        "output": {
            "title": one.title, "summary": one.summary, "text": one.text,
            "annotations_count": len(one.annotations), "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": one.suite.id}, "app": app(links, one.suite.app),
        "pull_requests": [pull_ref(links, pull, where) for pull in pulls],
    }  # fmt: skip


def status(links: Links, where: Repository, one: Status, *, full: bool) -> JSON:
    """A commit status; in full with its creator."""
    body: JSON = {
        "url": f"{repo_api(links, where)}/statuses/{one.sha}", "avatar_url": f"{links.html}/avatars/{one.creator.id}",
        "id": one.id, "node_id": one.node_id, "state": one.state, "description": one.description,
        "target_url": one.target_url, "context": one.context, "created_at": iso(one.at), "updated_at": iso(one.at),
    }  # fmt: skip
    return body | ({"creator": user(links, one.creator)} if full else {})


def run(links: Links, where: Repository, one: Run, attempt: int | None = None) -> JSON:
    """A workflow run at one of its attempts, the newest by default."""
    number = attempt or len(one.attempts)
    state, conclusion = one.status_of(number)
    url, commit = f"{repo_api(links, where)}/actions/runs/{one.id}", where.bare.commit(one.suite.head_sha)
    suite, before = one.suite, f"{url}/attempts/{number - 1}" if number > 1 else None
    pulls = [where.pulls[n] for n in one.pulls if where.pulls[n].open]
    head = {
        "id": commit.sha, "tree_id": commit.tree, "message": commit.message, "timestamp": utc(commit.author[2]),
        "author": {"name": commit.author[0], "email": commit.author[1]},
        "committer": {"name": commit.committer[0], "email": commit.committer[1]},
    }  # fmt: skip
    return {
        "id": one.id, "name": one.name, "node_id": one.node_id, "head_branch": suite.head_branch,
        "head_sha": suite.head_sha, "path": one.path, "display_title": one.title, "run_number": one.number,
        "event": one.event, "status": state, "conclusion": conclusion, "workflow_id": one.workflow_id,
        "check_suite_id": suite.id, "check_suite_node_id": suite.node_id, "url": url,
        "html_url": f"{links.html}/{where.full_name}/actions/runs/{one.id}",
        "pull_requests": [pull_ref(links, pull, where) for pull in pulls],
        "created_at": iso(one.created_at), "updated_at": iso(one.updated_at), "actor": user(links, one.actor),
        "run_attempt": number, "referenced_workflows": [], "run_started_at": iso(one.started[number - 1]),
        "triggering_actor": user(links, one.actor), "jobs_url": f"{url}/jobs", "logs_url": f"{url}/logs",
        "check_suite_url": f"{repo_api(links, where)}/check-suites/{suite.id}", "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel", "rerun_url": f"{url}/rerun", "previous_attempt_url": before,
        "workflow_url": f"{repo_api(links, where)}/actions/workflows/{one.workflow_id}", "head_commit": head,
        "repository": minimal(links, where), "head_repository": minimal(links, where),
    }  # fmt: skip


def job(links: Links, where: Repository, one: CheckRun) -> JSON:
    """A job of a workflow run."""
    owner = one.suite.run
    assert owner is not None and one.suite.app.id == ACTIONS
    api = repo_api(links, where)
    begun, ended = iso(one.started_at or one.created_at), iso(one.completed_at)
    done = one.status == "completed"
    steps = [
        {
            "name": name, "status": "completed" if done else "queued", "conclusion": conclusion or None,
            "number": number, "started_at": begun, "completed_at": ended,
        }
        for number, (name, conclusion) in enumerate(one.steps, 1)
    ]  # fmt: skip
    has_runner = one.runner and one.status != "queued"
    return {
        "id": one.id, "run_id": owner.id, "workflow_name": owner.name, "head_branch": one.suite.head_branch,
        "run_url": f"{api}/actions/runs/{owner.id}", "run_attempt": one.attempt, "node_id": one.node_id,
        "head_sha": one.head_sha, "url": f"{api}/actions/jobs/{one.id}",
        "html_url": check_html(links, one), "status": one.status,
        "conclusion": one.conclusion, "created_at": iso(one.created_at), "started_at": begun, "completed_at": ended,
        "name": one.name, "steps": steps, "check_run_url": f"{api}/check-runs/{one.id}", "labels": ["ubuntu-latest"],
        "runner_id": 1 if has_runner else None, "runner_name": "GitHub Actions 1" if has_runner else None,
        "runner_group_id": 0 if has_runner else None, "runner_group_name": "GitHub Actions" if has_runner else None,
    }  # fmt: skip
