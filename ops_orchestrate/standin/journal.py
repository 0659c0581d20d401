"""Everything that was asked and everything that happened, in order: what a stranger checks a run by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `kind` is `request`, `effect`, `fault` or `control`; the rest is in `facts`."""

    n: int
    at: float
    kind: str
    who: str
    what: str
    facts: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """One flat object."""
        return {"n": self.n, "at": self.at, "kind": self.kind, "who": self.who, "what": self.what, **self.facts}


@dataclass
class Journal:
    """The record; entries are only ever added."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, at: float, kind: str, who: str, what: str, **facts: Any) -> None:
        """Add one."""
        self.entries.append(Entry(len(self.entries) + 1, at, kind, who, what, facts))

    def effects(self, what: str | None = None, repository: str | None = None) -> list[Entry]:
        """What changed, oldest first; of one sort (`pull-merged`), of one repository."""
        return [
            one
            for one in self.entries
            if one.kind == "effect" and what in {None, one.what} and repository in {None, one.facts.get("repository")}
        ]

    def requests(self) -> list[Entry]:
        """What was asked, with status and points."""
        return [one for one in self.entries if one.kind == "request"]

    def points(self, resource: str | None = None) -> int:
        """Points of the primary limit spent by requests, on one resource (`core`, `graphql`, `search`) or all."""
        return sum(int(one.facts["points"]) for one in self.requests() if resource in {None, one.facts.get("resource")})
