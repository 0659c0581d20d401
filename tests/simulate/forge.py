"""The world: a forge with one base, its pull requests and their CI, and everything that is true in it.

Nothing here knows the gate. Truth is kept apart from what is shown: a *lane* is one thing that has to be proved for a
head (one job of one trigger), its *runs* are tries at it. Reruns and replacements of a cancelled run share a lane;
twins that run side by side have one each.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from ops_orchestrate.core.merge.pull import Check, Conclusion, Review, Thread

C = Conclusion
APP = 15368
START = 1_000_000.0


class Unavailable(Exception):
    """No good answer. Whether a write has happened is not known."""


class Refused(Exception):
    """405: it may not be merged, or has been."""


class Moved(Exception):
    """409: the head is not the expected one."""


@dataclass(slots=True)
class Run:
    """One try at a lane, as the forge lists it."""

    id: int
    lane: Lane
    run: int | None
    attempt: int
    created: float
    started: float = 0.0
    completed: float = 0.0
    conclusion: Conclusion = C.PENDING
    infra: bool = False
    odd_until: float = 0.0
    """Until then its conclusion is a word that nobody knows."""
    shown: Check | None = None
    """How it was last listed."""


@dataclass(slots=True)
class Lane:
    """One thing to be proved for a head, and the tries at it, the newest last."""

    name: str
    workflow: int | None
    required: bool
    kind: str = "run"
    app: int | None = APP
    foreign: bool = False
    """Reported by somebody who has no business to: proves nothing."""
    may_skip: bool = False
    runs: list[Run] = field(default_factory=list)

    @property
    def proved(self) -> bool:
        if not self.runs:
            return False
        last = self.runs[-1].conclusion
        return last is C.SUCCESS or (self.may_skip and last is C.SKIPPED)


@dataclass(slots=True)
class Head:
    """One commit of a pull request's branch."""

    sha: str
    at: float
    contains: int
    """How many commits of the base it has."""
    lanes: list[Lane] = field(default_factory=list)
    shown: tuple[Check, ...] | None = None
    """How its checks were last listed, as long as nothing has become of any since."""

    @property
    def green(self) -> bool:
        return bool(self.lanes) and all(lane.proved for lane in self.lanes if not lane.foreign)


@dataclass(slots=True)
class Said:
    """One review."""

    who: str
    what: str
    sha: str
    at: float
    shown: Review | None = None
    """How it is listed."""


@dataclass(slots=True)
class Note:
    """One review thread."""

    id: str
    at: float
    resolved: bool = False
    ours: bool = False
    shown: Thread | None = None
    """How it was last listed."""


@dataclass(slots=True)
class PullRequest:
    """One pull request of ours, and the truth about it."""

    number: int
    heads: list[Head]
    created: float
    state: str = "open"
    base_ref: str = "dev"
    draft: bool = False
    conflict_since: float = 0.0
    mergeable_at: float = 0.0
    """When the forge will have computed it; infinite: nobody has asked yet."""
    reviews: list[Said] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    auto_merge: str = ""
    merge_commit: str = ""
    shows_open_until: float = 0.0
    """It is merged and reads as open until then."""
    touched: float = 0.0

    @property
    def head(self) -> Head:
        return self.heads[-1]


@dataclass(slots=True)
class Commit:
    """One commit of a base: who put it there, and from which head."""

    sha: str
    at: float
    pull: int = 0
    head: str = ""
    ours: bool = False


