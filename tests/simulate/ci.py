"""The CI of the world: what starts for a head, late, twice, skipped, broken, and how it ends."""

from __future__ import annotations

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
            self._cancelled_first(pull, main)
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
        self.forge.at(later, lambda: self._try(pull, lane, run, 2, 0, C.SUCCESS))

    def rerun_failed(self, pull: PullRequest, run: int, attempt: int, *, asked_by_us: bool = True) -> bool:
        """Run the red and skipped jobs of a workflow run once more; False if it is on another attempt by now."""
        lanes = [lane for lane in pull.head.lanes if any(r.run == run for r in lane.runs)]
        last = [lane.runs[-1] for lane in lanes if lane.runs[-1].run == run]
        if not last or max(r.attempt for r in last) != attempt or any(r.conclusion is C.PENDING for r in last):
            return False
        again = [r.lane for r in last if r.conclusion in RED or (r.conclusion is C.SKIPPED and not r.lane.may_skip)]
        genuine = {r.lane.name for r in last if r.conclusion in RED and not r.infra}
        for lane in again:
            bad = lane.name in genuine or (not asked_by_us and self.random.random() < 0.3)
            self._try(pull, lane, run, attempt + 1, self.random.uniform(1, 20), C.FAILURE if bad else C.SUCCESS)
        return True

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
        bad = self.random.random() < 0.4
        if run.run is None:
            self._try(pull, run.lane, None, 1, 0, C.FAILURE if bad else C.SUCCESS)
            return
        for other in [r for r in done if r.run == run.run]:
            ends = C.FAILURE if bad and other is run else C.SUCCESS
            self._try(pull, other.lane, run.run, other.attempt + 1, 0, ends)

    def posed(self, pull: PullRequest) -> None:
        """A third party sets a status under the name of a required check."""
        lane = self._lane(pull.head, "e2e", None, kind="status")
        lane.app, lane.foreign = None, True
        run = Run(self.forge.number(), lane, None, 1, self.forge.now, conclusion=C.SUCCESS)
        lane.runs.append(run)

    def _lane(self, head: Head, name: str, workflow: int | None, *, kind: str = "run", required: bool = True) -> Lane:
        app = None if kind == "status" else 15368
        lane = Lane(name, workflow, required, kind, app)
        head.lanes.append(lane)
        return lane

    def _cancelled_first(self, pull: PullRequest, lanes: list[Lane]) -> None:
        run = self.forge.number()
        for lane in lanes[: self.random.randint(1, len(lanes))]:
            first = Run(self.forge.number(), lane, run, 1, self.forge.now, self.forge.now, self.forge.now + 4)
            first.conclusion, first.infra = C.CANCELLED, True
            lane.runs.append(first)

    def _workflow(self, pull: PullRequest, lanes: list[Lane], run: int, attempt: int, broken: str) -> None:
        """`tests` needs `build`: it is listed when that has ended, and skipped if that was red."""
        build, tests = lanes[0], lanes[1]
        infra = self.plan.infra and self.random.random() < 0.5
        victim = self.random.choice(["build", "lint"]) if infra else ""
        for lane in lanes:
            if lane is tests:
                continue
            bad = C.FAILURE if lane.name == broken else (C.CANCELLED if lane.name == victim else C.SUCCESS)
            delay = self.random.uniform(1, 15) if self.plan.late else 1.0
            self._try(pull, lane, run, attempt, delay, bad, infra=lane.name == victim and lane.name != broken)

        def then() -> None:
            last = build.runs[-1]
            if last.conclusion is C.PENDING:
                self.forge.at(5, then)
            elif last.conclusion in RED:
                if last.attempt == 1:
                    self._try(pull, tests, run, attempt, 0, C.SKIPPED, 0.1)
            else:
                self._try(pull, tests, run, attempt, 2, C.FAILURE if broken == "tests" else C.SUCCESS)

        self.forge.at(20, then)

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
    ) -> None:
        took = seconds or self.random.uniform(30, 240)

        def listed() -> None:
            tried = Run(self.forge.number(), lane, run, attempt, self.forge.now, self.forge.now)
            tried.infra = infra
            lane.runs.append(tried)
            pull.touched = self.forge.now
            self.forge.at(took, lambda: ended(tried))

        def ended(tried: Run) -> None:
            tried.conclusion, tried.completed = ends, self.forge.now
            pull.touched = self.forge.now
            if self.plan.odd and ends in (C.FAILURE, C.CANCELLED) and self.random.random() < 0.5:
                tried.odd_until = self.forge.now + 400

        if delay <= 0:
            listed()
        else:
            self.forge.at(delay, listed)
