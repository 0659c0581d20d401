"""The story of a run, read back in order. Writing is the scripts' business: an event and its change are one step.

The events of a plan are as many as its tasks, and say what its tasks say. So they are not written at all: the run says
behind which event of its log they stand, and here they are told from the plan. Both are one story.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.ledger.announced import SETTLED, announced
from ops_orchestrate.ledger.keys import Keys
from ops_orchestrate.ledger.server import Server

#: One blocking read is shorter than the client's time limit for an answer.
WAIT_SECONDS = 2.0


class _Plan(NamedTuple):
    """Where the events of a plan stand: behind number `seq`, which shows it, as many as `length`."""

    seq: int
    length: int
    at: str


class Events:
    """The events of all runs."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self._server = server
        self._keys = keys

    def read(self, run: str, after: int = 0, count: int = 1000) -> list[Event]:
        """Up to `count` events whose sequence number is larger than `after`; nothing for an unknown run."""
        log, plan = self._log(run, after, count)
        before = [event for event in log if event.seq <= plan.seq]
        seen = before[-1].seq if before else after
        inside = (
            self._of_plan(run, plan, seen, count - len(before)) if plan.seq <= seen < plan.seq + plan.length else []
        )
        return [*before, *inside, *log[len(before) :]][:count]

    def all(self, run: str) -> Iterator[Event]:
        """Every event of a run so far, read in pages."""
        after = 0
        while page := self.read(run, after):
            yield from page
            after = page[-1].seq

    def follow(self, run: str, after: int, block: float) -> list[Event]:
        """The events after `after`; waits up to `block` seconds for the first of them."""
        found, left = self.read(run, after), block
        while not found and left > 0:
            if self._wait(run, after, min(left, WAIT_SECONDS)):
                found = self.read(run, after)
            left -= WAIT_SECONDS
        return found

    def _log(self, run: str, after: int, count: int) -> tuple[list[Event], _Plan]:
        """The log, and then the run: so of a plan that the log shows the run says where its events are."""
        log, names = self._keys("events", run), ("plan_seq", "plan_events", "plan_at")

        def fill(pipe: Any) -> None:
            pipe.xrange(log, min=f"({after}-0", max="+", count=count)
            pipe.hmget(self._keys("run", run), *names)

        entries, (seq, many, at) = self._server.pipe(fill)
        events = [_event(run, _number(name), fields["at"], fields) for name, fields in entries]
        return events, _Plan(int(seq or 0), int(many or 0), at or "0")

    def _of_plan(self, run: str, plan: _Plan, after: int, count: int) -> list[Event]:
        """Up to `count` events of the plan behind number `after`; all of them happened as it was shown."""
        client, first = self._server.client, after - plan.seq
        marks = self._server.ask(lambda: client.lrange(self._keys("announced", run), first, first + max(1, count) - 1))
        if not marks:
            return []
        ids = [mark.removeprefix(SETTLED) for mark in marks]
        lines = self._server.ask(lambda: client.hmget(self._keys("plan", run), ids))
        # Without a line: the run was forgotten in between.
        found = [line and announced(mark, line) for mark, line in zip(marks, lines, strict=True)]
        return [
            Event(seq=after + n, at=float(plan.at), kind=one[0], run=run, task=task, data=one[1])
            for n, (task, one) in enumerate(zip(ids, found, strict=True), 1)
            if one
        ]

    def _wait(self, run: str, after: int, seconds: float) -> bool:
        """Whether something came within so many seconds."""
        milliseconds = max(1, round(seconds * 1000))
        read = partial(
            self._server.client.xread, {self._keys("events", run): f"{after}-0"}, block=milliseconds, count=1
        )
        return bool(self._server.ask(read))


def _number(name: str) -> int:
    return int(name.partition("-")[0])


def _event(run: str, seq: int, at: str, fields: dict[str, str]) -> Event:
    return Event(
        seq=seq,
        at=float(at),
        kind=EventKind(fields["kind"]),
        run=run,
        task=fields["task"] or None,
        attempt=int(fields["attempt"]) if fields.get("attempt") else None,
        fence=int(fields["fence"]) if fields.get("fence") else None,
        host=fields.get("host") or None,
        data=json.loads(fields["data"]),
    )
