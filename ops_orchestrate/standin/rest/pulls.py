"""Pull requests: list, read, open, change."""

from __future__ import annotations

from ops_orchestrate.standin.call import Call, paged, route
from ops_orchestrate.standin.exchange import Refused, Reply, invalid
from ops_orchestrate.standin.people import User
from ops_orchestrate.standin.pull import Pull
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.rest import shape, shape_pull
from ops_orchestrate.standin.rules import look_mergeable, merge_state
from ops_orchestrate.standin.tide import Tide

_PULL = "/repos/{owner}/{repo}/pulls/{number}"


@route("GET", "/repos/{owner}/{repo}/pulls")
def list_pulls(call: Call) -> Reply:
    """Newest first, filtered by state, head and base."""
    state, head, base = call.ask("state", "open"), call.ask("head"), call.ask("base")
    found = [
        pull
        for pull in call.repo.pulls.values()
        if state in {"all", "open" if pull.open else "closed"}
        and head in {"", _label(pull)}
        and base in {"", pull.base_ref}
    ]
    key = {"updated": lambda p: p.updated_at}.get(call.ask("sort"), lambda p: p.number)
    default = "desc" if call.ask("sort", "created") == "created" else "asc"
    found.sort(key=key, reverse=call.ask("direction", default) == "desc")
    page, headers = paged(call, found)
    return Reply(200, [shape_pull.pull_simple(call.links, call.world, pull) for pull in page], headers)


def _label(pull: Pull) -> str:
    owner = (pull.head_repository or pull.repository).owner.login
    return f"{owner}:{pull.head_ref}"


def full(call: Call, pull: Pull) -> shape.JSON:
    """A pull request with what is computed."""
    bare, mergeable = pull.repository.bare, look_mergeable(call.world, pull)
    base = pull.base_sha if pull.merged else pull.repository.branch(pull.base_ref) or pull.base_sha
    common = bare.merge_base(base, pull.head_sha) or base
    changes = bare.changes(common, pull.head_sha)
    state = "clean" if pull.merged else merge_state(call.world, pull).lower()
    return {
        **shape_pull.pull_simple(call.links, call.world, pull),
        "merged": pull.merged, "mergeable": None if pull.merged else mergeable, "mergeable_state": state,
        "rebaseable": mergeable, "merged_by": shape.user(call.links, pull.merged_by) if pull.merged_by else None,
        "comments": len(pull.comments), "review_comments": sum(len(t.comments) for t in pull.threads),
        "maintainer_can_modify": pull.maintainer_can_modify and pull.cross_repository,
        "commits": len(bare.between(common, pull.head_sha)), "additions": sum(c.additions for c in changes),
        "deletions": sum(c.deletions for c in changes), "changed_files": len(changes),
    }  # fmt: skip


@route("GET", _PULL)
def get_pull(call: Call) -> Reply:
    """One pull request. Asking makes GitHub compute whether it can be merged; the first answer may be null."""
    return Reply(200, full(call, call.pull()))


@route("POST", "/repos/{owner}/{repo}/pulls", creates=True)
def create_pull(call: Call) -> Reply:
    """Open one."""
    body = call.json()
    for name in ("head", "base"):
        if not isinstance(body.get(name), str):
            raise invalid("PullRequest", name, "missing_field")
    if not body.get("title"):
        raise invalid("PullRequest", "title", "missing_field")
    source, head_ref = _head(call, body["head"])
    pull = open_pull(call, source, head_ref, body)
    return Reply(201, full(call, pull), {"Location": f"{shape.repo_api(call.links, call.repo)}/pulls/{pull.number}"})


def _head(call: Call, head: str) -> tuple[Repository, str]:
    owner, colon, ref = head.rpartition(":")
    if not colon or owner.lower() == call.repo.owner.login.lower():
        return call.repo, ref
    forks = [r for r in call.world.repositories.values() if r.parent is call.repo]
    fork = next((r for r in forks if r.owner.login.lower() == owner.lower()), None)
    if fork is None:
        raise invalid("PullRequest", "head", "invalid")
    return fork, ref


