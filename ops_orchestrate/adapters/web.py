"""One door to a web API that answers in JSON, for sources that need no more than that (Sentry, Linear).

What comes out was read whole and has no secret in it, or it is SourceUnavailable with a clean sentence. Reads are
tried again, three times at most, and wait as long as the server asks if that is short; writes go out once. Redirects
are not followed: the token goes to the address that the owner set, and nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import httpx
import stamina
from pydantic import BaseModel, ValidationError

from ops_orchestrate.adapters.connections import connections, within
from ops_orchestrate.adapters.outward import DIRECT, Outward
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.redaction import redact
from ops_orchestrate.errors import SourceUnavailable

#: Bytes of one answer.
LIMIT = 20_000_000
#: A whole answer may take so many times as long as each of its parts.
WHOLE_ANSWER = 3
#: Seconds that a read waits by itself where the server asks for it; longer waits are the caller's to plan.
SHORT_WAIT = 10.0
#: Tries of one read, and seconds of all of them together.
ATTEMPTS, PATIENCE = 3, 60.0

_NO_ENTRY = frozenset({httpx.codes.UNAUTHORIZED})
_TRY_AGAIN = frozenset({408, 425, 500, 502, 503, 504})


_Model = TypeVar("_Model", bound=BaseModel)


class Refused(SourceUnavailable):
    """The credentials are not accepted: nothing more can be had with them."""


class Denied(SourceUnavailable):
    """The credentials are good, and this one thing is not theirs, or is not there."""


class Outage(SourceUnavailable):
    """It may work the next time: there was no answer, or none but that it is in trouble or wants to be left alone."""


class Reply(NamedTuple):
    """An answer: its JSON, redacted, and its headers."""

    data: Any
    headers: Mapping[str, str]


class Web:
    """A client of one API. Safe to share between threads."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        headers: Mapping[str, str],
        secret: str,
        timeout: float,
        outward: Outward = DIRECT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`name`: what messages call it. `secret`: the value that must never come out."""
        self._name = name
        self._url = url
        self._secret = secret
        self._patience = WHOLE_ANSWER * timeout
        self._client = httpx.Client(
            headers={"accept": "application/json", "user-agent": "ops-orchestrate", **headers},
            timeout=timeout,
            transport=transport or connections(url, outward),
            follow_redirects=False,
            trust_env=False,
        )

    def __repr__(self) -> str:
        return f"Web({self._name}, {self._url})"

    def read(self, path: str, params: Mapping[str, str | int] | None = None) -> Reply:
        """GET, tried again. Raises SourceUnavailable; Refused, Denied, Outage where that is what it is."""
        return self._again("GET", path, params=params)

    def ask(self, path: str, body: Mapping[str, Any]) -> Reply:
        """POST of a question that changes nothing, tried again. Raises the same."""
        return self._again("POST", path, body=body)

    def write(self, method: str, path: str, body: Mapping[str, Any]) -> Reply:
        """Change something, once. After SourceUnavailable it may or may not have happened: look before the next try."""
        return self._once(method, path, body=body)

    def clean(self, text: str) -> str:
        """Text for people and logs: one line, without the secret or anything that looks like one."""
        return one_line(redact(text, (self._secret,)), 300)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _again(self, method: str, path: str, **sent: Any) -> Reply:
        tries = stamina.retry_context(
            on=_worth_it, attempts=ATTEMPTS, timeout=PATIENCE, wait_initial=0.5, wait_max=8.0, wait_jitter=0.5
        )
        for attempt in tries:
            with attempt:
                return self._once(method, path, **sent)
        raise AssertionError("stamina gives the last error")  # pragma: no cover

    def _once(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Reply:
        try:
            asked = self._client.stream(method, self._url + path, params=params, json=body)
            with within(self._patience), asked as answer:
                raw = _whole(answer)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise self._outage(f"did not answer: {error or type(error).__name__}") from None
        if raw is None:
            raise self._bad(f"answered with more than {LIMIT} bytes")
        return self._judged(answer, raw)

    def _judged(self, answer: httpx.Response, raw: bytes) -> Reply:
        status = answer.status_code
        data = _json(answer, raw, self._secret)
        said = _said(data) if isinstance(data, dict) else ""
        words = f"HTTP {status}{f': {said}' if said else ''}"
        if status in _NO_ENTRY:
            raise Refused(self._sentence(f"does not accept the token ({words})"))
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise self._outage(f"wants to be left alone ({words})", after=_retry_after(answer.headers))
        if status in (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND):
            raise Denied(self._sentence(f"does not show this to the token, or does not have it ({words})"))
        if status in _TRY_AGAIN:
            raise self._outage(f"is in trouble ({words})", after=_retry_after(answer.headers))
        if answer.is_redirect:
            raise self._bad(f"has moved ({words}); the token is not sent after it")
        if data is _NO_JSON:
            raise self._outage(f"answered {words}, and not in JSON")
        # A GraphQL server puts its reasons into the body, whatever the status is: that is for its client to read.
        if not answer.is_success and not (isinstance(data, dict) and isinstance(data.get("errors"), list)):
            raise self._bad(f"answered {words}")
        return Reply(data, {key.lower(): value for key, value in answer.headers.items()})

    def _sentence(self, text: str) -> str:
        return self.clean(f"{self._name} {text}")

    def _bad(self, text: str) -> SourceUnavailable:
        return SourceUnavailable(self._sentence(text))

    def _outage(self, text: str, after: float = 0.0) -> Outage:
        return Outage(self._sentence(text), retry_after=after)


def read_as(model: type[_Model], data: Any, name: str) -> _Model:
    """Data of an answer of `name` as that model. Raises SourceUnavailable, naming the field that is something else."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in problem["loc"]) or "the whole"
        raise SourceUnavailable(one_line(f"{name}'s answer is not understood: {field}: {problem['msg']}")) from None


class _NoJson:
    """What stands for an answer that is none."""


_NO_JSON = _NoJson()


def _worth_it(error: Exception) -> bool | float:
    """Whether a read is tried again, or after how many seconds it is."""
    if not isinstance(error, Outage) or error.retry_after > SHORT_WAIT:
        return False
    return error.retry_after or True


def _whole(answer: httpx.Response) -> bytes | None:
    """The body; None where it is too long."""
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > LIMIT:
            return None
        parts.append(part)
    return b"".join(parts)


def _json(answer: httpx.Response, raw: bytes, secret: str) -> Any:
    """The answer's data, redacted.

    An HTML page with status 200 is what a proxy or a login wall answers: it says nothing about the question.
    """
    if "json" not in answer.headers.get("content-type", ""):
        return _NO_JSON
    try:
        return _redacted(json.loads(raw), secret)
    except (ValueError, RecursionError):  # the latter for one that is nested too deeply
        return _NO_JSON


def _said(data: Mapping[str, Any]) -> str:
    words = data.get("detail") or data.get("message") or data.get("error") or ""
    return one_line(words if isinstance(words, str) else json.dumps(words), 200)


def _retry_after(headers: httpx.Headers) -> float:
    """Seconds; a date or nonsense counts as not said."""
    text = headers.get("retry-after", "")
    return float(text) if re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,6})?", text) else 0.0


def _redacted(data: Any, secret: str) -> Any:
    """The same data; every text in it without the secret and without what looks like one."""
    if isinstance(data, str):
        return redact(data, (secret,))
    if isinstance(data, list):
        return [_redacted(one, secret) for one in data]
    if isinstance(data, dict):
        return {key: _redacted(value, secret) for key, value in data.items()}
    return data
