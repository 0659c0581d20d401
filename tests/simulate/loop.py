"""The ship step in miniature: the real `decide`, a durable ledger, crash points around every effect.

What it does with each act is what `engine/` has to do: the intent before the merge, proof by git after it, no call
repeated blindly, one pull request of a base after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ops_orchestrate.core.merge.decide import decide
from ops_orchestrate.core.merge.failure import FailedJob, FailureClass, JobStep, classify
from ops_orchestrate.core.merge.pull import BranchRules, Conclusion, Pull, PullState
from ops_orchestrate.core.merge.snapshot import Act, Decision, MergePolicy, MergeSnapshot
from tests.simulate.ci import Ci
from tests.simulate.forge import Forge, Moved, Refused, Run, Unavailable
from tests.simulate.oracle import Oracle
from tests.simulate.views import Views
from tests.simulate.weather import People, Weather

#: Where a worker may die, in the order of a merge's life.
CRASH_POINTS = (
    "before verify",
    "after verify",
    "before rerun",
    "after rerun",
    "before update",
    "after update",
    "before answer",
    "after answer",
    "before intent",
    "after intent",
    "after merge",
    "before proof",
    "before report",
)


#: So long a call without an answer may still have an effect.
_AFTERWARDS = 200.0


class Crash(Exception):
    """The worker is gone; the ledger is not."""


@dataclass(slots=True)
class Entry:
    """What the ledger knows of one pull request."""

    number: int
    wake: float
    verified: tuple[str, str, str] = ("", "", "")
    intent: tuple[str, float] = ("", 0.0)
    approved: str = ""
    asked: str = ""
    failures: dict[int, FailureClass] = field(default_factory=dict)
    reruns: tuple[int, ...] = ()
    fixes: int = 0
    fixed_at: float = 0.0
    closed: tuple[str, ...] = ()
    head: str = ""
    known: frozenset[int] = frozenset()
    new_check_at: float = 0.0
    waited: str = ""
    waits: int = 0
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


class Loop:
    """One worker after the other, over the pull requests of one base."""

    def __init__(
        self,
        forge: Forge,
        ci: Ci,
        people: People,
        views: Views,
        oracle: Oracle,
        *,
        weather: Weather,
        policy: MergePolicy,
        defect: Defect,
        still: bool,
    ) -> None:
        self.forge, self.ci, self.people, self.views, self.oracle = forge, ci, people, views, oracle
        self.weather, self.defect, self.random = weather, defect, forge.random
        self.still = still
        self.empty = MergeSnapshot(
            now=0,
            pull=Pull(number=1, state=PullState.OPEN, head="", head_ref="", base_ref=""),
            rules=BranchRules(known=False),
            policy=policy,
            force=oracle.force,
        )
        self.ledger: dict[int, Entry] = {}
        self.crashed: list[str] = []
        self.looks = 0

    def watch(self, number: int) -> None:
        self.ledger[number] = Entry(number, self.forge.now + 5)
        if self.weather.amnesia:
            self.forge.at(self.random.uniform(60, 1500), lambda: self._forget(number))

    def run(self, until: float) -> None:
        """Until everything is done, or time is over."""
        while True:
            waiting = [e for e in self.ledger.values() if not e.done]
            entry = min(waiting, key=lambda e: e.wake, default=None)
            if entry is None:
                return self.forge.advance(_AFTERWARDS)
            if entry.wake >= until:
                break
            self.forge.advance(max(0.0, entry.wake - self.forge.now))
            self._deliver(entry)
        return self.forge.advance(max(0.0, until - self.forge.now))

    def _deliver(self, entry: Entry) -> None:
        self.looks += 1
        entry.wake = self.forge.now + 30
        try:
            self._decide(entry)
        except Unavailable:
            entry.wake = self.forge.now + 30
        except Crash:
            lost = self.defect.at_most_once
            entry.wake = float("inf") if lost else self.forge.now + self.random.uniform(1, 60)

    def crash(self, point: str) -> None:
        if self.views.stormy and self.weather.crashes and self.random.random() < 0.06:
            self.crashed.append(point)
            raise Crash(point)

    def _forget(self, number: int) -> None:
        """The ledger has lost everything about it but that it exists."""
        old = self.ledger[number]
        if not old.done:
            self.ledger[number] = Entry(number, self.forge.now + 30)

    # --- one look

    def _decide(self, entry: Entry) -> None:
        pull, rules = self.views.read(entry.number), self.views.rules()
        self._notice(entry, pull)
        seen = self._snapshot(entry, pull, rules)
        decision = decide(self.defect.sees(seen) if self.defect.sees else seen)
        if decision.act is not Act.RECONCILE and entry.intent[0]:
            entry.intent = ("", 0.0)
        if decision.act in (Act.WAIT, Act.RECONCILE):
            entry.waits = entry.waits + 1 if decision.row == entry.waited else 1
            entry.waited = decision.row
        else:
            entry.waited, entry.waits = "", 0
        getattr(self, f"_{decision.act.value}")(entry, pull, decision)

    def _notice(self, entry: Entry, pull: Pull) -> None:
        if pull.head != entry.head:
            entry.head, entry.known, entry.new_check_at = pull.head, frozenset(), 0.0
            entry.failures, entry.reruns = {}, ()
        ids = frozenset(check.id for check in pull.checks)
        if not entry.new_check_at or ids - entry.known:
            entry.new_check_at = self.forge.now
        entry.known |= ids

    def _snapshot(self, entry: Entry, pull: Pull, rules: BranchRules) -> MergeSnapshot:
        forge = self.forge
        known = next((h for h in forge.pulls[entry.number].heads if h.sha == pull.head), None)
        head, base, tree = entry.verified
        values: dict[str, Any] = {
            "now": forge.now,
            "pull": pull,
            "rules": rules,
            "verified_head": head,
            "verified_base": base,
            "verified_tree": tree,
            "base": forge.tip,
            "checks_base": forge.base[known.contains - 1].sha if known else "",
            "base_checks": self.views.base_checks(),
            "approved": entry.approved,
            "intended_at": entry.intent[1],
            "landed": any(c.pull == entry.number and c.ours for c in forge.base),
            "landed_elsewhere": "main" if any(c.pull == entry.number and c.ours for c in forge.main) else "",
            "new_check_at": entry.new_check_at,
            "failures": entry.failures,
            "reruns": entry.reruns,
            "fixes": entry.fixes,
            "fixed_at": entry.fixed_at,
            "closed_threads": entry.closed,
            "waited": entry.waited,
            "waits": entry.waits,
        }
        return self.empty.model_copy(update=values)

    # --- one method an act

    def _wait(self, entry: Entry, pull: Pull, decision: Decision) -> None:
        usual = 45 if self.views.stormy else 90
        entry.wake = self.forge.now + (decision.after or (2 * usual if decision.person else usual))

    def _reconcile(self, entry: Entry, pull: Pull, decision: Decision) -> None:
        self.crash("before proof")
        if any(c.pull == entry.number for c in self.forge.base):
            self._done(entry)
        else:
            entry.wake = self.forge.now + 15

    def _reverify(self, entry: Entry, pull: Pull, decision: Decision) -> None:
        self.crash("before verify")
        head, base = self.forge.pulls[entry.number].head.sha, self.forge.tip
        self.forge.advance(20)
        self.forge.verified.add((entry.number, head, base))
        self.crash("after verify")
        entry.verified = (head, base, "tree")
        entry.wake = self.forge.now

    def _look(self, entry: Entry, pull: Pull, decision: Decision) -> None:
        self.views.may_fail()
        runs = {r.id: r for lane in self.forge.pulls[entry.number].head.lanes for r in lane.runs}
        for number in decision.checks:
            if number in runs:
                entry.failures[number] = classify(_jobs(runs[number]))
        entry.wake = self.forge.now

    def _rerun(self, entry: Entry, pull: Pull, decision: Decision) -> None:
        checks = {c.id: c for c in pull.checks}
        for number in decision.checks:
            check = checks[number]
            assert check.run is not None
            self.crash("before rerun")
            self.views.may_fail()
            self.ci.rerun_failed(self.forge.pulls[entry.number], check.run, check.attempt)
            self.crash("after rerun")
            entry.reruns = (*entry.reruns, check.run)

    def _fix(self, entry: Entry, pull: Pull, decision: Decision) -> None:
        """Another attempt: minutes later there is a new head, on the base of then."""
        entry.fixes += 1
        truth = self.forge.pulls[entry.number]

        def published() -> None:
            if truth.state != "open":
                return
            truth.conflict_since = 0.0
            head = self.forge.push(truth, contains=len(self.forge.base))
            self.people.pushed(truth, head, good=self.random.random() < 0.8)
            self.ledger[entry.number].fixed_at = self.forge.now

        self.forge.at(200, published)
        entry.wake = self.forge.now + 201

    def _answer(self, entry: Entry, pull: Pull, decision: Decision) -> None:
        for note in self.forge.pulls[entry.number].notes:
            if note.id in decision.threads:
                self.crash("before answer")
                note.resolved, note.ours = True, True
                self.forge.pulls[entry.number].touched = self.forge.now
                self.crash("after answer")
                entry.closed = (*entry.closed, note.id)
        entry.wake = self.forge.now + 5

    def _update(self, entry: Entry, pull: Pull, decision: Decision) -> None:
        self.crash("before update")
        self.views.may_fail()
        try:
            head = self.forge.update(entry.number, pull.head)
        except (Moved, Refused):
            entry.wake = self.forge.now + 10
            return
        self.people.pushed(self.forge.pulls[entry.number], head, good=True)
        self.crash("after update")
        entry.wake = self.forge.now + 5

    def _ask(self, entry: Entry, pull: Pull, decision: Decision) -> None:
        """The owner says yes to this very head, some minutes later."""
        head = pull.head
        entry.wake = self.forge.now + 90
        if entry.asked == head:
            return
        entry.asked = head

        def yes() -> None:
            self.ledger[entry.number].approved = head
            self.oracle.said_yes.add((entry.number, head))

        self.forge.at(self.random.uniform(30, 200), yes)

    def _flag(self, entry: Entry, pull: Pull, decision: Decision) -> None:
        """The owner looks, finds nothing to do or does it, and says: again."""
        entry.fixes, entry.reruns, entry.failures = 0, (), {}
        entry.wake = self.forge.now + (400 if self.views.stormy else 800)

    _block = _flag

    def _merge(self, entry: Entry, pull: Pull, decision: Decision) -> None:
        self.crash("before intent")
        entry.intent = (pull.head, self.forge.now)
        self.crash("after intent")
        if not self.still:
            self.forge.advance(self.random.uniform(0.2, 3))
            self.people.meanwhile(self.forge.pulls[entry.number])
        sha = None if self.defect.no_sha else pull.head
        try:
            self._put(entry.number, sha)
        except Unavailable:
            if self.defect.blind_retry:
                self._retry(entry, sha)
            entry.wake = self.forge.now + 10
            return
        except (Moved, Refused):
            entry.intent = ("", 0.0)
            entry.wake = self.forge.now + 10
            if self.defect.refused_is_done:
                self._done(entry)
            return
        self.crash("after merge")
        self._reconcile(entry, pull, decision)

    def _retry(self, entry: Entry, sha: str | None) -> None:
        for _ in range(3):
            self.forge.advance(2)
            try:
                self._put(entry.number, sha)
            except Unavailable:
                continue
            except (Moved, Refused):
                return
            return

    def _put(self, number: int, sha: str | None) -> None:
        """The merge call, and what becomes of its answer."""
        luck = self.random.random() if self.views.stormy and self.weather.lost_answers else 1.0
        if luck < 0.08:
            raise Unavailable
        if luck < 0.14 and not self.still:
            self.forge.at(self.random.uniform(5, 60), lambda: self._late(number, sha))
            raise Unavailable
        if luck < 0.2:
            raise Refused("Base branch was modified")
        self.forge.merge(number, sha)
        if luck < 0.4:
            if luck < 0.3:  # the base has moved and the pull request stays open, for a while or for good
                self.forge.pulls[number].shows_open_until = self.random.choice([self.forge.now + 90, float("inf")])
            raise Unavailable

    def _late(self, number: int, sha: str | None) -> None:
        try:
            self.forge.merge(number, sha)
        except (Moved, Refused):
            return

    def _done(self, entry: Entry) -> None:
        self.crash("before report")
        self.oracle.report(entry.number)
        entry.done = True


def _jobs(run: Run) -> tuple[FailedJob, ...]:
    """What the forge tells of a red run's inside."""
    step = Conclusion.SUCCESS if run.infra else Conclusion.FAILURE
    return (
        FailedJob(
            id=run.id,
            run=run.run or 0,
            attempt=run.attempt,
            name=run.lane.name,
            conclusion=run.conclusion,
            steps=(JobStep(name="run", conclusion=step),),
        ),
    )
