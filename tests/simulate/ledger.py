"""What survives a worker, one entry a pull request; the places where a worker may die; the shape of a mutant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ops_orchestrate.core.merge.checks import CheckSummary
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.merge.snapshot import MergeSnapshot

#: Where a worker may die, in the order of a merge's life.
CRASH_POINTS = (
    "before verify",
    "after verify",
    "before push",
    "after push",
    "before rerun",
    "after rerun",
    "before answer",
    "after answer",
    "before intent",
    "after intent",
    "after merge",
    "before proof",
    "before report",
)


class Crash(Exception):
    """The worker is gone; the ledger is not."""


@dataclass(slots=True)
class Commit:
    """A commit of ours, pushed or not: what of the base it has, what it is made of, and how it will do in CI."""

    contains: int
    content: str
    good: bool = False
    mends: float = 0.0
    """Since when the conflict had been there that it mends."""


@dataclass(slots=True)
class Entry:
    """What the ledger knows of one task and its pull request."""

    number: int
    wake: float
    head: str
    """The attempt's commit, which `verified` has to name and which is pushed."""
    pursuit: Pursuit
    stage: Literal["attempt", "verify", "land"] = "verify"
    verified: tuple[str, str] = ("", "")
    """Head and base."""
    intent: str = ""
    """The head whose merge was announced; empty: none is."""
    approved: str = ""
    said_at: float = 0.0
    """What people had said up to then was in the brief of the attempt that is at work, or was last."""
    given: tuple[str, ...] = ()
    """Threads that an attempt was given."""
    refusals: int = 0
    summed: tuple[MergeSnapshot, CheckSummary] | None = None
    """What the checks of the last look amounted to; no memory of the product's, and lost with nothing."""
    done: bool = False


@dataclass(frozen=True, slots=True)
class Defect:
    """A mutant: what it makes of the snapshot, or how it steps. Without any it is the real thing."""

    name: str = "none"
    sees: Callable[[MergeSnapshot], MergeSnapshot] | None = None
    no_sha: bool = False
    blind_retry: bool = False
    at_most_once: bool = False
    refused_is_done: bool = False
    shows_as: str = ""
    """The one violation that shows it, where it takes something to happen between a look and the merge."""
