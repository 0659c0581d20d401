"""What an issue's own text and labels say: whom it waits for, and how urgent it is; and what a change says it closes.

The text is a stranger's. It can make an issue wait, and only for other issues by their names; it can't start anything.
Quoted, struck out, commented and fenced text says nothing, nor does a box that is ticked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ops_orchestrate.core.mentions import github_name
from ops_orchestrate.core.names import is_slug
from ops_orchestrate.core.task import Priority

#: So many blockers of one issue are believed.
MOST = 20
_LONGEST = 60_000

_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_STRUCK = re.compile(r"~~[^~\n]*~~")
_TICKED = re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)])\s+\[[xX]\]")
_WORDS = re.compile(r"\b(?:depends[ -]on|blocked[ -]by)\b[*_]{0,2}\s?:?[*_]{0,2}", re.IGNORECASE)
_CLOSING = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)[*_]{0,2}:?[*_]{0,2}(?=\s)", re.IGNORECASE)
_NOT = re.compile(r"(?:\bnot|\bno longer|n't|\bnever|\bnothing|\bun)[ -]{0,2}$", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s,;&]{0,5}(?:(?:and|or)\b)?\s{0,5}", re.IGNORECASE)
_REFERENCE = re.compile(
    r"(?:https?://(?P<host>[A-Za-z0-9.:-]{1,100})/(?P<there>[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100})/(?:issues|pull)/"
    r"(?P<at>\d{1,9})(?![\d/])(?:#[A-Za-z0-9_-]{0,60})?"
    r"|(?P<slug>[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100})?#(?P<number>\d{1,9})(?!\w))"
)

_PRIORITY = re.compile(r"(?:prio(?:rity)?\s{0,2}[:/ -]\s{0,2})?p([0-3])(?:\b.*)?", re.IGNORECASE)
_CRITICAL = re.compile(r"(?:(?:prio(?:rity)?|severity)\s{0,2}[:/ -]\s{0,2})?critical", re.IGNORECASE)
_BUG = re.compile(r"(?:(?:type|kind)\s{0,2}[:/ -]\s{0,2})?bug", re.IGNORECASE)


def issue_name(slug: str, number: int) -> str:
    """The name of an issue, or of a pull request, over all sources: `github:owner/name#7`. Letter case is no matter."""
    return github_name(slug.lower(), number)


def blockers_in(text: str, slug: str, *, host: str = "github.com") -> tuple[str, ...]:
    """Names of the issues that a text of an issue of `slug` says it waits for, in its order.

    It says so with `Depends-On:`, `depends on` or `blocked by` and `#7`, `owner/name#7` or the address of an issue or
    a pull request on `host`; several after one another.
    """
    found: dict[str, None] = {}
    for line in _said(text[:_LONGEST]):
        for word in _WORDS.finditer(line):
            if not _NOT.search(line[max(0, word.start() - 12) : word.start()]):
                found |= dict.fromkeys(_references(line, word.end(), slug, host))
    return tuple(found)[:MOST]


def closed_by(text: str, slug: str, *, host: str = "github.com") -> tuple[str, ...]:
    """Names of the issues that a text of a pull request in `slug` says its merge closes, in its order.

    GitHub's own words (`Fixes #7`, `closes: owner/name#7`, `resolved` and an address on `host`), one issue a word. It
    reads them only where the pull request goes into the default branch; whoever wrote them means them for any other.
    """
    found: dict[str, None] = {}
    for line in _said(text[:_LONGEST], ticked=True):
        for word in _CLOSING.finditer(line):
            if not _NOT.search(line[max(0, word.start() - 12) : word.start()]):
                found |= dict.fromkeys(list(_references(line, word.end(), slug, host))[:1])
    return tuple(found)[:MOST]


def priority_in(labels: Iterable[str]) -> Priority | None:
    """The most urgent priority that labels name: `P0` to `P3` (also `priority: P1`), `critical` (P0), `bug` (P2)."""
    return min((found for label in labels if (found := _priority(label.strip())) is not None), default=None)


def _priority(label: str) -> Priority | None:
    level = _PRIORITY.fullmatch(label)
    if level:
        return Priority(f"P{level[1]}")
    if _CRITICAL.fullmatch(label):
        return Priority.P0
    return Priority.P2 if _BUG.fullmatch(label) else None


def _said(text: str, *, ticked: bool = False) -> Iterable[str]:
    """The lines that the author says, without what is only shown; boxes that are ticked only where asked for."""
    fence = ""
    for line in _COMMENT.sub(" ", text).splitlines():
        mark = _FENCE.match(line)
        if mark:
            fence = "" if fence == mark[1] else fence or mark[1]
            continue
        if not fence and not line.lstrip().startswith(">") and (ticked or not _TICKED.match(line)):
            yield _STRUCK.sub(" ", _CODE.sub(" ", line))


def _references(line: str, at: int, slug: str, host: str) -> Iterable[str]:
    while True:
        gap = _BETWEEN.match(line, at)
        found = _REFERENCE.match(line, gap.end() if gap else at)
        if found is None:
            return
        at = found.end()
        if found["host"] and _host(found["host"]) != host.lower():
            continue
        place, number = found["there"] or found["slug"] or slug, int(found["at"] or found["number"])
        if number and is_slug(place):
            yield issue_name(place, number)


def _host(written: str) -> str:
    """Without its port, as the other address of the same server is read; `www.` is github.com's own."""
    return re.sub(r":\d{1,5}$", "", written.lower()).removeprefix("www.")