def open_pull(call: Call, source: Repository, head_ref: str, body: shape.JSON) -> Pull:
    """Check what GitHub checks, and open it. Raises Refused 422."""
    repo, base_ref = call.repo, str(body["base"])
    head_sha, base_sha = source.branch(head_ref), repo.branch(base_ref)
    if head_sha is None:
        raise invalid("PullRequest", "head", "invalid")
    if base_sha is None:
        raise invalid("PullRequest", "base", "invalid")
    twins = [p for p in repo.pulls.values() if p.open and (p.head_repository, p.head_ref) == (source, head_ref)]
    if any(twin.base_ref == base_ref for twin in twins):
        text = f"A pull request already exists for {source.owner.login}:{head_ref}."
        raise Refused(422, "Validation Failed", errors=[{"resource": "PullRequest", "code": "custom", "message": text}])
    if source is repo and repo.bare.is_ancestor(head_sha, base_sha):
        text = f"No commits between {base_ref} and {head_ref}"
        raise Refused(422, "Validation Failed", errors=[{"resource": "PullRequest", "code": "custom", "message": text}])
    title, words, draft = str(body["title"]), str(body.get("body") or ""), bool(body.get("draft"))
    pull = new_pull(call.tide, (repo, base_ref), (source, head_ref), by=call.user, title=title, body=words, draft=draft)
    pull.maintainer_can_modify = bool(body.get("maintainer_can_modify", True))
    return pull


def new_pull(
    tide: Tide,
    base: tuple[Repository, str],
    head: tuple[Repository, str],
    *,
    by: User,
    title: str,
    body: str,
    draft: bool,
) -> Pull:
    """A pull request with the next number, from one branch that is there to another."""
    world, (repo, base_ref), (source, head_ref) = tide.world, base, head
    base_sha, head_sha = repo.refs[f"refs/heads/{base_ref}"], source.refs[f"refs/heads/{head_ref}"]
    number, node = world.ids("PR")
    pull = Pull(
        number, node, repo, repo.number(), title, body, by, base_ref, base_sha, source, head_ref, head_sha,
        world.now(), world.now(), draft=draft,
    )  # fmt: skip
    repo.pulls[pull.number] = world.keep(pull)
    tide.refs.keep_head(pull)
    facts = {"number": pull.number, "head": head_ref, "base": base_ref, "sha": head_sha}
    world.effect("pull-opened", repo, by, **facts, title=title)
    tide.refs.workflows(pull, by)
    return pull


@route("PATCH", _PULL)
def change_pull(call: Call) -> Reply:
    """Change title, text, base or state."""
    pull, body = call.pull(), call.json()
    if pull.author is not call.user and call.level(call.repo) in {"read", "none"}:
        raise Refused(403, "Resource not accessible by personal access token")
    if "base" in body and body["base"] != pull.base_ref:
        _retarget(call, pull, str(body["base"]))
    pull.title, pull.body = str(body.get("title", pull.title)), str(body.get("body", pull.body) or "")
    pull.updated_at = call.world.now()
    if body.get("state") == "closed" and pull.open:
        call.tide.refs.close(pull, call.user)
    elif body.get("state") == "open" and not pull.open:
        _reopen(call, pull)
    call.world.effect("pull-changed", call.repo, call.user, number=pull.number, fields=sorted(body))
    return Reply(200, full(call, pull))


def _retarget(call: Call, pull: Pull, base: str) -> None:
    sha = call.repo.branch(base)
    if sha is None or not pull.open:
        raise invalid("PullRequest", "base", "invalid")
    pull.base_ref, pull.base_sha, pull.mergeable, pull.asked = base, sha, None, 0


def _reopen(call: Call, pull: Pull) -> None:
    if pull.merged or (pull.head_repository or call.repo).branch(pull.head_ref) is None:
        raise invalid("PullRequest", "state", "invalid")
    pull.open, pull.closed_at, pull.mergeable, pull.asked = True, None, None, 0


@route("GET", f"{_PULL}/files")
def pull_files(call: Call) -> Reply:
    """The files it changes; GitHub lists three thousand at most."""
    pull = call.pull()
    common = call.repo.bare.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
    page, headers = paged(call, call.repo.bare.changes(common, pull.head_sha)[:3000])
    bare = call.repo.bare
    patches = [(one, bare.patch(common, pull.head_sha, one.path)) for one in page]
    return Reply(200, [shape.file(call.links, call.repo, pull.head_sha, one, p) for one, p in patches], headers)


@route("GET", f"{_PULL}/commits")
def pull_commits(call: Call) -> Reply:
    """Its commits, oldest first; 250 at most."""
    pull = call.pull()
    page, headers = paged(call, call.repo.bare.between(pull.base_sha, pull.head_sha)[:250])
    bodies = [shape.commit(call.links, call.world, call.repo, call.repo.bare.commit(sha)) for sha in page]
    return Reply(200, bodies, headers)
