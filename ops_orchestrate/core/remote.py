"""Git remotes as text: where they point, without the credentials that people leave in them.

Two URLs of one repository have the same `identity`, whatever their scheme, user or ending. Transports that
run a program (`ext::`) and anything that git could read as an option are refused: they give no Remote.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from ops_orchestrate.core.names import is_slug
from ops_orchestrate.core.value import Value

_SCHEMES = {"http", "https", "ssh", "git", "git+ssh", "ssh+git"}
_SCP = re.compile(
    r"(?:(?P<user>[A-Za-z0-9._][A-Za-z0-9._-]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:]+\]|[A-Za-z0-9][A-Za-z0-9._-]*):(?P<path>[^:-].*)"
)
_GITHUB = re.compile(r"github(?:\.com)?(?:[-_][a-z0-9_-]+)?")
_HOST = re.compile(r"[A-Za-z0-9_\[][A-Za-z0-9._:\[\]-]*")
_USERINFO = re.compile(r"(?<=://)[^/\s@]*(?:@[^/\s@]*)*@")


class Remote(Value):
    """Where a repository is published."""

    url: str
    """What git is given: no password and no token."""
    identity: str
    """The same for every spelling of the same place."""
    slug: str | None = None
    """`owner/name` where the place is GitHub, github.com or the one that we were told of."""
    local: bool = False
    """A path of this host; the caller makes it absolute, because relative ones depend on the checkout."""
    credentials: bool = False
    """The text held a password or a token, which is gone."""


def read_remote(text: str, *, github: str = "") -> Remote | None:
    """The remote behind a URL, an scp-like address or a path; None where git must not be given it.

    `github`: the host of a GitHub Enterprise server, which has slugs as github.com has.
    """
    text = text.strip()
    if not text or text.startswith("-") or not text.isprintable() or "::" in text.split("/")[0]:
        return None
    if "://" in text:
        return _from_url(text, github)
    scp = _SCP.fullmatch(text)
    if scp and "/" not in text.split(":")[0]:
        user = f"{scp['user']}@" if scp["user"] else ""
        return _network(f"{user}{scp['host']}:{scp['path']}", scp["host"], scp["path"], github, credentials=False)
    # Git reads `host:path` as a host even where we do not: such a text is no path.
    return None if ":" in text.split("/")[0] else _local(text)


def on_another_github(remote: Remote, github: str) -> str:
    """Why nobody may be asked about a repository: it is on github.com, and we ask another GitHub. Empty: it is not.

    Its `owner/name` would mean somebody else's repository there.
    """
    if not github or not remote.slug or remote.identity.partition("/")[0] == github.lower():
        return ""
    return (
        f"is on github.com ({remote.slug}), and OPS_GITHUB_API_URL names {github}: one data directory works with one "
        "GitHub; give this repository a registry of its own with another OPS_DATA_DIR"
    )


def strip_credentials(text: str) -> str:
    """`text` with the user part of every URL in it removed: for messages."""
    return _USERINFO.sub("", text)


def remote_name(identity: str) -> str:
    """The last part of an identity: what people call the repository."""
    return identity.rstrip("/").rsplit("/", 1)[-1]


def _from_url(text: str, github: str) -> Remote | None:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme == "file":
        return _local(unquote(parts.path))
    host = parts.hostname or ""
    if parts.scheme not in _SCHEMES or not _HOST.fullmatch(host):
        return None
    web = parts.scheme in {"http", "https"}
    user = "" if web or not parts.username or parts.username.startswith("-") else f"{parts.username}@"
    bracketed = f"[{host}]" if ":" in host else host
    place = f"{user}{bracketed}" + (f":{port}" if port else "")
    secret = bool(parts.password or (web and parts.username))
    return _network(f"{parts.scheme}://{place}{parts.path}", bracketed, parts.path, github, credentials=secret)


def _network(url: str, host: str, path: str, enterprise: str, *, credentials: bool) -> Remote | None:
    plain = unquote(path).strip("/").removesuffix(".git").strip("/")
    host = host.lower().removeprefix("www.").removeprefix("ssh.")
    if not plain or ".." in plain.split("/"):
        return None
    # ssh configurations often give each GitHub account a host name of its own, such as `github-work`.
    public = bool(_GITHUB.fullmatch(host))
    github = public or host == enterprise.lower()
    host = "github.com" if public else host
    identity = f"{host}/{plain.lower() if github else plain}"
    slug = plain if github and is_slug(plain) else None
    return Remote(url=url, identity=identity, slug=slug, credentials=credentials)


def _local(path: str) -> Remote | None:
    plain = path.rstrip("/") or path
    return Remote(url=plain, identity=plain.removesuffix("/.git"), local=True)
