"""One door to GitHub's API. What comes out is JSON that was read whole, or SourceUnavailable with a clean sentence.

Reads are tried again (three times at most, as long as GitHub wants), follow a rename, and are asked after by ETag.
Writes go out once. Nothing that leaves here, by value, exception or log, holds the token.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin

import httpx
import stamina

from ops_orchestrate.adapters.connections import connections, within
from ops_orchestrate.adapters.github.address import Address, origin_of
from ops_orchestrate.adapters.github.answers import (
    GraphAnswer,
    Reply,
    Written,
    beginning,
    first_kind,
    is_object,
    json_object,
    messages,
    next_link,
    shown,
    whole_body,
)
from ops_orchestrate.adapters.github.auth import TOKEN_NAME, Identity
from ops_orchestrate.adapters.github.limits import Purpose, RateLimits
from ops_orchestrate.adapters.github.logs import end_of_log
from ops_orchestrate.adapters.github.transport import HEADERS, SignedTransport, cache_key, cached
from ops_orchestrate.adapters.github.trouble import Denied, Missing, Transient, worth_another_try
from ops_orchestrate.adapters.outward import DIRECT, Outward
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.redaction import redact
from ops_orchestrate.errors import SourceUnavailable

_T = TypeVar("_T")
_MAX_PAGES = 100
_MAX_HOPS = 3
_SHORT_WAIT = 5.0
"""Seconds that a read waits by itself when GitHub asks for it; longer waits are the caller's to plan."""
_MOVED = frozenset({301, 302, 307, 308})
_REFUSALS: dict[str, type[SourceUnavailable]] = {"NOT_FOUND": Missing, "FORBIDDEN": Denied}
_WHOLE_ANSWER = 5
"""A whole answer may take so many times as long as each of its parts."""


