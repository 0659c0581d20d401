"""Commits and what lies between them."""

from __future__ import annotations

from ops_orchestrate.standin.call import Call, paged, route
from ops_orchestrate.standin.exchange import Reply, not_found
from ops_orchestrate.standin.rest import shape, shape_pull


@route("GET", "/repos/{owner}/{repo}/compare/{span*}")
def compare(call: Call) -> Reply:
    """`base...head`: commits and files since their common ancestor."""
    base_name, dots, head_name = call.args["span"].partition("...")
    bare = call.repo.bare
    base, head = bare.resolve(base_name), bare.resolve(head_name.rpartition(":")[2])
    common = bare.merge_base(base, head) if dots and base and head else None
    if base is None or head is None or common is None:
        raise not_found()
    ahead, behind = bare.between(base, head), bare.between(head, base)
    word = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}.get(
        (bool(ahead), bool(behind)), "identical"
    )
    url, html = f"{shape.repo_api(call.links, call.repo)}/compare/{call.args['span']}", call.links.html
    page = f"{html}/{call.repo.full_name}/compare/{call.args['span']}"
    shown, headers = paged(call, ahead)
    body = {
        "url": url, "html_url": page, "permalink_url": page, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch",
        "base_commit": _commit(call, base), "merge_base_commit": _commit(call, common), "status": word,
        "ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead),
        "commits": [_commit(call, sha) for sha in shown],
        "files": files(call, common, head)[:300],
    }  # fmt: skip
    return Reply(200, body, headers)


def _commit(call: Call, sha: str) -> shape.JSON:
    return shape.commit(call.links, call.world, call.repo, call.repo.bare.commit(sha))


def files(call: Call, old: str, new: str) -> list[shape.JSON]:
    """The changed files with their patches."""
    bare = call.repo.bare
    return [
        shape.file(call.links, call.repo, new, one, bare.patch(old, new, one.path)) for one in bare.changes(old, new)
    ]


@route("GET", "/repos/{owner}/{repo}/commits/{sha*}/pulls")
def pulls_of_commit(call: Call) -> Reply:
    """The pull requests that a commit belongs to, or that it merged."""
    sha, bare = call.commit("sha"), call.repo.bare
    found = [
        pull
        for pull in call.repo.pulls.values()
        if sha in {pull.head_sha, pull.merge_commit if pull.merged else ""}
        or (bare.is_ancestor(sha, pull.head_sha) and not bare.is_ancestor(sha, pull.base_sha))
    ]
    page, headers = paged(call, found)
    return Reply(200, [shape_pull.pull_simple(call.links, call.world, pull) for pull in page], headers)


@route("GET", "/repos/{owner}/{repo}/commits")
def list_commits(call: Call) -> Reply:
    """The history of a branch, newest first."""
    start = call.repo.bare.resolve(call.ask("sha", call.repo.default_branch))
    if start is None:
        raise not_found()
    page, headers = paged(call, call.repo.bare.git("rev-list", start).split())
    return Reply(200, [_commit(call, sha) for sha in page], headers)


@route("GET", "/repos/{owner}/{repo}/git/commits/{sha}")
def git_commit(call: Call) -> Reply:
    """A commit as an object of git."""
    body = _commit(call, call.commit("sha"))
    keep = {key: body[key] for key in ("sha", "node_id", "html_url", "parents")}
    inner = {key: body["commit"][key] for key in ("url", "author", "committer", "tree", "message", "verification")}
    return Reply(200, {**keep, **inner})


@route("GET", "/repos/{owner}/{repo}/commits/{sha*}")
def get_commit(call: Call) -> Reply:
    """One commit with its files."""
    sha = call.commit("sha")
    commit = call.repo.bare.commit(sha)
    empty = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    listed = files(call, commit.parents[0] if commit.parents else empty, sha)
    lines = {key: sum(int(one[key]) for one in listed) for key in ("additions", "deletions")}
    stats = {**lines, "total": sum(lines.values())}
    return Reply(200, {**_commit(call, sha), "stats": stats, "files": listed})
