"""The ship step in miniature: the real `decide` and `Pursuit`, a durable ledger, crash points around every effect.

It mirrors `engine/landing`: verify before land; a push under a lease on what stands there; four looks in one job;
the lane of the base; the intent before the merge, proof by git after it, no call repeated blindly; what is up to a
person ends the attempt, is answered, and is looked at again. `acts` has one method for each act.

Where it deviates, on purpose:
* The shared answer (`glance`) is not read: in half the worlds every answer is up to twenty seconds old instead.
* The pull request is open from the start; opening it, merge queues and promotion are the engine's tests.
* An attempt always goes on from the head that it was given, so no commit has to join two histories. Attempts are not
  counted: the owner always says `retry`.
* The owner answers everything within minutes, and first does by hand what is up to a person: runs red jobs again,
  pushes a head that is good, resolves a conversation, takes the branch as it stands where ours could not be pushed.
  What was closed, or merged elsewhere, is cancelled.
* A lost ledger is followed by the next audit at once, which adopts the pull request with what stands on its branch.
* A merge into another branch is seen by its trailer (`landed_elsewhere`); the engine has the row and does not look
  there yet, so that there the row `merged` says so, forty looks later.
* A refused merge is tried again a few times before a person is asked: the forge may know more a moment later.
* Time goes by in verify, in an attempt and in the merge call; every other step takes none.
"""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.merge.decide import decide_on
from ops_orchestrate.core.merge.pull import BranchRules, Pull, PullState
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.merge.ruling import Facts
from ops_orchestrate.core.merge.snapshot import MergePolicy, MergeSnapshot
from tests.simulate.acts import Acts
from tests.simulate.ci import Ci
from tests.simulate.forge import Forge, Unavailable
from tests.simulate.ledger import Commit, Crash, Defect, Entry
from tests.simulate.oracle import Oracle
from tests.simulate.quick import changed, summed
from tests.simulate.views import Views
from tests.simulate.weather import People, Weather

#: So long a call without an answer may still have an effect.
_AFTERWARDS = 200.0
#: Looks in one job.
_LOOKS = 4


class Loop(Acts):
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
            verified_tree="tree",
        )
        self.ledger: dict[int, Entry] = {}
        self.commits: dict[str, Commit] = {}
        self.lane = (0, 0.0)
        self.crashed: list[str] = []
        self.looks = 0

    def watch(self, number: int) -> None:
        """It has just been opened by us, and its base was seen when its head was pushed."""
        self.ledger[number] = self._adopted(number, self.forge.now + 5)
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
                return self.forge.advance(max(0.0, until - self.forge.now))
            self.forge.advance(max(0.0, entry.wake - self.forge.now))
            if self.ledger[entry.number] is entry:  # the ledger may have been lost on the way
                self._deliver(entry)

    def _deliver(self, entry: Entry) -> None:
        entry.wake = self.forge.now + 30
        try:
            if entry.stage == "attempt":
                self.attempt(entry)
            elif entry.stage == "verify":
                self.verify(entry)
            else:
                self._land(entry)
        except Unavailable:
            entry.wake = self.forge.now + 30
        except Crash:
            lost = self.defect.at_most_once
            entry.wake = float("inf") if lost else self.forge.now + self.random.uniform(1, 60)

    def _adopted(self, number: int, wake: float) -> Entry:
        head = self.forge.pulls[number].head
        base = self.forge.base[head.contains - 1].sha
        return Entry(number, wake, head.sha, Pursuit(number=number, branch="ops/t1", head=head.sha, base=base))

    def _forget(self, number: int) -> None:
        """The ledger has lost everything, and the next audit finds the pull request."""
        if not self.ledger[number].done:
            self.leave_lane(self.ledger[number])
            self.ledger[number] = self._adopted(number, self.forge.now + 30)

    # --- one job

    def _land(self, entry: Entry) -> None:
        self.keep_lane(entry)
        if entry.verified[0] != entry.head:
            return self.again(entry)
        if not self.publish(entry):
            return None
        for _ in range(_LOOKS):
            if not self._look_on(entry):
                return None
        entry.wake = self.forge.now + self.poll
        return None

    def _look_on(self, entry: Entry) -> bool:
        """One look and the act that it leads to; True: look again at once."""
        self.looks += 1
        pull = self.views.read(entry.number)
        entry.pursuit = entry.pursuit.saw(pull, self.forge.now)
        seen = self._snapshot(entry, pull)
        if self.defect.sees:
            seen = self.defect.sees(seen)
        summary = summed(seen, entry.summed)
        entry.summed = (seen, summary)
        decision = decide_on(Facts(seen, summary))
        entry.pursuit = entry.pursuit.decided(decision)
        return bool(getattr(self, f"_{decision.act.value}")(entry, pull, decision))

    def _snapshot(self, entry: Entry, pull: Pull) -> MergeSnapshot:
        forge, pursuit = self.forge, entry.pursuit
        head, base = entry.verified
        values: dict[str, Any] = {
            "now": forge.now,
            "pull": pull,
            "rules": self.views.rules(),
            "verified_head": head,
            "verified_base": base,
            "base": forge.tip,
            "checks_base": pursuit.base,
            "base_checks": self.views.base_checks(),
            "approved": entry.approved,
            "intended_at": pursuit.merged_at if entry.intent else 0.0,
            "landed": bool(entry.intent and self.trailer_on(forge.base, entry)),
            "landed_elsewhere": "main" if forge.main and entry.intent and self.trailer_on(forge.main, entry) else "",
            "new_check_at": pursuit.new_check_at,
            "failures": pursuit.failures,
            "reruns": pursuit.reruns,
            "fixes": pursuit.fixes,
            "fixed_at": pursuit.fixed_at,
            "closed_threads": pursuit.closed_threads,
            "waited": pursuit.row,
            "waits": pursuit.waits,
        }
        return changed(self.empty, values)
