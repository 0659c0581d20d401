"""What is left of a world when it is over, as plain values: all that the checker gets to see.

Everything here was said by somebody else than the engine's code: the event log as `events --json` prints it, the
commits as git has them, the forge's journal, and what /proc and the trees of the agents showed meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Commit:
    """A commit of a base's own line: of a merge only its first parent is followed."""

    sha: str
    parents: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class Base:
    """A branch that changes are merged into."""

    repo: str
    commits: tuple[Commit, ...]
    """First parents only, oldest first; the first one was there before the world began."""
    moves: tuple[tuple[str, str], ...]
    """From and to, each time that it moved, as the one who keeps it wrote down."""


@dataclass(frozen=True)
class Draft:
    """A file that an agent was seen to have written."""

    run: str
    task: str
    attempt: str
    path: str
    text: str


@dataclass(frozen=True)
class Record:
    """A world that is over."""

    events: Mapping[str, tuple[Line, ...]]
    """By run, in order."""
    bases: tuple[Base, ...] = ()
    journal: tuple[Line, ...] = ()
    """What changed on the forge, in its own words."""
    most_agents: int = 0
    """Attempts whose processes were seen alive at one moment."""
    doubled: frozenset[str] = frozenset()
    """Tasks for which two attempts were seen alive at one moment."""
    leftover: tuple[str, ...] = ()
    """Processes of agents, slots, owners: what is still there and should not be."""
    drafts: tuple[Draft, ...] = ()
    kept: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """(path, text) of every file on any ref of any repository and mirror, or still in a tree."""
