"""git's own protocol: every fetch and push goes to `git http-backend`, a push past the rules of its branch first."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from ops_orchestrate.standin.exchange import Reply, Request
from ops_orchestrate.standin.git import backend
from ops_orchestrate.standin.people import Identity, at_least
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.rules import bypasses
from ops_orchestrate.standin.world import World

PATH = re.compile(r"/(?P<owner>[^/]+)/(?P<name>[^/]+?)(?:\.git)?/(?P<rest>info/refs|git-upload-pack|git-receive-pack)")
#: Refuses what the rules refuse; GitHub's words. One line a rule beside it: ref pattern, what it forbids.
_HOOK = """#!/bin/sh
while read -r ref no; do
  case "$1" in $ref) ;; *) continue ;; esac
  case "$no" in
    hidden) echo "deny updating a hidden ref" >&2; exit 1 ;;
    change) echo "error: GH006: Protected branch update failed for $1." >&2
      echo "error: Changes must be made through a pull request." >&2; exit 1 ;;
    delete) case "$3" in *[!0]*) ;; *) echo "error: GH006: Cannot delete a protected branch $1." >&2; exit 1 ;; esac ;;
    force) case "$2$3" in *0000000000000000000000000000000000000000*) continue ;; esac
      git merge-base --is-ancestor "$2" "$3" && continue
      echo "error: GH006: Cannot force-push to this protected branch $1." >&2; exit 1 ;;
  esac
done < "$STANDIN_RULES"
"""


def answer(world: World, repository: Repository, who: Identity, request: Request) -> Reply:
    """One exchange of git's. The world is not locked here: git locks its refs itself."""
    match = PATH.fullmatch(request.path)
    rest = match["rest"] if match else ""
    writes = "git-receive-pack" in (rest, request.query.get("service"))
    with world.lock:
        level = world.level(who.user, repository, who.installation)
        refused = _refused(world, repository, who, level, writes)
        if refused is not None:
            return refused
        _prepare(world, repository, who)
    body = request.body
    if request.headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    raw = backend(repository.bare.path.parent, _environment(repository, who, request, rest, body), body)
    return _reply(raw)


def _refused(world: World, repository: Repository, who: Identity, level: str, writes: bool) -> Reply | None:
    if who.user is None and (writes or not at_least(level, "read")):
        return Reply(401, b"Repository not found.", {"WWW-Authenticate": 'Basic realm="GitHub"'})
    if not at_least(level, "read"):
        return Reply(404, b"Repository not found.")
    if writes and not at_least(level, "write"):
        return Reply(403, f"Permission to {repository.full_name}.git denied to {who.login}.".encode())
    if writes and repository.archived:
        return Reply(403, b"This repository was archived so it is read-only.")
    return None


def _prepare(world: World, repository: Repository, who: Identity) -> None:
    lines = ["refs/pull/* hidden"]
    for rule in repository.protections:
        if not bypasses(world, who.user, repository, rule, who.installation):
            ref = f"refs/heads/{rule.pattern}"
            lines += [f"{ref} change"] if rule.pull_request or rule.merge_queue else []
            lines += [] if rule.allow_deletion else [f"{ref} delete"]
            lines += [] if rule.allow_force else [f"{ref} force"]
    hook = repository.bare.path / "hooks" / "update"
    if not hook.exists():
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_HOOK)
        hook.chmod(0o755)
    # In one step: another push of the same user may be reading it, and half the rules would let it through.
    file = _rules_file(repository, who)
    file.with_suffix(".new").write_text("".join(f"{line}\n" for line in lines))
    file.with_suffix(".new").replace(file)


def _rules_file(repository: Repository, who: Identity) -> Path:
    return repository.bare.path / f"standin-rules-{who.key.replace(':', '-')}"


def _environment(repository: Repository, who: Identity, request: Request, rest: str, body: bytes) -> dict[str, str]:
    query = "&".join(f"{key}={value}" for key, value in request.query.items())
    env = {
        "PATH_INFO": f"/{repository.bare.path.name}/{rest}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_USER": who.login,
        "REMOTE_ADDR": "127.0.0.1",
        "STANDIN_RULES": str(_rules_file(repository, who)),
    }
    if "git-protocol" in request.headers:
        env["GIT_PROTOCOL"] = request.headers["git-protocol"]
    return env


def _reply(raw: bytes) -> Reply:
    head, _, body = raw.partition(b"\r\n\r\n")
    reply = Reply(200, body)
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "status":
            reply.status = int(value.split()[0])
        elif name:
            reply.headers[name] = value
    return reply