class Forge:
    """The world's clock, its base, its pull requests; events happen as the clock is moved."""

    def __init__(self, seed: int, *, ruleset: bool, reviews: bool) -> None:
        self.random = random.Random(seed)
        self.now = START
        self.ruleset = ruleset
        self.rules_shown = ruleset or self.random.random() < 0.5
        """There are rules. They bind us where there is a ruleset without a bypass for us."""
        self.reviews = reviews
        self.required: set[tuple[str, int | None]] = set()
        self.pulls: dict[int, PullRequest] = {}
        self.base = [Commit("b0" + "0" * 37 + "1", START)]
        self.main: list[Commit] = []
        self.base_red = False
        self.locked = False
        """Nothing may be merged, for a reason that only its own summary hints at."""
        self.verified: set[tuple[int, str, str]] = set()
        """(pull request, head, base) that have been verified."""
        self.after_event: Callable[[], None] = lambda: None
        self.on_ask: Callable[[PullRequest, bool], None] = lambda pull, against: None
        self.on_merge: Callable[[PullRequest, Commit, str], None] = lambda pull, commit, base: None
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._ids = itertools.count(1)

    # --- time

    def at(self, delay: float, event: Callable[[], object]) -> None:
        """Let it happen after so many seconds."""
        heapq.heappush(self._events, (self.now + delay, next(self._order), event))

    def advance(self, seconds: float) -> None:
        """Move the clock; what is due on the way happens, each at its own time."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, event = heapq.heappop(self._events)
            event()
            self.after_event()
        self.now = end

    def number(self) -> int:
        return next(self._ids)

    @property
    def tip(self) -> str:
        return self.base[-1].sha

    # --- what people and CI do

    def push(self, pull: PullRequest, *, sha: str = "", contains: int | None = None) -> Head:
        """A new head on its branch: a commit that there is, or a new one."""
        sha = sha or f"{self.number():040x}"
        head = Head(sha, self.now, pull.head.contains if contains is None else contains)
        pull.heads.append(head)
        self.touch(pull)
        return head

    def touch(self, pull: PullRequest) -> None:
        pull.touched = self.now
        pull.mergeable_at = float("inf")

    def move_base(self) -> None:
        """Somebody else's commit."""
        self._commit(self.base)

    def _commit(self, base: list[Commit], pull: int = 0, head: str = "", *, ours: bool = False) -> Commit:
        commit = Commit(f"c0{self.number():038x}", self.now, pull, head, ours)
        base.append(commit)
        for other in self.pulls.values():
            if other.state == "open":
                other.mergeable_at = float("inf")
                other.touched = self.now
        return commit

    def approved(self, pull: PullRequest) -> bool:
        """Whether a reviewer's newest word is an approval of this very head."""
        latest = {said.who: said for said in pull.reviews if said.what != "commented"}
        wanted = any(s.what == "approved" and s.sha == pull.head.sha for s in latest.values())
        return wanted and all(s.what != "changes" for s in latest.values())

    def mergeable(self, pull: PullRequest) -> bool:
        """The whole truth: whether it ought to be merged now."""
        return (
            pull.state == "open"
            and pull.base_ref == "dev"
            and not (pull.draft or pull.conflict_since or pull.auto_merge or self.base_red or self.locked)
            and pull.head.green
            and all(note.resolved for note in pull.notes)
            and (not self.reviews or self.approved(pull))
        )

    # --- what the forge itself does

    def asked_to_merge(self, number: int) -> None:
        """We send the call now; when it is carried out, and whether, is another matter."""
        self.on_ask(self.pulls[number], not self.mergeable(self.pulls[number]))

    def merge(self, number: int, sha: str | None, *, ours: bool = True) -> Commit:
        """Merge it, by the forge's own rules: which are few without a ruleset."""
        pull = self.pulls[number]
        if pull.state == "merged" and self.now >= pull.shows_open_until:
            raise Refused("already merged")
        if pull.state == "closed" or pull.draft:
            raise Refused("not mergeable")
        if sha is not None and sha != pull.head.sha:
            raise Moved
        if pull.conflict_since or self.locked:
            raise Refused("conflict" if pull.conflict_since else "the branch is locked")
        if self.ruleset:
            self._by_the_rules(pull)
        base = self.base if pull.base_ref == "dev" else self.main
        before = base[-1].sha if base else ""
        commit = self._commit(base, number, pull.head.sha, ours=ours)
        pull.state, pull.merge_commit = "merged", commit.sha
        self.on_merge(pull, commit, before)
        return commit

    def _by_the_rules(self, pull: PullRequest) -> None:
        why = self.forbidden(pull)
        if why:
            raise Refused(why)

    def forbidden(self, pull: PullRequest) -> str:
        """What the ruleset has against merging it; of each required check the newest run counts."""
        if pull.base_ref != "dev":
            return "it is not up to date with main"
        if pull.head.contains < len(self.base):
            return "it is not up to date"
        newest: dict[tuple[str, int | None], Run] = {}
        for lane in pull.head.lanes:
            if lane.runs:
                last, known = lane.runs[-1], newest.get((lane.name, lane.app))
                if known is None or last.id > known.id:
                    newest[(lane.name, lane.app)] = last
        for required in self.required:
            latest = newest.get(required)
            if latest is None or latest.conclusion not in (C.SUCCESS, C.SKIPPED, C.NEUTRAL):
                return f"{required[0]} is expected"
        if self.reviews and not self.approved(pull):
            return "a review is required"
        return "" if all(note.resolved for note in pull.notes) else "a conversation is open"