class GitHubClient:
    """Safe to share between threads; one a process."""

    def __init__(
        self,
        address: Address,
        identity: Identity,
        limits: RateLimits,
        *,
        timeout: float = 20.0,
        cache: Path | None = None,
        write_gap: float = 1.0,
        attempts: int = 3,
        outward: Outward = DIRECT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`write_gap`: seconds between two writes, as GitHub asks for. `attempts`: tries of one read.

        `cache`: the file that answers are kept in; None: in memory.
        """
        self.address = address
        self.limits = limits
        self.identity = identity
        self._attempts = attempts
        self._writing = threading.Lock()
        self._write_gap = write_gap
        self._patience = _WHOLE_ANSWER * timeout
        self._wrote_at = -write_gap
        signed = SignedTransport(
            transport or connections(address.origin, outward),
            address,
            identity,
            lambda answer: limits.note(answer.headers),
        )
        common: dict[str, Any] = {"headers": HEADERS, "timeout": timeout, "follow_redirects": False, "trust_env": False}
        self._plain = httpx.Client(transport=signed, **common)
        self._cached = httpx.Client(transport=cached(signed, cache), **common)

    def get(self, path: str, purpose: Purpose, params: Mapping[str, str | int] | None = None) -> Reply:
        """One resource. `path` begins with a slash, or is a full address that GitHub gave.

        Raises SourceUnavailable; Missing and Denied where that is what it is.
        """
        url = str(httpx.URL(self._absolute(path), params=params) if params else self._absolute(path))
        found = self._again(lambda attempt: self._read(url, purpose, fresh=attempt > 1))
        assert found is not None
        return found

    def get_if_changed(self, path: str, purpose: Purpose, etag: str) -> Reply | None:
        """One resource; None where it is still what had this ETag (""  asks in any case). Nothing of it is kept here.

        Raises as `get` does.
        """
        return self._again(lambda _: self._read(self._absolute(path), purpose, fresh=True, etag=etag))

    def pages(
        self, path: str, purpose: Purpose, params: Mapping[str, str | int] | None = None, inside: str = ""
    ) -> Iterator[Any]:
        """Every item of a list, to its last page. `inside`: the field that holds the list. Raises SourceUnavailable."""
        reply = self.get(path, purpose, {"per_page": 100} | dict(params or {}))
        for _ in range(_MAX_PAGES):
            items = reply.data.get(inside) if inside and isinstance(reply.data, dict) else reply.data
            if not isinstance(items, list):
                raise SourceUnavailable(f"GitHub's answer about {shown(path)} holds no list")
            yield from items
            after = next_link(reply.headers)
            if after is None:
                return
            reply = self.get(after, purpose)
        raise SourceUnavailable(f"GitHub's list {shown(path)} has more than {_MAX_PAGES} pages")

    def ask(self, query: str, variables: Mapping[str, Any], purpose: Purpose) -> GraphAnswer:
        """A GraphQL query. Raises SourceUnavailable where it has no data at all; a part that failed is a `problem`."""
        return self._again(lambda _: self._query(query, variables, purpose))

    def write(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Written:
        """Change something, once. Never raises for what GitHub answers, and never tries again."""
        return self._once(method, self._absolute(path), body or {})

    def mutate(self, query: str, variables: Mapping[str, Any]) -> Written:
        """A GraphQL mutation, once. An answer with errors has the status 422."""
        done = self._once("POST", self.address.graphql, {"query": query, "variables": dict(variables)})
        errors = done.data.get("errors")
        if done.status != httpx.codes.OK or not errors:
            return done
        return Written(422, done.data, self.clean(messages(errors)), done.limited)

    def tail(self, path: str, purpose: Purpose, limit: int = 20_000) -> str:
        """The end of a log, in characters. GitHub sends logs from another host, which gets no token.

        Raises SourceUnavailable; Missing where there is no such log.
        """
        return self._again(lambda _: self._tail(self._absolute(path), purpose, limit))

    def clean(self, text: str) -> str:
        """Text for people and logs: one line, without our secrets or anything that looks like one."""
        return one_line(redact(text, self.identity.secrets()), 300)

    def own_name(self, viewer: Any) -> str:
        """Our own login as authors are named, from GraphQL's `viewer`; "" where it does not say."""
        login = one_line(str(viewer.get("login") or ""), 100) if isinstance(viewer, dict) else ""
        return f"{login.removesuffix('[bot]')}[bot]" if login and self.identity.bot else login

    def close(self) -> None:
        """Close connections and cache."""
        self._cached.close()
        self._plain.close()

    def _again(self, read: Callable[[int], _T]) -> _T:
        """What a read gives, tried again where that may help; it is told which try it is."""
        for attempt in stamina.retry_context(
            on=worth_another_try, attempts=self._attempts, timeout=60.0, wait_initial=0.5, wait_max=8.0, wait_jitter=0.5
        ):
            with attempt:
                return read(attempt.num)
        raise AssertionError("stamina gives the last error")  # pragma: no cover

    def _absolute(self, path: str) -> str:
        if path.startswith("/"):
            return self.address.rest + path
        if origin_of(path) != self.address.origin:
            raise SourceUnavailable("GitHub's answer leads to another host, which is not asked")
        return path

    def _read(self, url: str, purpose: Purpose, *, fresh: bool, etag: str = "") -> Reply | None:
        moved = False
        for _ in range(_MAX_HOPS):
            status, headers, raw = self._send("GET", url, purpose, fresh=fresh, etag=etag)
            if etag and status == httpx.codes.NOT_MODIFIED:
                return None
            if status not in _MOVED:
                break
            url, moved = self._absolute(urljoin(url, headers.get("location", ""))), True
        else:
            raise SourceUnavailable(f"GitHub keeps sending us elsewhere for {shown(url)}")
        self._judge(status, headers, raw, url)
        return Reply(self._json(headers, raw, url), headers, moved)

    def _query(self, query: str, variables: Mapping[str, Any], purpose: Purpose) -> GraphAnswer:
        url = self.address.graphql
        status, headers, raw = self._send("POST", url, purpose, body={"query": query, "variables": dict(variables)})
        self._judge(status, headers, raw, url)
        body = self._json(headers, raw, url)
        if not isinstance(body, dict):
            raise Transient("GitHub's GraphQL answer is no object")
        data, errors = body.get("data"), body.get("errors")
        text = self.clean(messages(errors)) if errors else ""
        wait = self.limits.refused(status, headers, text) if errors else None
        if wait is not None or first_kind(errors) == "RATE_LIMITED":
            raise SourceUnavailable(
                f"GitHub's rate limit refused a query: {text}", retry_after=60.0 if wait is None else max(wait, 1.0)
            )
        if not isinstance(data, dict) or all(part is None for part in data.values()):
            kind = _REFUSALS.get(first_kind(errors), Transient)
            raise kind(f"GitHub's GraphQL gave no data: {text or 'and no reason'}")
        return GraphAnswer(data, text)

    def _once(self, method: str, url: str, body: Mapping[str, Any]) -> Written:
        with self._writing:  # GitHub asks for writes one after the other, a second apart
            time.sleep(max(0.0, self._wrote_at + self._write_gap - time.monotonic()))
            try:
                status, headers, raw = self._send(method, url, Purpose.SHIP, body=body)
            except Transient as error:
                return Written(0, {}, str(error))
            except SourceUnavailable as error:
                return Written(0 if not error.retry_after else 429, {}, str(error), error.retry_after or None)
            finally:
                self._wrote_at = time.monotonic()
        data = json_object(raw)
        detail = self.clean(str(data.get("message") or f"HTTP {status}"))
        if status < 300 and raw.strip() and not is_object(raw):
            return Written(0, {}, f"GitHub's answer is no JSON ({detail})")  # half of one, or a page for people
        limited = self.limits.refused(status, headers, beginning(raw)) if status != 200 or "errors" in data else None
        return Written(status, data, detail, limited)

    def _send(
        self,
        method: str,
        url: str,
        purpose: Purpose,
        *,
        body: Mapping[str, Any] | None = None,
        fresh: bool = True,
        etag: str = "",
    ) -> tuple[int, httpx.Headers, bytes]:
        """One request and its whole answer. Every exception of the library ends here, without its text's secrets."""
        self.limits.check("graphql" if url == self.address.graphql else "core", purpose)
        client = self._plain if fresh or method != "GET" else self._cached
        problem = ""
        try:
            request = client.build_request(method, url, json=body, headers={"If-None-Match": etag} if etag else None)
            if client is self._cached:
                request.headers["Cache-Control"] = "no-cache"  # kept answers are always asked after
                request.extensions["caching"] = {"key": cache_key(url, self.identity.token())}
            with within(self._patience), closing(client.send(request, stream=True)) as answer:
                return answer.status_code, answer.headers, whole_body(answer)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            problem = f"{type(error).__name__}: {self.clean(str(error))}"
        raise Transient(f"GitHub did not answer {shown(url)}: {problem}")

    def _judge(self, status: int, headers: httpx.Headers, raw: bytes, url: str) -> None:
        """Nothing for a good answer. Raises what the status means."""
        if status == httpx.codes.OK:
            return
        said = self.clean(str(json_object(raw).get("message") or f"HTTP {status}"))
        what = f"{shown(url)}: {said}"
        wait = self.limits.refused(status, headers, beginning(raw))
        if wait is not None:
            kind = Transient if wait <= _SHORT_WAIT else SourceUnavailable
            raise kind(f"GitHub's rate limit refused {what}", retry_after=wait)
        if status == httpx.codes.UNAUTHORIZED:
            if self.identity.renew():
                raise Transient(f"GitHub no longer takes the App's token: {what}")
            raise Denied(f"GitHub does not take our identity ({TOKEN_NAME} or the GitHub App): {what}")
        if status in {404, 410, 451}:
            raise Missing(f"GitHub does not have, or does not show us, {what}")
        if status >= 500 or status == httpx.codes.NOT_MODIFIED:
            raise Transient(f"GitHub failed on {what}")
        raise Denied(f"GitHub refused {what}")

    def _json(self, headers: httpx.Headers, raw: bytes, url: str) -> Any:
        """The answer's JSON. Half an answer, or a page for people with status 200, is no answer."""
        problem = "is not JSON" if "json" not in headers.get("content-type", "") else ""
        if not problem:
            try:
                return json.loads(raw)
            except (ValueError, RecursionError):
                problem = "ends in the middle, or is no JSON"
        raise Transient(f"GitHub's answer about {shown(url)} {problem}")

    def _tail(self, url: str, purpose: Purpose, limit: int) -> str:
        status, headers, raw = self._send("GET", url, purpose)
        if status in _MOVED:
            target = urljoin(url, headers.get("location", ""))
            ours = self.address.plain and origin_of(target) == self.address.origin
            if not (ours or target.startswith("https://")):
                raise SourceUnavailable("GitHub's log is at an address that is not safe to ask")
            with within(self._patience):
                status, raw = end_of_log(self._plain, target)
        self._judge(status, headers, raw, url)
        return raw.decode("utf-8", "replace")[-limit:]
