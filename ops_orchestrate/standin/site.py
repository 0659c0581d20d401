"""From a request to its answer: who asks, what it costs, which route, and what is written down."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

from ops_orchestrate.standin import githttp
from ops_orchestrate.standin.auth import identify
from ops_orchestrate.standin.call import Call, Route, check_level, find_route
from ops_orchestrate.standin.exchange import Refused, Reply, Request, not_found
from ops_orchestrate.standin.limits import Window
from ops_orchestrate.standin.people import ANONYMOUS, Identity
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.tide import Tide
from ops_orchestrate.standin.world import World

_ASKED_WITH = ("accept", "authorization", "cookie")
_OPERATION = re.compile(r"\b(?:query|mutation)\s+([A-Za-z]\w*)")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request cost, and whose window it was."""

    points: int
    resource: str
    window: Window | None


class Site:
    """Everything behind the door."""

    def __init__(self, world: World, tide: Tide) -> None:
        self.world = world
        self.tide = tide

    def answer(self, request: Request) -> Reply:
        """Answer a request of a client."""
        if githttp.PATH.fullmatch(request.path):
            return self._git(request)
        with self.world.lock:
            self.tide.advance()
            who, cost = ANONYMOUS, Cost(0, "core", None)
            try:
                who = identify(self.world, request.headers.get("authorization", ""))
                reply, cost = self._routed(request, who)
            except Refused as refused:
                reply = refused.reply()
            self.tide.advance()
            return self._finished(request, who, reply, cost)

    def _routed(self, request: Request, who: Identity) -> tuple[Reply, Cost]:
        found = find_route(request.method, request.path)
        if found is None:
            raise not_found()
        route, args = found
        call = Call(self.world, self.tide, request, who, args)
        try:
            window = self._limited(call, route)
        except Refused as refused:
            return refused.reply(), Cost(0, route.resource, self._window(who, route.resource))
        try:
            reply = self._handled(call, route)
        except Refused as refused:
            reply = refused.reply()
        points = int(reply.headers.pop("X-Standin-Points", "1"))
        if route.resource == "free" or self._revalidated(request, reply):
            points = 0
        if window is not None:
            window.used += points
        return reply, Cost(points, route.resource, window)

    def _handled(self, call: Call, route: Route) -> Reply:
        if "owner" in call.args:
            moved = self._locate(call)
            if moved is not None:
                return moved
            check_level(call, route.needs)
        elif route.needs == "user" and call.who.user is None:
            raise Refused(401, "Requires authentication")
        return route.handler(call)

    def _locate(self, call: Call) -> Reply | None:
        name = f"{call.args['owner']}/{call.args['repo']}"
        call.repository = self.world.find(name)
        new = self.world.renamed.get(name.lower())
        if call.repository is None and new is not None:
            target = self.world.repositories[new]
            rest = call.request.url.split(f"/repos/{name}", 1)[-1]
            url = f"{call.links.api}/repositories/{target.id}{rest}"
            status = 301 if call.request.method == "GET" else 307
            return Reply(status, {"message": "Moved Permanently", "url": url}, {"Location": url})
        if call.repository is None:
            raise not_found()
        return None

    def _limited(self, call: Call, route: Route) -> Window | None:
        if route.resource == "free":
            return None
        window = self._window(call.who, route.resource)
        if window.remaining <= 0 and route.resource != "graphql":
            raise Refused(self.world.limits.primary_status, f"API rate limit exceeded for {call.who.key}.")
        if route.creates and not self.world.limits.may_create(call.who.key, self.world.now()):
            limits = self.world.limits
            wait = limits.secondary_retry_after
            headers = {} if wait is None else {"Retry-After": str(wait)}
            text = "You have exceeded a secondary rate limit and have been temporarily blocked from content creation."
            raise Refused(limits.secondary_status, text, headers=headers)
        return window

    def _window(self, who: Identity, resource: str) -> Window:
        return self.world.limits.window(who.key, resource, self.world.now())

    @staticmethod
    def _revalidated(request: Request, reply: Reply) -> bool:
        """Give the answer its ETag, a hash of its body and of what was asked with, as GitHub does.

        An unchanged one becomes 304 without a body, and without links to other pages.
        """
        if request.method not in {"GET", "HEAD"} or reply.status != 200:
            return False
        asked_with = [request.headers[name] for name in _ASKED_WITH if name in request.headers]
        tag = hashlib.sha256("".join(f"{one}:" for one in asked_with).encode() + reply.payload()).hexdigest()
        reply.headers["ETag"] = f'W/"{tag}"'
        private = "authorization" in request.headers
        reply.headers["Cache-Control"] = f"{'private' if private else 'public'}, max-age=60, s-maxage=60"
        reply.headers["Vary"] = "Accept, Authorization, Cookie, X-GitHub-OTP"
        asked = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
        if f'"{tag}"' not in asked:
            return False
        reply.status, reply.body = 304, None
        reply.headers.pop("Link", None)
        return True

    def _finished(self, request: Request, who: Identity, reply: Reply, cost: Cost) -> Reply:
        if cost.window is not None:
            reply.headers |= {
                "X-RateLimit-Limit": str(cost.window.limit),
                "X-RateLimit-Remaining": str(cost.window.remaining),
                "X-RateLimit-Reset": str(int(cost.window.reset)),
                "X-RateLimit-Used": str(min(cost.window.used, cost.window.limit)),
                "X-RateLimit-Resource": cost.resource,
            }
        while self.world.claimed:
            self.world.claimed.pop().claims.pop(0)
        if who.user is not None and who.installation is None:
            reply.headers["X-OAuth-Scopes"] = "repo, workflow"
        reply.headers["X-GitHub-Media-Type"] = "github.v3; format=json"
        reply.headers["X-GitHub-Api-Version-Selected"] = "2022-11-28"
        facts = {"method": request.method, "status": reply.status, "points": cost.points, "resource": cost.resource}
        query = "&".join(f"{key}={value}" for key, value in request.query.items()) or _operation(request)
        self.world.journal.add(self.world.now(), "request", who.login, request.path, **facts, query=query)
        return reply

    def _git(self, request: Request) -> Reply:
        """git's own exchange; what a push moved is noticed before its answer goes out."""
        with self.world.lock:
            try:
                who = identify(self.world, request.headers.get("authorization", ""))
                repository = self._git_repository(request)
            except Refused as refused:
                headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if refused.status == 401 else {}
                return Reply(refused.status, refused.message.encode(), headers)
        reply = githttp.answer(self.world, repository, who, request)
        with self.world.lock:
            if request.path.endswith("git-receive-pack") and who.user is not None:
                self.tide.refs.notice(repository, who.user)
                self.tide.advance()
            facts = {"method": request.method, "status": reply.status, "points": 0, "resource": "git"}
            self.world.journal.add(self.world.now(), "request", who.login, request.path, **facts, query="")
        return reply

    def _git_repository(self, request: Request) -> Repository:
        match = githttp.PATH.fullmatch(request.path)
        name = f"{match['owner']}/{match['name']}".lower() if match else ""
        found = self.world.find(self.world.renamed.get(name, name))
        if found is None:
            anonymous = not request.headers.get("authorization")
            raise Refused(401, "Repository not found.") if anonymous else not_found()
        return found


def _operation(request: Request) -> str:
    """What a GraphQL request calls itself."""
    if not request.path.endswith("/graphql"):
        return ""
    found = _OPERATION.search(request.body[:2000].decode(errors="replace").replace("\\n", " "))
    return found[1] if found else ""


def by_number(request: Request, world: World) -> Request:
    """`/repositories/ID/…`, where renamed repositories lead, is the same as `/repos/OWNER/NAME/…`."""
    parts = request.path.split("/", 3)
    if len(parts) < 3 or parts[1] != "repositories" or not parts[2].isdigit():
        return request
    found = next((one for one in world.repositories.values() if one.id == int(parts[2])), None)
    if found is None:
        return request
    rest = f"/{parts[3]}" if len(parts) > 3 else ""
    return replace(request, path=f"/repos/{found.full_name}{rest}")
