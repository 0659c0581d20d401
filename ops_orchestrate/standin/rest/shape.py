"""People, repositories and commits as GitHub's JSON has them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ops_orchestrate.standin.exchange import Links
from ops_orchestrate.standin.git import Change, Commit
from ops_orchestrate.standin.people import LEVELS, App, User
from ops_orchestrate.standin.pull import Pull
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.world import World

JSON = dict[str, Any]

_USER_URLS = {
    "events_url": "/events{/privacy}", "followers_url": "/followers", "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}", "organizations_url": "/orgs", "received_events_url": "/received_events",
    "repos_url": "/repos", "starred_url": "/starred{/owner}{/repo}", "subscriptions_url": "/subscriptions",
}  # fmt: skip
_REPO_URLS = {
    "archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}", "commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}", "contributors_url": "/contributors", "deployments_url": "/deployments",
    "downloads_url": "/downloads", "events_url": "/events", "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks", "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}", "issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}", "languages_url": "/languages", "merges_url": "/merges",
    "milestones_url": "/milestones{/number}", "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}", "releases_url": "/releases{/id}", "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}", "subscribers_url": "/subscribers", "subscription_url": "/subscription",
    "tags_url": "/tags", "teams_url": "/teams", "trees_url": "/git/trees{/sha}",
}  # fmt: skip


def iso(at: float | None) -> str | None:
    """Seconds since 1970 as GitHub writes a time."""
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def user(links: Links, one: User) -> JSON:
    """A user in brief."""
    url = f"{links.api}/users/{one.login}"
    return {
        "login": one.login, "id": one.id, "node_id": one.node_id, "avatar_url": f"{links.html}/avatars/{one.id}",
        "gravatar_id": "", "url": url, "html_url": f"{links.html}/{one.login}",
        **{key: url + rest for key, rest in _USER_URLS.items()},
        "type": one.kind, "user_view_type": "public", "site_admin": False,
    }  # fmt: skip


def repo_api(links: Links, repository: Repository) -> str:
    """Where a repository's routes start."""
    return f"{links.api}/repos/{repository.full_name}"


def minimal(links: Links, one: Repository) -> JSON:
    """A repository in brief."""
    url = repo_api(links, one)
    return {
        "id": one.id, "node_id": one.node_id, "name": one.name, "full_name": one.full_name, "private": one.private,
        "owner": user(links, one.owner), "html_url": f"{links.html}/{one.full_name}", "description": one.description,
        "fork": one.parent is not None, "url": url, **{key: url + rest for key, rest in _REPO_URLS.items()},
    }  # fmt: skip


def repository(links: Links, one: Repository, level: str) -> JSON:
    """A repository as its own page has it, for somebody who may do `level`."""
    html = f"{links.html}/{one.full_name}"
    issues = sum(issue.open for issue in one.issues.values()) + sum(pull.open for pull in one.pulls.values())
    rank = LEVELS.index(level)
    may = {"pull": 1, "triage": 2, "push": 3, "maintain": 4, "admin": 5}
    return {
        **minimal(links, one), "git_url": f"{html}.git".replace("http", "git", 1), "ssh_url": f"git@{html}.git",
        "clone_url": f"{html}.git", "svn_url": html, "homepage": None, "mirror_url": None, "language": None,
        "size": 100, "stargazers_count": 0, "watchers_count": 0, "forks_count": 0, "open_issues_count": issues,
        "forks": 0, "open_issues": issues, "watchers": 0, "license": None, "topics": [], "is_template": False,
        "has_issues": True, "has_projects": True, "has_wiki": False, "has_pages": False, "has_downloads": True,
        "has_discussions": False, "archived": one.archived, "disabled": False, "allow_forking": True,
        "visibility": "private" if one.private else "public", "default_branch": one.default_branch,
        "created_at": iso(one.created_at), "updated_at": iso(one.pushed_at), "pushed_at": iso(one.pushed_at),
        "web_commit_signoff_required": False, "network_count": 0, "subscribers_count": 0,
        "permissions": {name: rank >= least for name, least in may.items()},
        **(_settings(one) if rank >= LEVELS.index("write") else {}),
    }  # fmt: skip


