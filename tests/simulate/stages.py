"""What every job is made of: places to die, the lane, the stages before landing, the ways to end, and git."""

from __future__ import annotations

import random
from collections.abc import Iterable

from tests.simulate.ci import Ci
from tests.simulate.forge import Commit as BaseCommit
from tests.simulate.forge import Forge
from tests.simulate.ledger import Commit, Crash, Defect, Entry
from tests.simulate.oracle import Oracle
from tests.simulate.quick import changed
from tests.simulate.views import Views
from tests.simulate.weather import People, Weather

#: Seconds that the gate and an attempt take.
GATE = 20.0
_ATTEMPT = 200.0


class Stages:
    """The engine's steps in miniature, with the ways they can die."""

    forge: Forge
    ci: Ci
    people: People
    views: Views
    oracle: Oracle
    weather: Weather
    defect: Defect
    random: random.Random
    still: bool
    ledger: dict[int, Entry]
    commits: dict[str, Commit]
    lane: tuple[int, float]
    crashed: list[str]
    poll: float
    """OPS_CI_POLL."""

    def crash(self, point: str) -> None:
        """Die here, in some worlds, sometimes."""
        often = 0.5 if point.endswith("answer") else 0.06  # few worlds come so far while there is any storm
        if self.views.stormy and self.weather.crashes and self.random.random() < often:
            self.crashed.append(point)
            raise Crash(point)

    # --- the lane

    def in_lane(self, entry: Entry, also: float = 0.0) -> bool:
        """Take it, or keep it."""
        holder, until = self.lane
        if holder != entry.number and self.forge.now < until:
            return False
        self.lane = (entry.number, self.forge.now + 4 * self.poll + also)
        return True

    def keep_lane(self, entry: Entry) -> None:
        """Stay in it, for who is in it."""
        holder, until = self.lane
        if holder == entry.number and self.forge.now < until:
            self.lane = (holder, self.forge.now + 4 * self.poll)

    def leave_lane(self, entry: Entry) -> None:
        """Let the next one in."""
        if self.lane[0] == entry.number:
            self.lane = (0, 0.0)

    # --- the stages before

    def attempt(self, entry: Entry) -> None:
        """An agent has gone on from the head, and where that conflicts, merged the base."""
        truth, now = self.forge.pulls[entry.number], self.commit(entry)
        mends = truth.conflict_since
        contains = len(self.forge.base) if mends else now.contains
        good = self.random.random() < 0.8
        entry.head = self.make(Commit(contains, content="", good=good, mends=mends))
        entry.stage, entry.wake = "verify", self.forge.now

    def verify(self, entry: Entry) -> None:
        """The gate runs on the merge with the base of now; what conflicts, or is in the base already, ends here."""
        self.crash("before verify")
        truth, base = self.forge.pulls[entry.number], self.forge.tip
        content = self.commit(entry).content
        if any(c.pull == entry.number and self._content(c.head) == content for c in self.forge.base):
            return self.done(entry)
        if truth.conflict_since > self.commit(entry).mends:
            return self.send_back(entry)
        self.forge.advance(GATE)
        self.forge.verified.add((entry.number, entry.head, base))
        self.crash("after verify")
        entry.verified = (entry.head, base)
        entry.stage, entry.wake = "land", self.forge.now
        return None

    def publish(self, entry: Entry) -> bool:
        """The verified head stands on the branch: pushed under a lease on what we pushed there last."""
        truth = self.forge.pulls[entry.number]
        if entry.pursuit.head == entry.head or truth.state != "open":
            return True
        self.views.may_fail()
        if truth.head.sha not in (entry.pursuit.head, entry.head):
            self.blocked(entry, takes_branch=True)
            return False
        if truth.head.sha != entry.head:
            self.crash("before push")
            ours = self.commits[entry.head]
            if truth.conflict_since <= ours.mends:
                truth.conflict_since = 0.0
            head = self.forge.push(truth, sha=entry.head, contains=ours.contains)
            self.people.pushed(truth, head, good=ours.good)
            self.views.may_fail()
            self.crash("after push")
        pushed = entry.pursuit.pushed(entry.head, base=self.forge.tip)
        entry.pursuit, entry.refusals = changed(pushed, {"fixed_at": entry.said_at, "mending": False}), 0
        return True

    def again(self, entry: Entry, head: str = "") -> None:
        """Back to verify, perhaps with another head."""
        entry.intent = ""
        entry.head = head or entry.head
        entry.stage, entry.wake = "verify", self.forge.now

    # --- ends

    def snooze(self, entry: Entry, seconds: float) -> bool:
        entry.wake = self.forge.now + seconds
        return False

    def send_back(self, entry: Entry) -> None:
        """The attempt ends, and another one is at work for some minutes."""
        self.leave_lane(entry)
        entry.intent = ""
        entry.stage, entry.wake = "attempt", self.forge.now + _ATTEMPT

    def blocked(self, entry: Entry, *, takes_branch: bool = False) -> bool:
        """It ends, and waits for a person, who does what can be done and says: again."""
        self.leave_lane(entry)
        seconds = self.random.uniform(200, 600)

        def seen_to() -> None:
            truth = self.forge.pulls[entry.number]
            self.people.see_to(truth)
            elsewhere = any(c.pull == entry.number for c in self.forge.main)
            if truth.state == "closed" or elsewhere:
                entry.done = True  # answered with `cancel`
            elif takes_branch:
                entry.head = self.forge.pulls[entry.number].head.sha
                entry.pursuit = entry.pursuit.pushed(entry.head, base=self.forge.tip)

        self.forge.at(seconds, seen_to)
        return self.snooze(entry, seconds + 1)

    def done(self, entry: Entry) -> None:
        """We say that it is merged."""
        self.crash("before report")
        self.leave_lane(entry)
        self.oracle.report(entry.number)
        entry.done = True

    # --- git

    def trailer_on(self, branch: Iterable[BaseCommit], entry: Entry) -> bool:
        """Whether a branch has a commit with our key for this head."""
        return any(c.ours and c.pull == entry.number and c.head == entry.head for c in branch)

    def make(self, commit: Commit) -> str:
        sha = f"{self.forge.number():040x}"
        commit.content = commit.content or sha
        self.commits[sha] = commit
        return sha

    def _content(self, sha: str) -> str:
        return self.commits[sha].content if sha in self.commits else sha

    def commit(self, entry: Entry) -> Commit:
        """The attempt's head; somebody else's is read from the branch."""
        if entry.head not in self.commits:
            head = next(h for h in self.forge.pulls[entry.number].heads if h.sha == entry.head)
            self.commits[entry.head] = Commit(head.contains, entry.head)
        return self.commits[entry.head]
