"""The proxy of one attempt: takes the agent's calls, judges them, puts the key in, passes the answers back.

It writes nothing down of what passes, follows no redirect, and knows one host. The agent shows a placeholder, which
is of no use anywhere else; the key is asked for with each call and never comes back, not even in an answer.
"""

from __future__ import annotations

import hmac
import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from ops_orchestrate.adapters.door import Door, Listener
from ops_orchestrate.adapters.modelproxy.account import BUSY, Account, Meter
from ops_orchestrate.adapters.modelproxy.keyfilter import KeyFilter
from ops_orchestrate.adapters.modelproxy.provider import Provider
from ops_orchestrate.adapters.modelproxy.talk import Ask, Refusal, Talk
from ops_orchestrate.adapters.modelproxy.terms import Limits, Upstream
from ops_orchestrate.adapters.modelproxy.trouble import ModelWatch, TroubleWatch, Words, again_at
from ops_orchestrate.adapters.outward import DIRECT, Outward
from ops_orchestrate.core.modelcall import (
    CREDENTIALS,
    answered_headers,
    refuse_call,
    refuse_model,
    refuse_reach,
    refuse_spelling,
    refuse_unwatched,
    sent_headers,
)
from ops_orchestrate.core.modelusage import ModelTrouble, ModelUsage, Tokens, may_use
from ops_orchestrate.core.price import Price
from ops_orchestrate.core.strict_json import load_json
from ops_orchestrate.errors import UsageError

PORT = 4141
"""Where the program finds it on the loopback of its own network."""
_IDLE = 120.0
_UNCOUNTED = ("/count_tokens", ":countTokens")


class ModelProxy:
    """Holds the key to a model's API for one attempt."""

    def __init__(
        self,
        upstream: Upstream,
        key: Callable[[], str | None],
        *,
        folder: Path | None,
        limits: Limits | None = None,
        price: Price | None = None,
        outward: Outward = DIRECT,
    ) -> None:
        """Start to listen.

        `key` is asked with each call, in a thread of the proxy. `folder` is one of ours, not writable for the agent,
        for the socket; None where the agent shares the host's network (`sandbox.isolated` says so). Raises OSError.
        """
        self._upstream = upstream
        self._key = key
        self._limits = limits or Limits()
        self._account = Account(self._limits, price)
        self._provider = Provider(upstream, self._limits, outward)
        self._trouble = TroubleWatch()
        self.placeholder = f"ops-placeholder-{secrets.token_urlsafe(24)}"
        """What the agent gives as its key."""
        self._listener = Listener(self._serve, folder=folder, port=PORT)

    @property
    def base_url(self) -> str:
        """The base URL as the agent sees it, with the upstream's own path."""
        return f"http://127.0.0.1:{self._listener.port}{self._upstream.path}"

    @property
    def doors(self) -> tuple[Door, ...]:
        """For `SandboxSpec.doors`."""
        return self._listener.doors

    def usage(self) -> ModelUsage:
        """What was used so far; after `close`, all of it."""
        return self._account.usage()

    def trouble(self) -> ModelTrouble | None:
        """What stands between the agent and its model: refusals since the last good answer; None where nothing does."""
        return self._trouble.now()

    def close(self) -> None:
        """End what is under way; from here on, the agent reaches nothing."""
        self._provider.close()
        self._listener.close()

    def _serve(self, connection: socket.socket) -> None:
        talk = Talk(connection, limit=self._limits.request, seconds=_IDLE)
        again = True
        while again:
            try:
                ask = talk.hear()
                if ask is None:
                    return
                again = self._answer(ask, talk)
            except Refusal as refusal:
                again = talk.refuse(refusal)

    def _admit(self, ask: Ask) -> tuple[str, str, Tokens, str]:
        """(what comes behind the base URL, the model, what it may use, the key); from here on the call counts.

        Raises Refusal.
        """
        try:
            target, model, most = self._judge(ask)
            key = self._key()
            if not key:
                self._trouble.failed(model, 403, "Its key is not known on this host.")
                raise Refusal(403, "authentication_error", "The key of the model's API is not known on this host.")
            problem = self._account.begin(model, most)
            if problem == BUSY:
                raise Refusal(429, "rate_limit_error", problem, retry_after=1)
            if problem:
                self._trouble.failed(model, 402, problem, ours=True)
                raise Refusal(402, "billing_error", problem)
        except Refusal:
            self._account.refuse()
            raise
        return target, model, most, key

    def _answer(self, ask: Ask, talk: Talk) -> bool:
        """Judge one call and make it; whether another may come on this connection. Raises Refusal."""
        target, model, most, key = self._admit(ask)
        counted = ask.method == "POST" and not target.partition("?")[0].endswith(_UNCOUNTED)
        passing = _Passing(talk, self._limits, key, self._trouble.of(model) if counted else TroubleWatch().of(model))
        try:
            headers = sent_headers(ask.headers)
            with self._provider.call(ask.method, target, headers, ask.body, key) as answer:
                passing.all(answer)
        except httpx.TimeoutException:
            self._trouble.failed(model, 504, "It does not answer.")
            raise Refusal(504, "timeout_error", "The model's API does not answer.") from None
        except (httpx.HTTPError, httpx.StreamError):
            self._trouble.failed(model, 502, "It cannot be reached.")
            raise Refusal(502, "api_error", "The model's API cannot be reached.") from None
        finally:
            self._account.end(model, most, *passing.used(len(ask.body) if counted else None), cut=not passing.whole)
        return talk.end()  # only now: who has the end of an answer finds it counted

    def _judge(self, ask: Ask) -> tuple[str, str, Tokens]:
        """(what comes behind the base URL, the model, the most it may use). Raises Refusal."""
        shown = [value.removeprefix("Bearer ") for name, value in ask.headers if name in CREDENTIALS]
        if not any(hmac.compare_digest(value.encode(), self.placeholder.encode()) for value in shown):
            raise Refusal(401, "authentication_error", "That is not the placeholder of this attempt.")
        path = ask.path.removeprefix(self._upstream.path)
        if len(path) + len(self._upstream.path) != len(ask.path):
            raise Refusal(403, "permission_error", "Only calls of the model's API go through here.")
        problem = refuse_call(ask.method, path, ask.query)
        if problem:
            raise Refusal(403, "permission_error", problem)
        if ask.method != "POST" and ask.body:
            raise Refusal(400, "invalid_request_error", "Only a POST has a body.")
        model, most = self._judge_body(ask, path) if ask.method == "POST" else ("", Tokens())
        return path + (f"?{ask.query}" if ask.query else ""), model, most

    def _judge_body(self, ask: Ask, path: str) -> tuple[str, Tokens]:
        try:
            body = load_json(ask.body, origin="The request", error=UsageError, limit=self._limits.request)
        except UsageError as error:
            raise Refusal(400, "invalid_request_error", str(error)) from None
        if not isinstance(body, dict):
            raise Refusal(400, "invalid_request_error", "The request is no JSON object.")
        named = path.rpartition("/")[2].partition(":")[0] if ":" in path else body.get("model")
        problem = refuse_spelling(body) or refuse_model(named, self._limits.models) or refuse_unwatched(body)
        if not problem and not self._limits.server_tools:
            problem = refuse_reach(body)
        if problem:
            raise Refusal(403, "permission_error", problem)
        return str(named)[:100], may_use(body, len(ask.body))


