"""What the forge answers: the truth of now, or of a while ago, cut, mixed, not yet computed, or nothing at all."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.merge.pull import (
    BranchRules,
    Check,
    Conclusion,
    Mergeable,
    MergeState,
    Pull,
    PullState,
    RequiredCheck,
    Review,
    ReviewDecision,
    ReviewState,
    Thread,
    ThreadComment,
)
from tests.simulate.forge import START, Forge, Head, Note, PullRequest, Run, Said, Unavailable
from tests.simulate.quick import changed
from tests.simulate.weather import CALM, Weather

_STATES = {"open": PullState.OPEN, "closed": PullState.CLOSED, "merged": PullState.MERGED}
_SAID = {
    "approved": ReviewState.APPROVED,
    "dismissed": ReviewState.DISMISSED,
    "commented": ReviewState.COMMENTED,
    "changes": ReviewState.CHANGES_REQUESTED,
}
#: A copy of the forge's data lags by so many seconds at most.
LAG = 20.0
#: The first page of a cut answer.
PAGE = 4


#: Copied and changed, which is several times faster than to make them anew.
_PULL = Pull(
    number=1,
    state=PullState.OPEN,
    title="Mend the clock",
    head="0" * 40,
    head_ref="ops/t1",
    base_ref="dev",
    author="ops-bot",
    ours=True,
)
_CHECK = Check(kind="run", id=1, name="push-tests", conclusion=Conclusion.SUCCESS)
_REVIEW = Review(author="ann", state=ReviewState.APPROVED, commit="", at=0.0, trusted=True)
_BASE_CHECKS = {
    red: (Check(kind="run", id=1, name="push-tests", conclusion=ends, event="push"),)
    for red, ends in ((True, Conclusion.FAILURE), (False, Conclusion.SUCCESS))
}


class Views:
    """The forge's answers to reads."""

    def __init__(self, forge: Forge, weather: Weather) -> None:
        self.forge, self.weather, self.random = forge, weather, forge.random
        self._rules: BranchRules | None = None
        self._old: dict[int, list[tuple[float, Pull]]] = {}
        if weather.stale:
            forge.after_event = self.remember

    @property
    def stormy(self) -> bool:
        return self.forge.now < START + CALM

    def remember(self) -> None:
        """Keep what a lagging copy may still answer later."""
        if not self.stormy:
            return
        for number, pull in self.forge.pulls.items():
            kept = self._old.setdefault(number, [])
            if (kept and kept[-1][0] > pull.touched) or pull.state != "open":
                continue
            kept.append((self.forge.now, self.shown(pull)))
            while len(kept) > 1 and kept[1][0] < self.forge.now - LAG:
                kept.pop(0)

    def read(self, number: int) -> Pull:
        """One pull request, as the forge answers it now."""
        self.may_fail()
        pull = self.forge.pulls[number]
        shown = self._lagging(number) or self.shown(pull)
        if pull.mergeable_at == float("inf"):  # being asked is what makes the forge compute it
            pull.mergeable_at = self.forge.now + (self.random.uniform(1, 90) if self.weather.lazy else 0.0)
        if self.stormy and self.weather.cut and self.random.random() < 0.1:
            return changed(shown, {"checks": shown.checks[:PAGE], "complete": False, "problem": "the first page only"})
        if self.stormy and self.weather.mixed and len(pull.heads) > 1 and self.random.random() < 0.2:
            return changed(shown, {"checks_of": pull.heads[-2].sha})
        return shown

    def may_fail(self) -> None:
        if self.stormy and self.weather.unavailable and self.random.random() < 0.08:
            raise Unavailable

    def _lagging(self, number: int) -> Pull | None:
        if not (self.stormy and self.weather.stale) or self.random.random() > 0.3:
            return None
        then = self.forge.now - self.random.uniform(0, LAG)
        older = [old for old in self._old.get(number, []) if old[0] <= then]
        if not older or older[-1][0] < self.forge.pulls[number].touched <= then:
            return None  # what has changed since we kept it last is older than any copy may be
        return older[-1][1]

    def shown(self, pull: PullRequest) -> Pull:
        """The truth, in the forge's words."""
        now = self.forge.now
        open_still = pull.state == "merged" and now < pull.shows_open_until
        mergeable, state = self._merge_state(pull)
        values: dict[str, Any] = {
            "number": pull.number,
            "state": PullState.OPEN if open_still else _STATES[pull.state],
            "draft": pull.draft,
            "head": pull.head.sha,
            "checks_of": pull.head.sha,
            "base_ref": pull.base_ref,
            "created_at": pull.created,
            "head_at": pull.head.at,
            "mergeable": mergeable,
            "merge_state": state,
            "review_decision": self._decision(pull),
            "auto_merge": pull.auto_merge,
            "merge_commit": pull.merge_commit,
            "checks": pull.head.shown or self._checks(pull.head),
            "reviews": tuple([self._review(said) for said in pull.reviews]) if pull.reviews else (),
            "threads": tuple([self._thread(note) for note in pull.notes]) if pull.notes else (),
        }
        return changed(_PULL, values)

    def rules(self) -> BranchRules:
        """What the base demands; where we may bypass it, that is all that it does."""
        if self._rules is None:
            forge = self.forge
            required = tuple(RequiredCheck(name=name, app=app) for name, app in sorted(forge.required, key=str))
            approvals = 1 if forge.reviews else 0
            self._rules = BranchRules(known=True, protected=False)
            if forge.rules_shown:
                self._rules = BranchRules(
                    known=True, protected=True, required_checks=required, strict=True, required_approvals=approvals
                )
        return self._rules

    def base_checks(self) -> tuple[Check, ...]:
        """The checks on the base's head."""
        return _BASE_CHECKS[self.forge.base_red]

    def _merge_state(self, pull: PullRequest) -> tuple[Mergeable, MergeState]:
        if self.forge.now < pull.mergeable_at:
            return Mergeable.UNKNOWN, MergeState.UNKNOWN
        if pull.conflict_since:
            return Mergeable.CONFLICTING, MergeState.DIRTY
        if pull.draft:
            return Mergeable.MERGEABLE, MergeState.DRAFT
        if self.forge.locked:
            return Mergeable.MERGEABLE, MergeState.BLOCKED
        if self.forge.ruleset and pull.state == "open" and pull.base_ref == "dev":
            if pull.head.contains < len(self.forge.base):
                return Mergeable.MERGEABLE, MergeState.BEHIND
            if self.forge.forbidden(pull):
                return Mergeable.MERGEABLE, MergeState.BLOCKED
        return Mergeable.MERGEABLE, MergeState.CLEAN

    def _decision(self, pull: PullRequest) -> ReviewDecision:
        """By the forge's own rules, which do not bind an approval to a commit unless they are told to."""
        if not self.forge.reviews:
            return ReviewDecision.NONE
        latest = {s.who: s.what for s in pull.reviews if s.what != "commented"}
        if "changes" in latest.values():
            return ReviewDecision.CHANGES_REQUESTED
        return ReviewDecision.APPROVED if "approved" in latest.values() else ReviewDecision.REVIEW_REQUIRED

    @staticmethod
    def _review(said: Said) -> Review:
        if said.shown is None:
            values = {"author": said.who, "state": _SAID[said.what], "commit": said.sha, "at": said.at}
            said.shown = changed(_REVIEW, values)
        return said.shown

    def _checks(self, head: Head) -> tuple[Check, ...]:
        runs = [run for lane in head.lanes for run in lane.runs]
        checks = tuple([self._run(run) for run in runs])
        if not any(run.odd_until > self.forge.now for run in runs):
            head.shown = checks
        return checks

    def _run(self, run: Run) -> Check:
        shown = run.shown
        if shown is None or run.odd_until or shown.completed_at != run.completed:
            odd = run.odd_until > self.forge.now
            conclusion = Conclusion.UNKNOWN if odd else run.conclusion
            if shown is None or shown.conclusion is not conclusion or shown.completed_at != run.completed:
                shown = run.shown = self._check(run, conclusion)
        return shown

    @staticmethod
    def _check(run: Run, conclusion: Conclusion) -> Check:
        lane = run.lane
        values = {
            "kind": lane.kind,
            "id": run.id,
            "name": lane.name,
            "conclusion": conclusion,
            "app": lane.app,
            "workflow": lane.workflow,
            "run": run.run,
            "attempt": run.attempt,
            "event": "" if lane.kind == "status" else "pull_request",
            "started_at": run.started,
            "completed_at": run.completed,
        }
        return changed(_CHECK, values)

    @staticmethod
    def _thread(note: Note) -> Thread:
        if note.shown is None or note.shown.resolved != note.resolved or note.shown.answered != note.ours:
            words = [ThreadComment.model_construct(author="ann", body="why?", at=note.at, ours=False, trusted=True)]
            if note.ours:
                words.append(words[0].model_copy(update={"author": "ops-bot", "body": "done", "ours": True}))
            note.shown = Thread.model_construct(id=note.id, resolved=note.resolved, comments=tuple(words))
        return note.shown
