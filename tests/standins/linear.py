"""A stand-in for Linear: teams, cycles, tickets and their relations; queries executed by a GraphQL engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, build_schema, execute_sync, parse, validate

from tests.standins.loopback import Answer, Loopback, Request, serving
from tests.standins.schemas import published

KEY = "lin_api_standin"
STATES = ("triage", "backlog", "unstarted", "started", "completed", "canceled")
#: Linear's own limits on a page.
DEFAULT_PAGE, LARGEST_PAGE = 50, 250


@dataclass
class Ticket:
    """One ticket."""

    identifier: str
    state: str = "unstarted"
    title: str = "Do it"
    description: str | None = None
    priority: float = 0
    cycle: bool = True
    labels: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    previous: list[str] = field(default_factory=list)
    assignee: str | None = None
    outsider: str | None = None
    project: str | None = None
    parent: str | None = None

    @property
    def id(self) -> str:
        return f"uuid-{self.identifier.lower()}"

    @property
    def team(self) -> str:
        return self.identifier.split("-")[0]


class LinearStandIn(Loopback):
    """One workspace with a team `ENG`."""

    def __init__(self) -> None:
        super().__init__()
        self.teams: dict[str, bool] = {"ENG": True}
        """Key to whether a cycle is going on."""
        self.tickets: dict[str, Ticket] = {}
        self.relations: list[tuple[str, str, str]] = []
        """(identifier, type, related identifier)"""
        self.largest = LARGEST_PAGE

    def add(self, identifier: str, **kw: Any) -> Ticket:
        """A ticket."""
        self.tickets[identifier] = Ticket(identifier, **kw)
        return self.tickets[identifier]

    def reply(self, request: Request) -> Answer:
        if request.headers.get("authorization") != KEY:
            error = {"message": "Authentication required", "extensions": {"code": "AUTHENTICATION_ERROR"}}
            return Answer(400, {"errors": [error]})
        document = parse(request.body["query"])
        problems = validate(schema(), document)
        if problems:
            return Answer(400, {"errors": [{"message": one.message} for one in problems]})
        done = execute_sync(
            schema(), document, {**self._query(), **self._mutation()}, variable_values=request.body["variables"]
        )
        return Answer(200, done.formatted)

    def _query(self) -> dict[str, Any]:
        return {
            "teams": lambda _info, filter, **page: self._page(
                [self._team(key) for key in self.teams if _fits(key, filter["key"])], **page
            ),
            "issues": lambda _info, filter, **page: self._page(
                [self._issue(one) for one in self.tickets.values() if self._wanted(one, filter)], **page
            ),
            "issue": lambda _info, id: self._issue(self._find(id)),
        }

    def _mutation(self) -> dict[str, Any]:
        def issue_update(_info: Any, id: str, input: dict[str, Any]) -> dict[str, Any]:
            self._find(id).state = input["stateId"].split(":")[1]
            return {"success": True}

        return {"issueUpdate": issue_update}

    def _find(self, name: str) -> Ticket:
        found = [one for one in self.tickets.values() if name in (one.id, one.identifier)]
        if not found:
            raise ValueError("Entity not found: Issue")
        return found[0]

    def _wanted(self, ticket: Ticket, wanted: dict[str, Any]) -> bool:
        return (
            _fits(ticket.team, wanted["team"]["key"])
            and wanted["cycle"]["isActive"]["eq"] == (ticket.cycle and self.teams[ticket.team])
            and _fits(ticket.state, wanted["state"]["type"])
        )

    def _team(self, key: str) -> dict[str, Any]:
        return {
            "id": f"team-{key}",
            "key": key,
            "activeCycle": {"number": 7} if self.teams[key] else None,
            "states": lambda _info, filter, **page: self._page(
                [self._state(key, one) for one in STATES if _fits(one, filter["type"])], **page
            ),
        }

    def _state(self, team: str, name: str) -> dict[str, Any]:
        return {"id": f"{team}:{name}", "name": name.title(), "type": name, "position": (*STATES, name).index(name)}

    def _issue(self, ticket: Ticket) -> dict[str, Any]:
        mine = ticket.identifier
        return {
            "id": ticket.id,
            "identifier": mine,
            "previousIdentifiers": ticket.previous,
            "title": ticket.title,
            "description": ticket.description,
            "priority": ticket.priority,
            "url": f"https://linear.app/acme/issue/{mine}/x",
            "team": lambda _info: self._team(ticket.team),
            "state": self._state(ticket.team, ticket.state),
            "assignee": {"displayName": ticket.assignee} if ticket.assignee else None,
            "externalUserCreator": {"name": ticket.outsider} if ticket.outsider else None,
            "project": {"name": ticket.project} if ticket.project else None,
            "children": lambda _info, **page: self._page(
                [self._issue(one) for one in self.tickets.values() if one.parent == mine], **page
            ),
            "labels": self._lister([{"name": one} for one in ticket.labels]),
            "attachments": self._lister([{"url": one} for one in ticket.links]),
            "relations": self._lister([self._relation(*one) for one in self.relations if one[0] == mine]),
            "inverseRelations": self._lister([self._relation(*one) for one in self.relations if one[2] == mine]),
        }

    def _relation(self, issue: str, kind: str, related: str) -> dict[str, Any]:
        return {
            "type": kind,
            "issue": lambda _info: self._issue(self.tickets[issue]),
            "relatedIssue": lambda _info: self._issue(self.tickets[related]),
        }

    def _lister(self, items: Sequence[Any]) -> Any:
        return lambda _info, **page: self._page(items, **page)

    def _page(self, items: Sequence[Any], first: int = DEFAULT_PAGE, after: str | None = None) -> dict[str, Any]:
        start = int(after) if after else 0
        end = start + min(first, self.largest)
        return {"nodes": items[start:end], "pageInfo": {"hasNextPage": end < len(items), "endCursor": str(end)}}


def _fits(value: str, comparator: dict[str, Any]) -> bool:
    return value == comparator["eq"] if "eq" in comparator else value in comparator["in"]


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """Linear's published schema where it is at hand, else our own small one."""
    path = published("linear.graphql") or Path(__file__).with_name("linear.graphql")
    return build_schema(path.read_text(encoding="utf-8"), assume_valid=True)


@contextmanager
def linear() -> Iterator[LinearStandIn]:
    """A stand-in that answers."""
    schema()  # a large file: no request waits for it
    with serving(LinearStandIn) as standin:
        yield standin
