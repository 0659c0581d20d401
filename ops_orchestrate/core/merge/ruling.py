"""What one row of the merge gate's table says: an act and its reason. `decide` makes a Decision of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ops_orchestrate.core.merge.checks import CheckSummary
from ops_orchestrate.core.merge.pull import Check
from ops_orchestrate.core.merge.snapshot import Act, MergeSnapshot


class Facts(NamedTuple):
    """What every row looks at: the snapshot, and what its checks amount to."""

    seen: MergeSnapshot
    checks: CheckSummary

    @property
    def age(self) -> float:
        """Seconds since the pull request has had this head, as well as the forge says."""
        return self.seen.now - max(self.seen.pull.head_at, self.seen.pull.created_at)

    @property
    def approved(self) -> bool:
        """Whether a person has said yes to this very head."""
        return bool(self.seen.approved) and self.seen.approved == self.seen.pull.head

    @property
    def waited(self) -> float:
        """Seconds since anything last started on this head: a rerun starts the wait anew."""
        return min(self.age, self.seen.now - self.checks.started_at)


class Ruling(NamedTuple):
    """One row's answer."""

    act: Act
    reason: str
    after: float = 0.0
    pauses: tuple[float, ...] = ()
    """With WAIT: how long, the longer the more often this row has waited; the last one stays. `after` at the least."""
    person: bool = False
    checks: tuple[int, ...] = ()
    threads: tuple[str, ...] = ()
    at_most: int = 0
    """With WAIT: after so many waits by this row in a row, `then` is decided instead; 0: no limit."""
    then: Ruling | None = None
    """None: a person is asked to look."""


#: None: the row does not apply, and the next one is asked.
Rule = Callable[[Facts], Ruling | None]


class Row(NamedTuple):
    """One row of the table: its name in events and reports, and its rule."""

    name: str
    rule: Rule


def wait(
    reason: str,
    *,
    after: float = 0.0,
    pauses: tuple[float, ...] = (),
    at_most: int = 0,
    then: Ruling | None = None,
) -> Ruling:
    """Look again, `at_most` times by the same row."""
    return Ruling(Act.WAIT, reason, after=after, pauses=pauses, at_most=at_most, then=then)


def wait_for_person(reason: str) -> Ruling:
    """Nothing moves it on but somebody on the forge."""
    return Ruling(Act.WAIT, reason, person=True)


def flag(reason: str) -> Ruling:
    """A person has to look."""
    return Ruling(Act.FLAG, reason)


def block(reason: str) -> Ruling:
    """Nothing may merge it as it is."""
    return Ruling(Act.BLOCK, reason)


def fix(seen: MergeSnapshot, reason: str, *, checks: Iterable[Check] = (), threads: tuple[str, ...] = ()) -> Ruling:
    """Work for another attempt; when those are spent, for a person."""
    ids = tuple(check.id for check in checks)
    if seen.fixes >= seen.policy.max_fixes:
        return Ruling(Act.FLAG, f"{reason}; {seen.fixes} attempts have not mended it", checks=ids, threads=threads)
    return Ruling(Act.FIX, reason, checks=ids, threads=threads)


def listed(names: Iterable[str], limit: int = 5) -> str:
    """Names for a sentence, at most `limit` of them."""
    every = list(names)
    shown = ", ".join(every[:limit])
    return shown if len(every) <= limit else f"{shown} and {len(every) - limit} more"
