"""Linear's GraphQL API: one question a page, and one mutation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import httpx

from ops_orchestrate.adapters.credential import required
from ops_orchestrate.adapters.linear.answers import Page, State, Team, Ticket, read
from ops_orchestrate.adapters.linear.queries import CYCLE, DONE_STATES, MORE, MOVE, TEAM
from ops_orchestrate.adapters.outward import Outward
from ops_orchestrate.adapters.web import Refused, Web
from ops_orchestrate.config import Settings
from ops_orchestrate.core.names import one_line
from ops_orchestrate.errors import SourceUnavailable
from ops_orchestrate.ports import Secrets

KEY_NAME = "LINEAR_API_KEY"
MAX_PAGES = 100

#: Attributes of a ticket that are lists, by what Linear calls them.
_LISTS = {
    "labels": "labels",
    "attachments": "attachments",
    "relations": "relations",
    "blockers": "inverseRelations",
    "children": "children",
}


class LinearClient:
    """One workspace."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def cycle(self, team: str) -> tuple[Team | None, list[Ticket]]:
        """A team (None where there is none of that key) and all tickets of its current cycle, lists complete.

        Raises SourceUnavailable; Refused for the key.
        """
        found: dict[str, Ticket] = {}
        after: str | None = None
        for _ in range(MAX_PAGES):
            data = self._ask(CYCLE, {"team": team, "after": after})
            teams = [read(Team, one) for one in _nodes(data.get("teams"))]
            page = read(Page, data.get("issues"))
            for node in page.nodes:
                ticket = self._complete(read(Ticket, node))
                found.setdefault(ticket.id, ticket)
            if not page.info.more:
                return (teams[0] if teams else None), list(found.values())
            after = page.info.cursor
        raise SourceUnavailable(f"Linear's cycle of {one_line(team, 20)} has more than {MAX_PAGES} pages")

    def has_team(self, team: str) -> bool:
        """Whether there is a team of that key, as far as we are shown it. Raises SourceUnavailable."""
        return bool(_nodes(self._ask(TEAM, {"team": team}).get("teams")))

    def done_states(self, identifier: str) -> tuple[str, State, list[State]]:
        """A ticket's id, its state, and its team's states that mean done, the first one first.

        Raises SourceUnavailable, also where there is no such ticket.
        """
        issue = self._ask(DONE_STATES, {"id": identifier}).get("issue")
        if not isinstance(issue, dict):
            raise SourceUnavailable(f"Linear has no ticket {identifier}")
        team = issue.get("team")
        states = [read(State, one) for one in _nodes(team.get("states") if isinstance(team, dict) else None)]
        return str(issue.get("id")), read(State, issue.get("state")), sorted(states, key=lambda one: one.position)

    def move(self, ticket: str, state: str) -> None:
        """Move a ticket (by its id); sent once. Raises SourceUnavailable."""
        reply = self._web.write("POST", "", {"query": MOVE, "variables": {"id": ticket, "state": state}})
        done = self._data(reply.data).get("issueUpdate")
        if not isinstance(done, dict) or done.get("success") is not True:
            raise SourceUnavailable("Linear did not move the ticket, and does not say why")

    def _complete(self, ticket: Ticket) -> Ticket:
        whole: dict[str, Page] = {}
        for field, name in _LISTS.items():
            page: Page = getattr(ticket, field)
            if page.info.more:
                whole[field] = self._rest(ticket.id, name, page)
        return ticket.model_copy(update=whole) if whole else ticket

    def _rest(self, ticket: str, name: str, page: Page) -> Page:
        nodes = list(page.nodes)
        for _ in range(MAX_PAGES):
            issue = self._ask(MORE[name], {"id": ticket, "after": page.info.cursor}).get("issue")
            page = read(Page, issue.get(name) if isinstance(issue, dict) else None)
            nodes += page.nodes
            if not page.info.more:
                return page.model_copy(update={"nodes": nodes})
        raise SourceUnavailable(f"Linear's {name} of one ticket go on for more than {MAX_PAGES} pages")

    def _ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        return self._data(self._web.ask("", {"query": query, "variables": dict(variables)}).data)

    def _data(self, answer: Any) -> dict[str, Any]:
        """The answer's data. An answer with errors is none, also where a part of the data is there."""
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if errors:
            first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
            extensions = first.get("extensions")
            code = str(extensions.get("code", "")) if isinstance(extensions, dict) else ""
            kind = Refused if code == "AUTHENTICATION_ERROR" else SourceUnavailable
            raise kind(self._web.clean(f"Linear answered with an error: {first.get('message')} {code}".rstrip()))
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict):
            raise SourceUnavailable("Linear's answer holds no data")
        return data


@contextmanager
def linear_client(
    settings: Settings, secrets: Secrets, transport: httpx.BaseTransport | None = None
) -> Iterator[LinearClient]:
    """The client for these settings. Raises NotSetUp where nobody has the key."""
    key = required(secrets, KEY_NAME)
    web = Web(
        "Linear",
        settings.linear_url,
        headers={"authorization": key},  # Linear takes a personal key as it is, without "Bearer"
        secret=key,
        timeout=settings.source_timeout,
        outward=Outward.of(settings),
        transport=transport,
    )
    with closing(web):
        yield LinearClient(web)


def _nodes(page: Any) -> list[Any]:
    nodes = page.get("nodes") if isinstance(page, dict) else None
    if not isinstance(nodes, list):
        raise SourceUnavailable("Linear's answer holds no list")
    return nodes
