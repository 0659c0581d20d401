"""What is done about each act."""

from __future__ import annotations

from ops_orchestrate.core.merge.failure import FailedJob, JobStep, classify
from ops_orchestrate.core.merge.pull import Conclusion, Pull, PullState, ReviewState
from ops_orchestrate.core.merge.snapshot import Decision
from tests.simulate.forge import Moved, Refused, Run, Unavailable
from tests.simulate.ledger import Commit, Entry
from tests.simulate.quick import changed
from tests.simulate.stages import GATE, Stages

#: Refusals by the forge before a person is asked.
_MOST_REFUSALS = 3
_MOST_MOVES = 10


class Acts(Stages):
    """One method an act. Each says whether another look follows at once."""

    def _wait(self, entry: Entry, pull: Pull, decision: Decision) -> bool:
        if decision.person:
            return self.blocked(entry)
        return self.snooze(entry, decision.after or self.poll)

    def _reconcile(self, entry: Entry, pull: Pull, decision: Decision) -> bool:
        self.crash("before proof")
        commit = pull.merge_commit if pull.state is PullState.MERGED else ""
        if any(c.sha == commit for c in self.forge.base) if commit else self.trailer_on(self.forge.base, entry):
            self.done(entry)
            return False
        return self.snooze(entry, 5)

    def _reverify(self, entry: Entry, pull: Pull, decision: Decision) -> bool:
        """Another base, an old answer of the forge, or a push by somebody else."""
        there = self.forge.pulls[entry.number].head
        if pull.head == entry.head:
            self.again(entry)
        elif there.sha != pull.head:
            return self.snooze(entry, self.poll)
        else:
            base = self.forge.base[there.contains - 1].sha
            entry.pursuit = entry.pursuit.pushed(there.sha, base=base)
            entry.pursuit, entry.refusals = changed(entry.pursuit, {"fixed_at": entry.said_at}), 0
            self.again(entry, there.sha)
        return False

    def _look(self, entry: Entry, pull: Pull, decision: Decision) -> bool:
        self.views.may_fail()
        runs = {r.id: r for lane in self.forge.pulls[entry.number].head.lanes for r in lane.runs}
        checks = {c.id: c for c in pull.checks}
        kinds = dict(entry.pursuit.failures)
        for number in decision.checks:
            jobs = _jobs(runs[number]) if number in runs else ()
            kinds[number] = classify(jobs, checks[number])
        entry.pursuit = changed(entry.pursuit, {"failures": kinds})
        return True

    def _rerun(self, entry: Entry, pull: Pull, decision: Decision) -> bool:
        """Counted before it is asked for."""
        checks = [c for c in pull.checks if c.id in decision.checks]
        runs = tuple(c.run for c in checks if c.run is not None)
        entry.pursuit = changed(entry.pursuit, {"reruns": (*entry.pursuit.reruns, *runs), "failures": {}})
        for check in checks:
            assert check.run is not None
            self.crash("before rerun")
            self.ci.rerun_failed(self.forge.pulls[entry.number], check.run, check.attempt)
            self.crash("after rerun")
        return self.snooze(entry, self.poll)

    def _fix(self, entry: Entry, pull: Pull, decision: Decision) -> bool:
        entry.pursuit = changed(entry.pursuit, {"fixes": entry.pursuit.fixes + 1, "mending": True})
        said = [r.at for r in pull.reviews if r.state is ReviewState.CHANGES_REQUESTED]
        said += [one.at for thread in pull.threads if thread.id in decision.threads for one in thread.comments]
        entry.said_at = max([entry.said_at, *(at + 0.5 for at in said)])
        entry.given = tuple(dict.fromkeys((*entry.given, *decision.threads)))
        self.send_back(entry)
        return False

    def _answer(self, entry: Entry, pull: Pull, decision: Decision) -> bool:
        given = [thread for thread in decision.threads if thread in entry.given]
        if not given:
            return self.blocked(entry)
        truth = self.forge.pulls[entry.number]
        for note in truth.notes:
            if note.id in given:
                self.crash("before answer")
                note.resolved, note.ours = True, True
                truth.touched = self.forge.now
                self.crash("after answer")
                closed = (*entry.pursuit.closed_threads, note.id)
                entry.pursuit = changed(entry.pursuit, {"closed_threads": closed})
        return True

    def _update(self, entry: Entry, pull: Pull, decision: Decision) -> bool:
        """A merge commit of ours, verified before it is pushed."""
        if not self.in_lane(entry, also=GATE):
            return self.snooze(entry, self.poll)
        ours = self.commit(entry)
        if ours.contains == len(self.forge.base):
            if entry.verified[1] == self.forge.tip:
                return self.snooze(entry, self.poll)
            self.again(entry)
        elif self.forge.pulls[entry.number].conflict_since:
            self.send_back(entry)
        else:
            self.again(entry, self.make(Commit(len(self.forge.base), ours.content, good=True)))
        return False

    def _ask(self, entry: Entry, pull: Pull, decision: Decision) -> bool:
        """The owner says yes to this very head, some minutes later."""
        head = entry.head
        self.leave_lane(entry)
        entry.wake = self.forge.now + self.random.uniform(30, 200)

        def yes() -> None:
            self.ledger[entry.number].approved = head
            self.oracle.said_yes.add((entry.number, head))

        self.forge.at(entry.wake - self.forge.now, yes)
        return False

    def _flag(self, entry: Entry, pull: Pull, decision: Decision) -> bool:
        return self.blocked(entry)

    _block = _flag

    def _merge(self, entry: Entry, pull: Pull, decision: Decision) -> bool:
        if not self.in_lane(entry):
            return self.snooze(entry, self.poll)
        self.crash("before intent")
        entry.pursuit = changed(entry.pursuit, {"merged_at": self.forge.now})
        entry.intent = pull.head
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
            return self.snooze(entry, 5)
        except (Moved, Refused) as no:
            return self._refused(entry, _MOST_MOVES if isinstance(no, Moved) else _MOST_REFUSALS)
        self.crash("after merge")
        return self._reconcile(entry, pull, decision)

    def _refused(self, entry: Entry, most: int) -> bool:
        entry.intent = ""
        entry.refusals += 1
        if self.defect.refused_is_done:
            self.done(entry)
            return False
        if entry.refusals >= most:
            return self.blocked(entry)
        return self.snooze(entry, min(5.0 * entry.refusals, self.poll))

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
        self.forge.asked_to_merge(number)
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


def _jobs(run: Run) -> tuple[FailedJob, ...]:
    """What the forge tells of a red run's inside; of a commit status nothing."""
    if run.run is None:
        return ()
    step = Conclusion.SUCCESS if run.infra else Conclusion.FAILURE
    return (
        FailedJob(
            id=run.id,
            run=run.run,
            attempt=run.attempt,
            name=run.lane.name,
            conclusion=run.conclusion,
            steps=(JobStep(name="run", conclusion=step),),
        ),
    )
