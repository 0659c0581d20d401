"""How findings are claimed: in one call, or, of a large plan, in many short ones that leave all of it or nothing.

Each call takes what it names or changes nothing, and what earlier ones took is given back where one is refused. All
take in one order, so of two runs that want the same findings one is refused before it has any of them, and the other
gets them all. But a small run may be refused by what a large one gives back moments later. A planner that dies in
between leaves claims of its run, as one does that dies before its plan is stored: the next one takes them again, and
gives back those that it does not plan.

What is taken over from another run comes last, in one call with the end of its tasks, however many those are: the
server answers nobody else meanwhile (docs/performance.md says how long). In several calls, a task that starts between
two of them would refuse the rest, and nothing can bring back what the first ones have ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from ops_orchestrate.ledger.folded import FIELD, LINE
from ops_orchestrate.ledger.scripts import Scripts

#: Findings in one call: some milliseconds of the server's time.
AT_ONCE = 5_000

T = TypeVar("T")


class Taking:
    """The calls. Findings are fields of the hash `claims`, and claims the JSON there."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def look(self, fields: Sequence[str]) -> dict[str, str]:
        """The claims on these findings, in their order."""
        found: list[str] = []
        for part in _parts(fields):
            found += self._scripts("claims_look", "".join(field + LINE for field in part))
        return _pairs(found)

    def take(self, run: str, claims: Mapping[str, str], over: Sequence[str]) -> dict[str, str]:
        """Take them all; `over`: the tasks (`RUN/TASK`) that they may be taken over from. Answers what refused it."""
        if len(claims) <= AT_ONCE:
            return self._take(run, claims, over)
        known = self.look(sorted(claims))
        owners = {field: json.loads(text) for field, text in known.items()}
        others = [field for field, owner in owners.items() if owner["run"] != run]
        offered = set(over)
        kept = [field for field in others if f"{owners[field]['run']}/{owners[field]['task']}" not in offered]
        if kept:
            return {field: known[field] for field in kept}
        free = sorted(set(claims).difference(others))
        taken: list[str] = []
        for part in _parts(free):
            refused = self._take(run, {field: claims[field] for field in part}, ())
            if refused:
                break
            taken += part
        else:
            refused = self._take(run, {field: claims[field] for field in others}, over) if others else {}
        if refused:
            self.undo({field: claims[field] for field in taken}, known)
        return refused

    def _take(self, run: str, claims: Mapping[str, str], over: Sequence[str]) -> dict[str, str]:
        lines = "".join(f"{field}{FIELD}{claim}{LINE}" for field, claim in claims.items())
        return _pairs(self._scripts("claims_take", run, str(len(over)), *over, lines))

    def undo(self, claims: Mapping[str, str], known: Mapping[str, str]) -> None:
        """Give these claims back, wherever they still stand; `known`: those that were there before."""
        for part in _parts(list(claims)):
            named = [word for field in part for word in (field, claims[field], known.get(field, ""))]
            self._scripts("claims_undo", *named)


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