def _settings(one: Repository) -> JSON:
    return {
        "allow_squash_merge": "squash" in one.allow, "allow_merge_commit": "merge" in one.allow,
        "allow_rebase_merge": "rebase" in one.allow, "allow_auto_merge": one.allow_auto_merge,
        "delete_branch_on_merge": one.delete_branch_on_merge, "allow_update_branch": True,
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE", "squash_merge_commit_message": "COMMIT_MESSAGES",
        "merge_commit_title": "MERGE_MESSAGE", "merge_commit_message": "PR_TITLE",
    }  # fmt: skip


def app(links: Links, one: App) -> JSON:
    """An app."""
    at = "2020-01-01T00:00:00Z"
    return {
        "id": one.id, "slug": one.slug, "node_id": one.node_id, "owner": user(links, one.owner), "name": one.slug,
        "description": "", "external_url": f"{links.html}/apps/{one.slug}", "html_url": f"{links.html}/apps/{one.slug}",
        "created_at": at, "updated_at": at, "permissions": dict(one.permissions), "events": [],
    }  # fmt: skip


def commit(links: Links, world: World, repository: Repository, one: Commit) -> JSON:
    """A commit."""
    api, html = repo_api(links, repository), f"{links.html}/{repository.full_name}"
    signed = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
    return {
        "sha": one.sha, "node_id": f"C_{one.sha}", "url": f"{api}/commits/{one.sha}",
        "html_url": f"{html}/commit/{one.sha}", "comments_url": f"{api}/commits/{one.sha}/comments",
        "commit": {
            "author": _signature(one.author), "committer": _signature(one.committer), "message": one.message,
            "tree": {"sha": one.tree, "url": f"{api}/git/trees/{one.tree}"},
            "url": f"{api}/git/commits/{one.sha}", "comment_count": 0, "verification": signed,
        },
        "author": _known(links, world, one.author), "committer": _known(links, world, one.committer),
        "parents": [
            {"sha": sha, "url": f"{api}/commits/{sha}", "html_url": f"{html}/commit/{sha}"} for sha in one.parents
        ],
    }  # fmt: skip


def _signature(who: tuple[str, str, str]) -> JSON:
    return {"name": who[0], "email": who[1], "date": utc(who[2])}


def utc(date: str) -> str:
    """git's ISO date in GitHub's form."""
    return datetime.fromisoformat(date).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _known(links: Links, world: World, who: tuple[str, str, str]) -> JSON | None:
    found = known_user(world, who[1])
    return user(links, found) if found else None


def known_user(world: World, email: str) -> User | None:
    """The user that an address of a commit belongs to."""
    return next((one for one in world.users.values() if email in {one.email, f"{one.login}@example.com"}), None)


def file(links: Links, repository: Repository, sha: str, change: Change, patch: str) -> JSON:
    """A changed file."""
    html, path = f"{links.html}/{repository.full_name}", change.path
    body: JSON = {
        "sha": change.blob, "filename": path, "status": change.status, "additions": change.additions,
        "deletions": change.deletions, "changes": change.additions + change.deletions,
        "blob_url": f"{html}/blob/{sha}/{path}", "raw_url": f"{html}/raw/{sha}/{path}",
        "contents_url": f"{repo_api(links, repository)}/contents/{path}?ref={sha}",
    }  # fmt: skip
    if change.previous:
        body["previous_filename"] = change.previous
    return body | ({"patch": patch} if patch else {})


def pull_ref(links: Links, one: Pull, repository: Repository) -> JSON:
    """A pull request where another thing mentions it."""
    api, head = repo_api(links, repository), one.head_repository or one.repository
    sides = {"head": (one.head_ref, one.head_sha, head), "base": (one.base_ref, one.base_sha, one.repository)}
    return {
        "id": one.id, "number": one.number, "url": f"{api}/pulls/{one.number}",
        **{
            side: {"ref": ref, "sha": sha, "repo": {"id": r.id, "url": repo_api(links, r), "name": r.name}}
            for side, (ref, sha, r) in sides.items()
        },
    }  # fmt: skip
