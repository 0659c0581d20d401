"""Check runs, annotations and commit statuses."""

from __future__ import annotations

from ops_orchestrate.standin.call import Call, paged, route
from ops_orchestrate.standin.check import CheckRun, latest_runs, latest_statuses, rolled_up
from ops_orchestrate.standin.ci import set_status
from ops_orchestrate.standin.exchange import Reply, invalid, not_found
from ops_orchestrate.standin.rest import shape, shape_check

_STATES = {"error", "failure", "pending", "success"}


@route("GET", "/repos/{owner}/{repo}/commits/{sha*}/check-runs")
def list_check_runs(call: Call) -> Reply:
    """Of a commit: the newest of each name in each suite, or all of them."""
    runs = call.repo.checks_of(call.commit("sha"))
    runs = runs if call.ask("filter", "latest") == "all" else latest_runs(runs)
    runs = [run for run in runs if _wanted(call, run)]
    # GitHub's list is newest first, which is no promise: clients go by the numbers.
    page, headers = paged(call, runs[::-1])
    body = [shape_check.check_run(call.links, call.repo, run) for run in page]
    return Reply(200, {"total_count": len(runs), "check_runs": body}, headers)


def _wanted(call: Call, run: CheckRun) -> bool:
    facts = {"check_name": run.name, "status": run.status, "app_id": str(run.suite.app.id)}
    return all(call.ask(key) in {"", fact} for key, fact in facts.items())


@route("GET", "/repos/{owner}/{repo}/commits/{sha*}/status")
def combined_status(call: Call) -> Reply:
    """The newest status of each context, and their sum."""
    sha = call.commit("sha")
    newest = latest_statuses(call.repo.statuses_of(sha))
    state = {None: "pending", "ERROR": "failure"}.get(rolled_up([], newest), (rolled_up([], newest) or "").lower())
    page, headers = paged(call, newest)
    api = shape.repo_api(call.links, call.repo)
    body = {
        "state": state, "sha": sha, "total_count": len(newest),
        "statuses": [shape_check.status(call.links, call.repo, one, full=False) for one in page],
        "repository": shape.minimal(call.links, call.repo), "commit_url": f"{api}/commits/{sha}",
        "url": f"{api}/commits/{sha}/status",
    }  # fmt: skip
    return Reply(200, body, headers)


@route("GET", "/repos/{owner}/{repo}/commits/{sha*}/statuses")
def list_statuses(call: Call) -> Reply:
    """Every status, newest first."""
    page, headers = paged(call, call.repo.statuses_of(call.commit("sha"))[::-1])
    return Reply(200, [shape_check.status(call.links, call.repo, one, full=True) for one in page], headers)


@route("POST", "/repos/{owner}/{repo}/statuses/{sha}", needs="write", creates=True)
def create_status(call: Call) -> Reply:
    """Set a status."""
    body, sha = call.json(), call.commit("sha")
    state = str(body.get("state", ""))
    if state not in _STATES:
        raise invalid("Status", "state", "invalid" if state else "missing_field")
    context, said = str(body.get("context", "default")), {key: body.get(key) for key in ("description", "target_url")}
    one = set_status(call.world, call.repo, sha, context=context, state=state, creator=call.user, **said)
    return Reply(201, shape_check.status(call.links, call.repo, one, full=True))


def _check(call: Call) -> CheckRun:
    found = call.repo.check_runs.get(call.number("id"))
    if found is None:
        raise not_found()
    return found


@route("GET", "/repos/{owner}/{repo}/check-runs/{id}")
def get_check_run(call: Call) -> Reply:
    """One check run."""
    return Reply(200, shape_check.check_run(call.links, call.repo, _check(call)))


@route("GET", "/repos/{owner}/{repo}/check-runs/{id}/annotations")
def list_annotations(call: Call) -> Reply:
    """What it says about places of the code."""
    check = _check(call)
    blob = f"{shape.repo_api(call.links, call.repo)}/contents"
    page, headers = paged(call, check.annotations)
    return Reply(200, [{**one, "blob_href": f"{blob}/{one['path']}?ref={check.head_sha}"} for one in page], headers)