class _Passing:
    """One answer on its way back, piece by piece as it comes."""

    def __init__(self, talk: Talk, limits: Limits, key: str, trouble: ModelWatch) -> None:
        self._talk = talk
        self._trouble = trouble
        self._limits = limits
        self._filter = KeyFilter(key.encode())
        self._deadline = time.monotonic() + limits.seconds
        self._meter: Meter | None = None
        self._size = 0
        self._fine = False
        self.whole = False
        """Whether all of it has gone on."""

    def all(self, answer: httpx.Response) -> None:
        """Pass all of its body on. Raises Refusal, httpx.HTTPError."""
        if 300 <= answer.status_code < 400:
            raise Refusal(502, "api_error", "The model's API has moved; the key is not sent after it.")
        if answer.status_code in (401, 403):
            self._trouble.failed(answer.status_code)
            raise Refusal(answer.status_code, "authentication_error", "The model's API does not accept the key.")
        self._fine = answer.is_success
        self._meter = Meter(answer.headers.get("content-type", "").encode())
        headers = [(name.lower(), self._filter.whole(value)) for name, value in answer.headers.multi_items()]
        self._talk.begin(answer.status_code, answered_headers(headers))
        words = Words()
        if self._fine:
            self._trouble.fine()
        for piece in answer.iter_bytes():
            self._size += len(piece)
            words.feed(piece)
            self._meter.feed(piece)
            if self._size > self._limits.answer or time.monotonic() > self._deadline:
                raise Refusal(502, "api_error", "The answer is too long.")
            self._talk.more(self._filter.feed(piece))
        if not self._fine:  # before the end goes on: who has it finds this
            self._trouble.failed(answer.status_code, self._filter.whole(words.text), again_at=again_at(answer))
        self._talk.more(self._filter.end())
        self.whole = True

    def used(self, asked: int | None) -> tuple[Tokens | None, int]:
        """(the tokens it counts, the size of both sides); `asked`: bytes of the question, None if none are used."""
        if asked is None or self._meter is None or not self._fine:
            return None, 0
        return self._meter.end() if self.whole else self._meter.cut(), asked + self._size
