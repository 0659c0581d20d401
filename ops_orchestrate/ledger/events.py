"""The story of a run, read back in order. Writing is the scripts' business: an event and its change are one step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.ledger.keys import Keys
from ops_orchestrate.ledger.server import Server

#: One blocking read is shorter than the client's time limit for an answer.
WAIT_SECONDS = 2.0

Entry = tuple[str, dict[str, str]]


class Events:
    """The events of all runs."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self._server = server
        self._keys = keys

    def read(self, run: str, after: int = 0, count: int = 1000) -> list[Event]:
        """Up to `count` events whose sequence number is larger than `after`; nothing for an unknown run."""
        client, name = self._server.client, self._keys("events", run)
        entries = self._server.ask(lambda: client.xrange(name, min=f"({after}-0", max="+", count=count))
        return _events(run, entries)

    def all(self, run: str) -> Iterator[Event]:
        """Every event of a run so far, read in pages."""
        after = 0
        while page := self.read(run, after):
            yield from page
            after = page[-1].seq

    def follow(self, run: str, after: int, block: float) -> list[Event]:
        """The events after `after`; waits up to `block` seconds for the first of them."""
        name, left = self._keys("events", run), block
        while True:
            entries = self._wait(name, after, min(left, WAIT_SECONDS))
            left -= WAIT_SECONDS
            if entries or left <= 0:
                return _events(run, entries)

    def _wait(self, name: str, after: int, seconds: float) -> Sequence[Entry]:
        milliseconds = max(1, round(seconds * 1000))
        read = partial(self._server.client.xread, {name: f"{after}-0"}, block=milliseconds, count=1000)
        answer: Any = self._server.ask(read)
        if not answer:
            return []
        if isinstance(answer, dict):  # redis-py answers a mapping or a list of pairs, by the protocol it speaks
            (found,) = answer.values()
            return list(found[0] if found and isinstance(found[0], list) else found)
        return list(answer[0][1])


def _events(run: str, entries: Sequence[Entry]) -> list[Event]:
    return [_event(run, name, fields) for name, fields in entries]


def _event(run: str, name: str, fields: dict[str, str]) -> Event:
    return Event(
        seq=int(name.partition("-")[0]),
        at=float(fields["at"]),
        kind=EventKind(fields["kind"]),
        run=run,
        task=fields["task"] or None,
        attempt=int(fields["attempt"]) if fields["attempt"] else None,
        fence=int(fields["fence"]) if fields["fence"] else None,
        host=fields["host"] or None,
        data=json.loads(fields["data"]),
    )
