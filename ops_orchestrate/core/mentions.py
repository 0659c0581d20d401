"""How texts name things at GitHub, Sentry and Linear. Text in, names out; nothing is looked up.

A name is `github:owner/name#7` (an issue or a pull request: GitHub numbers them together), `sentry:API-3` or
`sentry:4711` (short id, number) and `linear:ENG-12`. A URL and `owner/name#7` say for certain what they mean.
A bare `ENG-12` does not: a Linear ticket, a Sentry short id and `UTF-8` look alike, so `identifiers` gives words
that count only where something of that name was found. Every pattern reads a text once, without going back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

GITHUB, SENTRY, LINEAR = "github", "sentry", "linear"

#: What is read of one text; an issue of a megabyte names what it is about at its beginning.
LIMIT = 20_000

_SLUG = r"(?P<slug>[A-Za-z0-9][A-Za-z0-9-]{0,38}+/[A-Za-z0-9._-]{1,100}+)"
_NUMBER = r"(?P<number>[0-9]{1,10}+)"
_URL = re.compile(r"\bhttps?://(?P<host>[A-Za-z0-9.-]{1,200}+)(?::[0-9]{1,5}+)?(?P<path>/[A-Za-z0-9._~/%-]{1,500}+)")
_GITHUB_PATH = re.compile(rf"/{_SLUG}/(?:issues|pull)/{_NUMBER}(?![0-9A-Za-z])")
_SENTRY_PATH = re.compile(rf"/(?:organizations/[A-Za-z0-9_-]{{1,100}}+/)?issues/{_NUMBER}(?![0-9A-Za-z])")
_LINEAR_PATH = re.compile(r"/[A-Za-z0-9_-]{1,100}+/issue/(?P<id>[A-Za-z0-9]{1,20}+-[0-9]{1,10}+)(?![0-9A-Za-z])")
_SHORTHAND = re.compile(rf"(?<![A-Za-z0-9._/-]){_SLUG}#{_NUMBER}(?![0-9A-Za-z])")
_IDENTIFIER = re.compile(
    r"(?<![A-Za-z0-9._/@#-])[A-Z0-9][A-Z0-9_]{0,50}+(?:-[A-Z0-9_]{1,50}+){1,12}+(?![A-Za-z0-9_/-])"
)


def github_name(slug: str, number: int | str) -> str:
    """The name of an issue or pull request of `owner/name`."""
    return f"{GITHUB}:{slug}#{number}"


def sentry_name(issue: str) -> str:
    """The name of a Sentry issue, by its short id or its number."""
    return f"{SENTRY}:{issue}"


def linear_name(identifier: str) -> str:
    """The name of a Linear ticket."""
    return f"{LINEAR}:{identifier.upper()}"


def same(name: str) -> str:
    """What two spellings of one name have in common: nobody tells two things apart by letter case alone."""
    return name.casefold()


def is_named(text: str) -> bool:
    """Whether `text` is a name in the form that is made here, rather than an id or a title."""
    source, colon, rest = text.partition(":")
    return (
        bool(colon)
        and source.casefold() in (GITHUB, SENTRY, LINEAR)
        and bool(rest)
        and not any(c.isspace() for c in rest)
    )


def names_in(text: str, *, hosts: Iterable[str] = ("github.com",)) -> tuple[str, ...]:
    """What a text names for certain: URLs of all three, and `owner/name#7`; a bare `#7` is anybody's.

    `hosts`: where GitHub is (an Enterprise server has its own). Other hosts' URLs of the same form name nothing.
    """
    text = text[:LIMIT]
    homes = {host.casefold() for host in hosts}
    found = [name for url in _URL.finditer(text) if (name := _of_url(url["host"].casefold(), url["path"], homes))]
    found += [github_name(hit["slug"], hit["number"]) for hit in _SHORTHAND.finditer(text)]
    return tuple(dict.fromkeys(found))


def identifiers(text: str) -> tuple[str, ...]:
    """Words that may be a Sentry short id or a Linear identifier; they mean something only where one is known."""
    return tuple(dict.fromkeys(hit[0] for hit in _IDENTIFIER.finditer(text[:LIMIT])))


def repositories_in(text: str, *, hosts: Iterable[str] = ("github.com",)) -> tuple[str, ...]:
    """The `owner/name` of every GitHub URL in a text: of an issue, a pull request, a commit or the repository."""
    homes = {host.casefold() for host in hosts}
    paths = [url["path"] for url in _URL.finditer(text[:LIMIT]) if url["host"].casefold() in homes]
    hits = [hit for path in paths if (hit := re.match(rf"/{_SLUG}", path))]
    return tuple(dict.fromkeys(hit["slug"].removesuffix(".git") for hit in hits))


def _of_url(host: str, path: str, homes: set[str]) -> str:
    if host in homes:
        hit = _GITHUB_PATH.match(path)
        return github_name(hit["slug"], hit["number"]) if hit else ""
    if host == "linear.app":
        hit = _LINEAR_PATH.match(path)
        return linear_name(hit["id"]) if hit else ""
    if "sentry" in host.split("."):
        hit = _SENTRY_PATH.match(path)
        return sentry_name(hit["number"]) if hit else ""
    return ""
