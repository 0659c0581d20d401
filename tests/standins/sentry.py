"""A stand-in for Sentry: issues with events in time, listed, paged, counted and resolved as Sentry does it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.standins.loopback import Answer, Loopback, Request, serving
from tests.standins.schemas import published

TOKEN = "sntrys_standin"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC).timestamp()
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_ORG = "/api/0/organizations/{organization_id_or_slug}/issues/"


#: What Sentry answers beside what anybody asks for here.
_UNUSED: dict[str, Any] = {
    **dict.fromkeys(("isBookmarked", "isPublic", "isSubscribed", "hasSeen", "latestEventHasAttachments"), False),
    **dict.fromkeys(("assignedTo", "filtered", "logger", "shareId", "subscriptionDetails"), None),
    **dict.fromkeys(("priorityLockedAt", "seerAutofixLastTriggered", "seerExplorerAutofixLastTriggered"), None),
    **dict.fromkeys(("seerFixabilityScore", "matchingEventEnvironment", "matchingEventId"), None),
    "integrationIssues": [],
    "sentryAppIssues": [],
    **dict.fromkeys(("numComments", "sessionCount"), 0),
    "inbox": {"reason": 0, "reason_details": None, "date_added": "2026-11-20T12:00:00Z"},
    "owners": {"type": "codeowners", "owner": "team:1", "date_added": "2026-11-20T12:00:00Z"},
    "derivedData": {
        **dict.fromkeys(("blocker", "progress", "status", "lastCompletedAutofixStep"), ""),
        **dict.fromkeys(("hasOpenFixPr", "isAssigned", "hasRootCause"), False),
        "viewCount": 0,
        "lastProgressedAt": None,
    },
    "isUnhandled": True,
    "issueType": "error",
    "platform": "python",
    "priority": "high",
    "stats": {},
    "type": "error",
}


@dataclass
class Issue:
    """One issue and the moments (and users) of its events."""

    id: str
    short_id: str
    project: str
    title: str = "ValueError: bad"
    level: str = "error"
    status: str = "unresolved"
    substatus: str | None = "ongoing"
    category: str = "error"
    events: list[tuple[float, str, str]] = field(default_factory=list)
    """(when, user, release)"""
    annotations: list[dict[str, str]] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=lambda: {"type": "ValueError", "value": "bad", "filename": "a.py"})


class SentryStandIn(Loopback):
    """One organization, `acme`."""

    def __init__(self) -> None:
        super().__init__()
        self.projects: set[str] = {"shop"}
        self.issues: dict[str, Issue] = {}
        self.page = 100
        self.now = NOW
        self.problems: list[str] = []
        """What the published schema says against our own answers; a test holds it empty."""

    def add(self, number: int, count: int = 0, users: int = 1, *, ago: float = 60.0, **kw: Any) -> Issue:
        """An issue of `shop` with as many events, by as many users, that long ago."""
        release = kw.pop("release", "1.0")
        issue = Issue(**({"id": str(4000 + number), "short_id": f"SHOP-{number}", "project": "shop"} | kw))
        issue.events += [(self.now - ago, f"u{at % users}", release) for at in range(count)]
        self.issues[issue.id] = issue
        return issue

    def reply(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, {"detail": "Invalid token"})
        if request.path == "/api/0/organizations/acme/issues/":
            return self._list(request, [value for name, value in request.query if name == "project"])
        of_one = re.fullmatch(r"/api/0/projects/acme/([^/]+)/issues/", request.path)
        if of_one:  # what Sentry's own command asks
            return self._list(request, [of_one[1]])
        found = re.fullmatch(r"/api/0/organizations/acme/issues/(\d+)/", request.path)
        issue = self.issues.get(found[1]) if found else None
        if issue is None:
            return Answer(404, {"detail": "The requested resource does not exist"})
        if request.method == "PUT":
            self._check(request.body, "put", _ORG + "{issue_id}/", request=True)
            issue.status = request.body["status"]
        return Answer(200, self._shown(issue, issue.events))

    def _list(self, request: Request, projects: list[str]) -> Answer:
        asked = dict(request.query)
        strange = set(asked) - parameters("get", _ORG) if published("sentry-openapi.json") else set()
        self.problems += [f"Sentry knows no parameter {one}" for one in strange]
        if not set(projects) <= self.projects:
            return Answer(403, {"detail": "You do not have permission to perform this action."})
        hits = [(issue, events) for issue in self.issues.values() if (events := self._matching(issue, asked, projects))]
        start = int((asked.get("cursor") or "0:0:0").split(":")[1])
        size = min(self.page, int(asked.get("limit", "100")))
        body = [self._shown(issue, events) for issue, events in hits[start : start + size]]
        self._check(body, "get", _ORG)
        more = "true" if start + size < len(hits) else "false"
        link = (
            f'<{self.url}{request.path}?cursor=0:0:1>; rel="previous"; results="false"; cursor="0:0:1", '
            f'<http://169.254.0.1/steal>; rel="next"; results="{more}"; cursor="0:{start + size}:0"'
        )
        return Answer(200, body, {"link": link})

    def _matching(self, issue: Issue, asked: dict[str, str], projects: list[str]) -> list[tuple[float, str, str]]:
        query = asked.get("query", "is:unresolved")
        if issue.project not in projects or ("is:unresolved" in query and issue.status != "unresolved"):
            return []
        if "start" in asked:
            since, until = (datetime.fromisoformat(asked[k]).replace(tzinfo=UTC).timestamp() for k in ("start", "end"))
        else:
            period = asked.get("statsPeriod", "90d")
            since, until = self.now - int(period[:-1]) * _UNITS[period[-1]], self.now
        release = re.search(r'release:"([^"]+)"', query)
        return [one for one in issue.events if since <= one[0] <= until and (not release or one[2] == release[1])]

    def _shown(self, issue: Issue, events: list[tuple[float, str, str]]) -> dict[str, Any]:
        times = [at for at, _, _ in issue.events] or [self.now]
        life = {"firstSeen": _iso(min(times)), "lastSeen": _iso(max(times))}
        return {
            "id": issue.id,
            "shortId": issue.short_id,
            "title": issue.title,
            "culprit": "shop.views in checkout",
            "permalink": f"https://acme.sentry.io/issues/{issue.id}/",
            "level": issue.level,
            "status": issue.status,
            "statusDetails": {},
            "substatus": issue.substatus,
            "issueCategory": issue.category,
            "project": {"id": "1", "name": issue.project, "slug": issue.project, "platform": "python"},
            "metadata": issue.metadata,
            "annotations": issue.annotations,
            "count": str(len(events)),
            "userCount": len({user for _, user, _ in events}),
            **life,
            "lifetime": life,
            **_UNUSED,
        }

    def _check(self, body: Any, method: str, path: str, *, request: bool = False) -> None:
        if published("sentry-openapi.json"):
            self.problems += [f"{e.json_path}: {e.message}" for e in validator(method, path, request).iter_errors(body)]


@contextmanager
def sentry() -> Iterator[SentryStandIn]:
    """A stand-in that answers."""
    with serving(SentryStandIn) as standin:
        yield standin
        assert standin.problems == [], "the stand-in does not answer as Sentry says it does"


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    path = published("sentry-openapi.json")
    assert path is not None
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def parameters(method: str, path: str) -> set[str]:
    """The names of the parameters that a call takes."""
    return {one["name"] for one in _document()["paths"][path][method]["parameters"]}


@lru_cache(maxsize=8)
def validator(method: str, path: str, request: bool) -> Draft202012Validator:
    """A validator of what a call takes or answers."""
    call = _document()["paths"][path][method]
    holder = call["requestBody"] if request else call["responses"]["200"]
    schema = _plain(deepcopy(holder["content"]["application/json"]["schema"]))
    if request:
        # It lists every field as required, and says beside it "Only the attributes submitted are modified".
        schema.pop("required", None)
    return Draft202012Validator(schema)


def _plain(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _plain(value) for key, value in schema.items()}
    return {"anyOf": [{"type": "null"}, made]} if made.pop("nullable", False) is True else made


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
