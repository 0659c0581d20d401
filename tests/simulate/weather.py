"""What goes wrong in one world: each seed draws its own faults, so that no fault hides another for good."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, fields

from ops_orchestrate.core.merge.pull import Conclusion
from tests.simulate.ci import RED, Ci, Plan
from tests.simulate.forge import Forge, Head, Note, PullRequest, Refused, Said

#: Nothing goes wrong any more from then on, in seconds from the start.
CALM = 2400.0


@dataclass(slots=True)
class Weather:
    """The faults of one world."""

    unavailable: bool
    stale: bool
    lazy: bool
    cut: bool
    mixed: bool
    crashes: bool
    lost_answers: bool
    base_moves: bool
    pushes: bool
    reruns: bool
    conflicts: bool
    humans: bool
    strangers: bool
    reviewers: bool
    amnesia: bool
    many_checks: bool
    locks: bool
    murphy: bool
    """What can change between a look and the merge that it leads to, changes just then."""


def draw(rng: random.Random) -> Weather:
    """A random half of them."""
    return Weather(**{f.name: rng.random() < 0.5 for f in fields(Weather)})


def plan(rng: random.Random, weather: Weather) -> Plan:
    """How CI behaves in this world."""

    def half() -> bool:
        return rng.random() < 0.5

    return Plan(
        p_code=rng.choice([0.0, 0.2, 0.6]),
        infra=half(),
        late=half(),
        doubled=half(),
        twins=half(),
        shards=5 if weather.many_checks else 0,
        extra=half(),
        status=half(),
        odd=half(),
        sluggish=half(),
        misfires=half(),
    )


class People:
    """Everybody but us: they push, press buttons, review, retarget, switch auto-merge on."""

    def __init__(self, forge: Forge, ci: Ci, weather: Weather) -> None:
        self.forge, self.ci, self.weather, self.random = forge, ci, weather, forge.random

    def open(self, number: int) -> PullRequest:
        """One pull request of ours, just opened, and what will happen to it."""
        first = Head(f"{self.forge.number():040x}", self.forge.now, len(self.forge.base))
        pull = PullRequest(number, [first], self.forge.now, mergeable_at=float("inf"), touched=self.forge.now)
        self.forge.pulls[number] = pull
        self.ci.start(pull, first)
        self._schedule(pull)
        return pull

    def pushed(self, pull: PullRequest, head: Head, *, good: bool = False) -> None:
        """What a new head sets off: CI, and a reviewer who comes back for it."""
        self.ci.start(pull, head, good=good)
        if self.forge.reviews:
            self.forge.at(self.random.uniform(60, 600), lambda: self._review(pull))

    def see_to(self, pull: PullRequest) -> None:
        """The owner looks at what was left to a person, and does what can be done about it."""
        if pull.state != "open":
            return
        for note in pull.notes:
            if not note.resolved:
                note.resolved, pull.touched = True, self.forge.now
        newest = {(id(lane), run.run): run for lane in pull.head.lanes if not lane.foreign for run in lane.runs}
        if any(run.conclusion is Conclusion.PENDING for run in newest.values()):
            return
        skipped = [r for r in newest.values() if r.conclusion is Conclusion.SKIPPED and not r.lane.may_skip]
        red = [run for run in newest.values() if run.conclusion in RED]
        if pull.conflict_since or any(not run.infra for run in red):
            pull.conflict_since = 0.0
            self.pushed(pull, self.forge.push(pull, contains=len(self.forge.base)), good=True)
            return
        for run in (*red, *skipped):
            if run.run is not None:
                self.ci.rerun_failed(pull, run.run, self.ci.attempts.get(run.run, 1))

    def _schedule(self, pull: PullRequest) -> None:
        weather, some = self.weather, self.random
        if self.forge.reviews:
            self._soon(lambda: self._review(pull))
            if weather.reviewers:
                self._soon(lambda: self._waver(pull))
        for wanted, event in (
            (weather.pushes, lambda: self._push(pull)),
            (weather.conflicts, lambda: self._conflict(pull)),
            (weather.strangers and self.forge.rules_shown, lambda: self.ci.posed(pull)),
            (weather.humans, lambda: self._meddle(pull)),
            (weather.base_moves, self.forge.move_base),
            (weather.locks, self._lock),
        ):
            if wanted:
                self._soon(event)
        if weather.strangers and self.forge.rules_shown:  # otherwise no rule names the app that has to report
            self.forge.at(1, lambda: self.ci.posed(pull))
        if weather.reruns:
            for _ in range(some.randint(1, 6)):
                self._soon(lambda: self.ci.rerun_all(pull) if pull.state == "open" else None)

    def meanwhile(self, pull: PullRequest) -> None:
        """Between a look and the merge that it leads to."""
        if not self.weather.murphy or self.random.random() > 0.3 or self.forge.now > self.forge_calm:
            return
        events: list[Callable[[], object]] = [
            lambda: self._push(pull),
            lambda: self._push(pull),
            lambda: self.ci.rerun_all(pull),
            self.forge.move_base,
            lambda: self._for_a_while(pull, "base_ref", "main", "dev", 100),
            lambda: self._for_a_while(pull, "draft", True, False, 100),
        ]
        if self.forge.reviews:
            events += [lambda: self._waver(pull), lambda: pull.notes.append(Note(f"n{pull.head.sha}", self.forge.now))]
        pull.touched = self.forge.now
        self.random.choice(events)()

    def _soon(self, event: Callable[[], object]) -> None:
        self.forge.at(self.random.uniform(1, CALM - 600), event)

    def _review(self, pull: PullRequest) -> None:
        if pull.state != "open":
            return
        if self.random.random() < 0.3 and self.forge.now < self.forge_calm:
            pull.notes.append(Note(f"n{self.forge.number()}", self.forge.now))
        pull.reviews.append(Said("ann", "approved", pull.head.sha, self.forge.now))
        pull.touched = self.forge.now

    @property
    def forge_calm(self) -> float:
        return self.forge.pulls[1].created + CALM - 900

    def _waver(self, pull: PullRequest) -> None:
        what = self.random.choice(["dismissed", "commented", "changes"])
        pull.reviews.append(Said("ann", what, pull.head.sha, self.forge.now))
        pull.touched = self.forge.now
        self.forge.at(self.random.uniform(100, 500), lambda: self._review(pull))

    def _push(self, pull: PullRequest) -> None:
        if pull.state == "open":
            self.pushed(pull, self.forge.push(pull), good=self.random.random() < 0.5)

    def _conflict(self, pull: PullRequest) -> None:
        """Somebody else's commit conflicts with it; and sometimes goes away by itself."""
        if pull.state != "open":
            return
        self.forge.move_base()
        pull.conflict_since = self.forge.now
        if self.random.random() < 0.5:
            self.forge.at(300, lambda: self._calm_conflict(pull))

    def _calm_conflict(self, pull: PullRequest) -> None:
        pull.conflict_since = 0.0
        self.forge.touch(pull)

    def _meddle(self, pull: PullRequest) -> None:
        what = self.random.choice(["draft", "retarget", "auto", "close", "by hand", "red base"])
        if pull.state != "open":
            return
        pull.touched = self.forge.now
        after = self.random.uniform(60, 600)
        if what == "draft":
            self._for_a_while(pull, "draft", True, False, after)
        elif what == "retarget":
            self._for_a_while(pull, "base_ref", "main", "dev", after)
        elif what == "auto":
            self._for_a_while(pull, "auto_merge", "mallory", "", after)
            self._auto(pull)
        elif what == "close":
            pull.state = "closed"
        elif what == "red base":
            self._base(red=True)
            self.forge.at(after, lambda: self._base(red=False))
        elif self.forge.mergeable(pull):
            self._merge(pull)

    def _base(self, *, red: bool) -> None:
        self.forge.base_red = red
        for pull in self.forge.pulls.values():
            pull.touched = self.forge.now

    def _lock(self) -> None:
        self._locked(True)
        self.forge.at(self.random.uniform(60, 600), lambda: self._locked(False))

    def _locked(self, now: bool) -> None:
        self.forge.locked = now
        for pull in self.forge.pulls.values():
            self.forge.touch(pull)

    def _for_a_while(self, pull: PullRequest, name: str, now: object, then: object, seconds: float) -> None:
        setattr(pull, name, now)

        def back() -> None:
            setattr(pull, name, then)
            self.forge.touch(pull)

        self.forge.at(seconds, back)

    def _auto(self, pull: PullRequest) -> None:
        """The forge merges it by itself when its rules are met; without rules it would at once, so nobody can."""
        if pull.state != "open" or not pull.auto_merge or not self.forge.ruleset:
            return
        self._merge(pull)
        self.forge.at(30, lambda: self._auto(pull))

    def _merge(self, pull: PullRequest) -> None:
        try:
            self.forge.merge(pull.number, None, ours=False)
        except Refused:
            return
