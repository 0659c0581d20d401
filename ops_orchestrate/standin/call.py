"""What a route gets to work with, the table of routes, and pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from ops_orchestrate.standin.exchange import Links, Refused, Reply, Request, not_found
from ops_orchestrate.standin.people import Identity, User, at_least
from ops_orchestrate.standin.pull import Pull
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.tide import Tide
from ops_orchestrate.standin.world import World

T = TypeVar("T")
Handler = Callable[["Call"], Reply]


@dataclass
class Call:
    """One request on its way through a route, with the world locked around it."""

    world: World
    tide: Tide
    request: Request
    who: Identity
    args: Mapping[str, str]
    repository: Repository | None = None
    price: int = 1
    """Points of a GraphQL query."""

    @property
    def links(self) -> Links:
        """Where URLs start."""
        return self.request.links

    @property
    def repo(self) -> Repository:
        """The repository of the path."""
        if self.repository is None:
            raise not_found()
        return self.repository

    @property
    def user(self) -> User:
        """Who acts. Raises Refused where nobody is logged in."""
        if self.who.user is None:
            raise Refused(401, "Requires authentication")
        return self.who.user

    def level(self, repository: Repository) -> str:
        """What the caller may do to a repository."""
        return self.world.level(self.who.user, repository, self.who.installation)

    def number(self, name: str = "number") -> int:
        """A number of the path."""
        return int(self.args[name])

    def pull(self) -> Pull:
        """The pull request of the path."""
        found = self.repo.pulls.get(self.number())
        if found is None:
            raise not_found()
        return found

    def commit(self, name: str) -> str:
        """The commit that a SHA, branch or tag of the path names."""
        found = self.repo.bare.resolve(self.args[name])
        if found is None:
            raise Refused(422, f"No commit found for SHA: {self.args[name]}")
        return found

    def json(self) -> dict[str, Any]:
        """The body. Raises Refused 400 where it is not a JSON object."""
        if not self.request.body.strip():
            return {}
        try:
            data = json.loads(self.request.body)
        except ValueError:
            raise Refused(400, "Problems parsing JSON") from None
        if not isinstance(data, dict):
            raise Refused(400, "Body should be a JSON object")
        return data

    def ask(self, name: str, default: str = "") -> str:
        """A word of the query."""
        return self.request.query.get(name, default)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes and what it takes."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    needs: str
    creates: bool
    template: str
    resource: str


ROUTES: list[Route] = []


def route(
    method: str, template: str, *, needs: str = "read", creates: bool = False, resource: str = "core"
) -> Callable[[Handler], Handler]:
    """Answer this path. `{x}` is one segment, `{x*}` any number; `needs`: the level on the path's repository."""

    def add(handler: Handler) -> Handler:
        regex = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+?)", template)
        regex = re.sub(r"\{(number|id|attempt)\}", r"(?P<\1>\\d+)", regex)
        regex = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", regex)
        ROUTES.append(Route(method, re.compile(regex), handler, needs, creates, template, resource))
        return handler

    return add


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The most exact route that fits, with the words of the path."""
    found = [(one, match) for one in ROUTES if one.method == method and (match := one.pattern.fullmatch(path))]
    if not found:
        return None
    best, match = max(found, key=lambda pair: len(pair[0].template))
    return best, match.groupdict()


def check_level(call: Call, needs: str) -> None:
    """Raise what GitHub answers to those who may not: 404 for what they may not see, 403 for what they may not do."""
    if needs == "none":
        return
    level = call.level(call.repo)
    if not at_least(level, "read"):
        raise not_found()
    if not at_least(level, needs):
        if call.who.installation is not None:
            raise Refused(403, "Resource not accessible by integration")
        if needs == "admin":
            raise not_found()
        raise Refused(403, "Must have push access to repository")
    if call.request.method != "GET" and call.repo.archived:
        raise Refused(403, "Repository was archived so is read-only.")


def paged(call: Call, items: Sequence[T]) -> tuple[list[T], dict[str, str]]:
    """One page of a list, and the `Link` header to the others."""
    size = min(max(_whole(call.ask("per_page"), 30), 1), 100)
    page = max(_whole(call.ask("page"), 1), 1)
    last = max(1, -(-len(items) // size))
    wanted = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    shown = [r for r in wanted if (page > 1 and r in {"prev", "first"}) or (page < last and r in {"next", "last"})]
    links = ", ".join(f'<{_with_page(call.request.url, wanted[rel])}>; rel="{rel}"' for rel in shown)
    return list(items[(page - 1) * size : page * size]), {"Link": links} if links else {}


def _whole(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() else default


def _with_page(url: str, page: int) -> str:
    parts = urlsplit(url)
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k != "page"]
    return parts._replace(query=urlencode([*query, ("page", str(page))])).geturl()
