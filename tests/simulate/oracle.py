"""Judges a world by its own history. It knows neither the gate nor the loop, only what was true at the time."""

from __future__ import annotations

from tests.simulate.forge import Commit, Forge, PullRequest

#: A pull request that everything speaks for is merged and reported within so many seconds of its last change.
PROMPT = 2400.0
#: What has been true for so long is no excuse for not having seen it.
NOTICE = 60.0


class Oracle:
    """Collects violations: (what, which pull request)."""

    def __init__(self, forge: Forge, *, force: bool) -> None:
        self.forge, self.force = forge, force
        self.violations: list[tuple[str, int]] = []
        self.merges = 0
        self.said_yes: set[tuple[int, str]] = set()
        self.reported: set[int] = set()
        forge.on_merge, forge.on_ask = self.merged, self.asked

    def asked(self, pull: PullRequest, against: bool) -> None:
        """We are asking for a merge. That the forge may say no makes a wrong question no better."""
        if pull.state == "open" and against and self.forge.now - pull.touched >= NOTICE:
            self._against("asked for, though long against it", pull)

    def merged(self, pull: PullRequest, commit: Commit, base: str) -> None:
        """The forge has just merged it, asked by whomever."""
        forge, head = self.forge, pull.head.sha
        if sum(c.pull == pull.number for c in (*forge.base, *forge.main)) > 1:
            self._against("merged twice", pull)
        if not commit.ours:
            return
        self.merges += 1
        known = {(n, h) for n, h, _ in forge.verified}
        for wrong, what in (
            (not pull.head.green, "not green"),
            (forge.reviews and not forge.approved(pull), "not approved"),
            ((pull.number, head) not in known, "a head that was not verified"),
            (pull.base_ref != "dev", "into another base"),
            (not self.force and (pull.number, head) not in self.said_yes, "not confirmed"),
            (any(not note.resolved for note in pull.notes), "an open conversation"),
        ):
            if wrong:
                self._against(what, pull)
        if pull.base_ref == "dev" and (pull.number, head) in known and (pull.number, head, base) not in forge.verified:
            self._against("a base that was not verified", pull)

    def report(self, number: int) -> None:
        """We say that it is merged."""
        self.reported.add(number)
        if not any(c.pull == number for c in self.forge.base):
            self.violations.append(("said to be merged and is not", number))

    def end(self) -> None:
        """The world is over: what has been forgotten?"""
        forge = self.forge
        for pull in forge.pulls.values():
            long_ago = forge.now - pull.touched >= PROMPT
            landed = [c.at for c in forge.base if c.pull == pull.number]
            if landed and pull.number not in self.reported and forge.now - min(landed) >= PROMPT:
                self._against("merged and never said so", pull)
            elif not landed and long_ago and forge.mergeable(pull):
                self._against("forgotten", pull)

    def _against(self, what: str, pull: PullRequest) -> None:
        self.violations.append((what, pull.number))
