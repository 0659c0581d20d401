"""The CI of the world: what starts for a head, late, twice, skipped, broken, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ops_orchestrate.core.merge.pull import Conclusion
from tests.simulate.forge import Forge, Head, Lane, PullRequest, Run

C = Conclusion
RED = (C.FAILURE, C.TIMED_OUT, C.CANCELLED, C.STARTUP_FAILURE)


@dataclass(slots=True)
class Plan:
    """What CI is like in one world."""

    p_code: float
    """How often a head has a genuine failure."""
    infra: bool
    late: bool
    doubled: bool
    twins: bool
    shards: int
    extra: bool
    status: bool
    odd: bool
    sluggish: bool
    """Nothing at all is listed for a while after a push."""
    misfires: bool
    """A required job is skipped for no good reason, until somebody runs it again."""


class Ci:
    """Starts the jobs of a head and ends them."""

    def __init__(self, forge: Forge, plan: Plan) -> None:
        self.forge, self.plan, self.random = forge, plan, forge.random
        names = ["build", "tests", "lint", "e2e", *(f"shard {n}" for n in range(plan.shards))]
        forge.required = {(name, 15368) for name in names}
        if plan.status:
            forge.required.add(("ext/coverage", None))
        self.attempts: dict[int, int] = {}
        """The newest attempt of each run that was run again."""
        self.names = tuple(names) + (("ext/coverage",) if plan.status else ())

    def start(self, pull: PullRequest, head: Head, *, good: bool = False) -> None:
        """What a push sets off."""
        broken = "" if good or self.random.random() > self.plan.p_code else self.random.choice(self.names)
        slow = self.random.uniform(20, 100) if self.plan.sluggish else 0.0
        main = [self._lane(head, n, 1) for n in self.names if n not in ("e2e", "ext/coverage")]
        e2e = self._lane(head, "e2e", 2)
        self.forge.at(slow, lambda: self._listed(pull, head, main, e2e, broken, good=good))

    def _listed(self, pull: PullRequest, head: Head, main: list[Lane], e2e: Lane, broken: str, *, good: bool) -> None:
        if self.plan.doubled and self.random.random() < 0.5:
            self._broken_off(pull, main)
        run = self.forge.number()
        self._workflow(pull, main, run, 1, broken)
        if self.plan.twins and self.random.random() < 0.5:
            lane = self._lane(head, "tests", 1)
            bad = not good and self.random.random() < 0.4
            self._try(pull, lane, self.forge.number(), 1, 0, C.FAILURE if bad else C.SUCCESS, 90)
        delay = self.random.uniform(10, 900) if self.plan.late else 3.0
        self._e2e(pull, e2e, delay, broken)
        if self.plan.status:
            lane = self._lane(head, "ext/coverage", None, kind="status")
            self._try(pull, lane, None, 1, 5, C.FAILURE if broken == "ext/coverage" else C.SUCCESS)
        if self.plan.extra:
            lane = self._lane(head, "docs", 3, required=False)
            bad = not good and self.random.random() < 0.3
            self._try(pull, lane, self.forge.number(), 1, 8, C.FAILURE if bad else C.SUCCESS)
        if self.random.random() < 0.3:
            lane = self._lane(head, "deploy", 4, required=False)
            lane.may_skip = True
            self._try(pull, lane, self.forge.number(), 1, 2, C.SKIPPED, 0.1)

    def _e2e(self, pull: PullRequest, lane: Lane, delay: float, broken: str) -> None:
        run = self.forge.number()
        if not self.plan.misfires or self.random.random() < 0.5:
            self._try(pull, lane, run, 1, delay, C.FAILURE if broken == "e2e" else C.SUCCESS)
            return
        self._try(pull, lane, run, 1, delay, C.SKIPPED, 0.1)
        later = delay + self.random.uniform(200, 900)
        self.forge.at(later, lambda: self._misfired(pull, run, lane))

    def _misfired(self, pull: PullRequest, run: int, lane: Lane) -> None:
        self._again(pull, run, [lane], {})

    def rerun_failed(self, pull: PullRequest, run: int, attempt: int) -> bool:
        """Run the red and skipped jobs of a workflow run once more; False if it is on another attempt by now."""
        tries = [[r for r in lane.runs if r.run == run] for lane in pull.head.lanes]
        last = [of_lane[-1] for of_lane in tries if of_lane]
        if not last or self.attempts.get(run, 1) != attempt:
            return False
        again = [r.lane for r in last if r.conclusion in RED or (r.conclusion is C.SKIPPED and not r.lane.may_skip)]
        genuine = {id(r.lane): C.FAILURE for r in last if r.conclusion in RED and not r.infra}
        return self._again(pull, run, again, genuine, late=20)

    def rerun_all(self, pull: PullRequest) -> None:
        """Somebody presses the button on a finished run: the same commit is tried again."""
        done = [
            lane.runs[-1]
            for lane in pull.head.lanes
            if lane.runs and lane.runs[-1].conclusion is not C.PENDING and (lane.name, lane.app) in self.forge.required
        ]
        if not done:
            return
        run = self.random.choice(done)
        ends = C.FAILURE if self.random.random() < 0.4 else C.SUCCESS
        if run.run is None:
            self._try(pull, run.lane, None, 1, 0, ends)
        else:
            self._again(pull, run.run, [r.lane for r in done if r.run == run.run], {id(run.lane): ends})

    def _again(
        self, pull: PullRequest, run: int, lanes: list[Lane], ends: dict[int, Conclusion], *, late: float = 0.0
    ) -> bool:
        """One more attempt at a run, which the forge allows only of one that has finished."""
        tries = [r for lane in pull.head.lanes for r in lane.runs if r.run == run]
        newest = self.attempts.get(run, 1)
        if not tries or max(r.attempt for r in tries) != newest or any(r.conclusion is C.PENDING for r in tries):
            return False
        self.attempts[run] = newest + 1
        for lane in lanes:
            delay = self.random.uniform(1, late) if late else 0.0
            self._try(pull, lane, run, newest + 1, delay, ends.get(id(lane), C.SUCCESS))
        return bool(lanes)

    def posed(self, pull: PullRequest) -> None:
        """A third party sets a status under the name of a required check."""
        lane = self._lane(pull.head, "e2e", None, kind="status")
        lane.app, lane.foreign = None, True
        run = Run(self.forge.number(), lane, None, 1, self.forge.now, conclusion=C.SUCCESS)
        lane.runs.append(run)
        pull.head.shown = None

    def _changed(self, pull: PullRequest) -> None:
        pull.touched = self.forge.now
        for head in pull.heads:
            head.shown = None

    def _lane(self, head: Head, name: str, workflow: int | None, *, kind: str = "run", required: bool = True) -> Lane:
        app = None if kind == "status" else 15368
        lane = Lane(name, workflow, required, kind, app)
        head.lanes.append(lane)
        return lane

    def _broken_off(self, pull: PullRequest, lanes: list[Lane]) -> None:
        """A run that the next one, which is about to be listed, breaks off."""
        run = self.forge.number()
        for lane in lanes[: self.random.randint(1, len(lanes))]:
            self._try(pull, lane, run, 1, 0, C.CANCELLED, 4, infra=True)

    def _workflow(self, pull: PullRequest, lanes: list[Lane], run: int, attempt: int, broken: str) -> None:
        """`tests` needs `build`: it is listed when that has ended, and skipped if that was red."""
        build, tests = lanes[0], lanes[1]
        infra = self.plan.infra and self.random.random() < 0.5
        victim = self.random.choice(["build", "lint"]) if infra else ""

        def then() -> None:
            last = build.runs[-1]
            if last.conclusion in RED:
                self._try(pull, tests, run, attempt, 0, C.SKIPPED, 0.1)
            else:
                self._try(pull, tests, run, attempt, 0, C.FAILURE if broken == "tests" else C.SUCCESS)

        for lane in lanes:
            if lane is tests:
                continue
            bad = C.FAILURE if lane.name == broken else (C.CANCELLED if lane.name == victim else C.SUCCESS)
            delay = self.random.uniform(1, 15) if self.plan.late else 1.0
            infra = lane.name == victim and lane.name != broken
            self._try(pull, lane, run, attempt, delay, bad, infra=infra, then=then if lane is build else None)

    def _try(
        self,
        pull: PullRequest,
        lane: Lane,
        run: int | None,
        attempt: int,
        delay: float,
        ends: Conclusion,
        seconds: float = 0.0,
        *,
        infra: bool = False,
        then: Callable[[], None] | None = None,
    ) -> None:
        took = seconds or self.random.uniform(30, 240)

        def listed() -> None:
            tried = Run(self.forge.number(), lane, run, attempt, self.forge.now, self.forge.now)
            tried.infra = infra
            lane.runs.append(tried)
            self._changed(pull)
            self.forge.at(took, lambda: ended(tried))

        def ended(tried: Run) -> None:
            tried.conclusion, tried.completed = ends, self.forge.now
            self._changed(pull)
            if then is not None:
                then()
            if self.plan.odd and ends in (C.FAILURE, C.CANCELLED) and self.random.random() < 0.5:
                tried.odd_until = self.forge.now + 400

        if delay <= 0:
            listed()
        else:
            self.forge.at(delay, listed)
