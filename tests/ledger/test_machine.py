"""Any order of calls, also wrong and stale ones, over two runs: the laws of the ledger hold after each of them.

Leases, grants and snoozes end at once or not at all, so that no example waits for a clock.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import fakeredis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import IN_FLIGHT, MOVES, STARTABLE, STATE_OF_STAGE, RunState, Stage, TaskState
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.ledger import Ledger
from tests.builders import make_outcome, make_request, make_settlement, make_task
from tests.laws import examples

RUNS = ("r1", "r2")
NAMES = tuple(f"t{n}" for n in range(8))
#: Eight tasks: three whole-repository ones in one place, others side by side, two of them behind others.
SPECS = tuple(
    make_task(
        name,
        repo=("a", "a", "b", "b", "c", "d", "e", "a")[n],
        paths=() if n in (0, 4) else (f"src/{name}/**",),
        blocked_by={5: ("t4",), 6: ("t2", "t3")}.get(n, ()),
        estimate=10.0,
    )
    for n, name in enumerate(NAMES)
)
WORKING = STARTABLE | IN_FLIGHT
NOW, NEVER = 0.0, 10_000.0

runs, tasks, holders = st.sampled_from(RUNS), st.sampled_from(NAMES), st.sampled_from(("ann", "bob"))
stages, soon = st.sampled_from(list(Stage)), st.sampled_from((NEVER, NEVER, NOW))


class LedgerMachine(RuleBasedStateMachine):
    """Runs the ledger's calls and remembers only what a caller was told."""

    keys: Bundle[StageKey] = Bundle("keys")

    @initialize()
    def plan(self) -> None:
        self.ledger = Ledger(fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=True))
        self.ledger.open(quiet=0)
        for run in RUNS:
            self.ledger.runs.begin(run, make_request(), host="h", parts=[])
            self.ledger.runs.store_plan(run, SPECS, blocked={}, skipped=(), unknown=())
        self.states = {(run, name): TaskState.QUEUED for run in RUNS for name in NAMES}
        self.whole: dict[tuple[str, str], tuple[str, ...]] = {}
        self.fence = 0
        self.holding: dict[tuple[str, str], tuple[str, Stage, bool]] = {}

    # What may be called ------------------------------------------------------------------------------------------

    @rule(run=runs, task=tasks)
    def offer(self, run: str, task: str) -> None:
        self.ledger.board.offer(run, task)

    @rule(target=keys, cap=st.integers(1, 6), skip=st.integers(0, 3))
    def grant(self, cap: int, skip: int) -> Any:
        for run, task in self.states:
            self.ledger.board.offer(run, task)
        board = self.ledger.board.look(cap)
        found = []
        room = max(0, min(5, cap) - len(board.slots) - self.waiting())
        for grant in self.ledger.board.grant(board, board.candidates[skip:], lease=NEVER):
            assert grant.fence > self.fence
            self.fence = grant.fence
            found.append(StageKey(run=grant.run, task=grant.task, attempt=grant.attempt, fence=grant.fence))
        assert len(found) <= room, "a slot that a reviewer waits for was given to an agent"
        return multiple(*found)

    @rule(key=keys, stage=stages, holder=holders, lease=soon)
    def claim(self, key: StageKey, stage: Stage, holder: str, lease: float) -> None:
        claim = self.ledger.attempts.claim(key, stage, holder=holder, host="h1", lease=lease)
        if claim.ok:
            had = self.holding.get((key.run, key.task))
            assert had is None or had[0] == holder or not had[2], "two holders of one task"
            self.holding[key.run, key.task] = (holder, stage, lease > 0)

    @rule(key=keys, holder=holders)
    def carry_on(self, key: StageKey, holder: str) -> None:
        """The common path, or the machine would rarely get beyond the first stage."""
        record = self.ledger.tasks.get(key.run, key.task)
        for stage, state in STATE_OF_STAGE.items():
            if record.state is state:
                self.claim(key, stage, holder, NEVER)
                self.end(key, stage, holder, OutcomeKind.SUCCEEDED, True)

    @rule(key=keys, stage=stages, holder=holders)
    def renew(self, key: StageKey, stage: Stage, holder: str) -> None:
        renewed = self.ledger.attempts.renew(key, stage, holder=holder, lease=NEVER)
        assert not renewed.ok or self.holding.get((key.run, key.task), ())[:2] == (holder, stage)
        if renewed.ok:  # also where its lease had ended and nobody had acted on that
            self.holding[key.run, key.task] = (holder, stage, True)

    @rule(
        key=keys,
        stage=stages,
        holder=holders,
        kind=st.sampled_from((OutcomeKind.SUCCEEDED, OutcomeKind.INTERRUPTED, OutcomeKind.QUOTA, OutcomeKind.REJECTED)),
        goes_on=st.booleans(),
    )
    def end(self, key: StageKey, stage: Stage, holder: str, kind: OutcomeKind, goes_on: bool) -> None:
        had = self.holding.get((key.run, key.task))
        before = self.states[key.run, key.task]
        outcome = make_outcome(kind, head="h1")
        if self.ledger.attempts.end(key, stage, holder=holder, outcome=outcome, goes_on=goes_on):
            said_again = had is None and before in IN_FLIGHT
            assert said_again or (had is not None and had[:2] == (holder, stage))
            self.holding.pop((key.run, key.task), None)

    @rule(key=keys, state=st.sampled_from((*WORKING, *TaskState)))
    def settle(self, key: StageKey, state: TaskState) -> None:
        before = self.states[key.run, key.task]
        try:
            settled = self.ledger.attempts.settle(key, make_settlement(state))
        except ValueError:
            assert state not in MOVES[before] - IN_FLIGHT
            return
        if settled.applied:
            assert before in IN_FLIGHT
            assert (key.run, key.task) not in self.holding

    @rule(key=keys, holder=holders, count=st.integers(2, 3))
    def split(self, key: StageKey, holder: str, count: int) -> None:
        """Its attempt is over, and it becomes a composite; a second split, or one of a stale key, is none."""
        self.claim(key, Stage.IMPLEMENT, holder, NEVER)
        self.end(key, Stage.IMPLEMENT, holder, OutcomeKind.REJECTED, False)
        before, spec = self.states[key.run, key.task], self.ledger.tasks.get(key.run, key.task).spec
        parts = tuple(
            spec.model_copy(update={"id": f"{key.task}-{n}", "part_of": key.task, "estimate": 1.0})
            for n in range(count)
        )
        ids = tuple(part.id for part in parts)
        whole = spec.model_copy(update={"parts": ids, "blocked_by": (*spec.blocked_by, *ids), "estimate": 0.0})
        if self.ledger.tasks.split(key, whole, parts, why="too big", by="rule"):
            assert before is TaskState.RUNNING
            assert not spec.parts and (key.run, key.task) not in self.holding
            self.whole[key.run, key.task] = ids
            self.states |= {(key.run, name): TaskState.QUEUED for name in ids}

    @rule(target=keys, timeout=soon, redeliveries=st.integers(0, 2))
    def reap(self, timeout: float, redeliveries: int) -> Any:
        found = self.ledger.board.reap(grant_timeout=timeout, max_redeliveries=redeliveries)
        for one in found:
            had = self.holding.pop((one.key.run, one.key.task), None)
            assert had is None or not had[2], "a living lease was reaped"
        return multiple(*(one.key for one in found if one.what == "republish"))

    @rule(key=keys, stage=st.sampled_from((Stage.REVIEW, Stage.VERIFY, Stage.LAND)), holder=holders, pause=soon)
    def snooze(self, key: StageKey, stage: Stage, holder: str, pause: float) -> None:
        if self.ledger.attempts.snooze(key, stage, holder=holder, seconds=pause, note=""):
            self.holding.pop((key.run, key.task), None)

    @rule(target=keys)
    def wake(self) -> Any:
        return multiple(*(key for key, _ in self.ledger.board.wake()))

    @rule(target=keys, key=consumes(keys), holder=holders)
    def again(self, key: StageKey, holder: str) -> Any:
        """The base moved, or a review is due."""
        newer = self.ledger.attempts.again(key, holder=holder, frm=Stage.LAND, to=Stage.VERIFY)
        newer = newer or self.ledger.attempts.again(key, holder=holder, frm=Stage.VERIFY, to=Stage.REVIEW)
        if newer is None:
            return key
        self.holding.pop((key.run, key.task), None)
        return newer

    @rule(key=keys, holder=holders, cap=st.integers(1, 6), pause=soon)
    def seat(self, key: StageKey, holder: str, cap: int, pause: float) -> None:
        """A reviewer takes a slot, or gives its claim back until there is one."""
        self.claim(key, Stage.REVIEW, holder, NEVER)
        taken = len(self.ledger.board.slots())
        slot = self.ledger.attempts.seat(key, holder=holder, cap=cap, pause=pause, note="")
        if slot > 0:
            assert self.holding[key.run, key.task] == (holder, Stage.REVIEW, True)
            assert self.ledger.attempts.seat(key, holder=holder, cap=cap, pause=pause, note="") == slot
        elif slot == 0 and self.holding.pop((key.run, key.task), None):
            assert taken >= min(5, cap)

    @rule(run=runs, task=tasks)
    def cancel(self, run: str, task: str) -> None:
        self.ledger.tasks.cancel(run, task, by="ann", reason="no")

    @rule(
        target=keys, run=runs, task=tasks, to=st.sampled_from(list(TaskState)), answer=st.sampled_from(("retry", "x"))
    )
    def reopen(self, run: str, task: str, to: TaskState, answer: str) -> Any:
        record = self.ledger.tasks.reopen(run, task, to=to, expect=set(TaskState), by="ann", answer=answer)
        if record is None or record.state not in IN_FLIGHT:
            return multiple()
        return StageKey(run=run, task=task, attempt=record.attempt, fence=record.fence, seq=record.seq)

    @rule(run=runs, how=st.sampled_from(("salvage", "now")))
    def stop(self, run: str, how: str) -> None:
        self.ledger.runs.request_stop(run, how)

    @rule(run=runs)
    def resume(self, run: str) -> None:
        self.ledger.runs.resume(run)

    @rule(run=runs, state=st.sampled_from((RunState.STOPPED, RunState.HALTED, RunState.DONE)))
    def finish(self, run: str, state: RunState) -> None:
        if self.ledger.runs.finish(run, state, ""):
            assert not any(self.states[run, name] in IN_FLIGHT for name in NAMES)
            self.ledger.runs.resume(run)

    @rule(run=runs, name=tasks)
    def take_over(self, run: str, name: str) -> None:
        other = RUNS[1 - RUNS.index(run)]
        item = ("app", f"fp-{name}", name, "")
        self.ledger.claims.take(other, [item])
        self.ledger.claims.take(run, [item], over=[(other, name)])

    # What always holds -------------------------------------------------------------------------------------------

    @invariant()
    def laws(self) -> None:
        records = {(run, t.spec.id): t for run in RUNS for t in self.ledger.tasks.all(run)}
        self.every_task_is_in_one_state_and_moves_as_the_table_says(records)
        self.slots_and_owners_are_those_of_agents_at_work(records)
        self.nothing_in_flight_is_forgotten(records)
        self.candidates_may_start(records)
        self.composites_are_never_worked_on(records)
        self.work_left_is_the_work_of_running_runs(records)

    def every_task_is_in_one_state_and_moves_as_the_table_says(self, records: Records) -> None:
        assert set(records) == set(self.states)
        for at, record in records.items():
            before = self.states[at]
            assert record.state is before or record.state in MOVES[before], (before, record.state)
            assert 0 <= record.spent <= record.attempt
            self.states[at] = record.state
        for run in RUNS:
            assert self.ledger.runs.counts(run) == Counter(r.state for at, r in records.items() if at[0] == run)

    def slots_and_owners_are_those_of_agents_at_work(self, records: Records) -> None:
        slots, owners = self.ledger.board.slots(), self.ledger.board.owners()
        assert len(slots) <= 5
        assert len({slot.index for slot in slots}) == len(slots)
        working = {
            at for at in records if self.phase(at) in ("granted", "claimed") and self.is_implementing(records[at])
        }
        assert {(owner.run, owner.task) for owner in owners} == working
        reading = {(slot.run, slot.task) for slot in slots} - working
        assert all(self.phase(at) == "claimed" and records[at].stage == Stage.REVIEW for at in reading)
        assert len(slots) == len(working) + len(reading)
        for owner in owners:
            assert records[owner.run, owner.task].fence == owner.fence
            if not owner.paths:
                assert [other.fence for other in owners if other.repo == owner.repo] == [owner.fence]

    def nothing_in_flight_is_forgotten(self, records: Records) -> None:
        client = self.ledger._server.client
        watched, snoozed = set(client.zrange("{ops}:watch", 0, -1)), set(client.zrange("{ops}:snoozes", 0, -1))
        assert not watched & snoozed
        assert watched | snoozed == {f"{run}/{task}" for (run, task), r in records.items() if r.state in IN_FLIGHT}

    def candidates_may_start(self, records: Records) -> None:
        for one in self.ledger.board.look(5).candidates:
            assert records[one.run, one.task].state in STARTABLE
            blockers = records[one.run, one.task].spec.blocked_by
            assert all(records[one.run, blocker].state is TaskState.COMPLETED for blocker in blockers)
            run = self.ledger.runs.get(one.run)
            assert (run.state, run.stop) == (RunState.RUNNING, "")

    def composites_are_never_worked_on(self, records: Records) -> None:
        for at, parts in self.whole.items():
            assert records[at].state not in IN_FLIGHT or records[at].stage != Stage.IMPLEMENT
            assert records[at].spec.parts == parts

    def work_left_is_the_work_of_running_runs(self, records: Records) -> None:
        left: Counter[str] = Counter()
        for (run, _), record in records.items():
            if record.state in WORKING and self.ledger.runs.get(run).state is RunState.RUNNING:
                left[record.spec.repo] += int(record.spec.estimate)
        assert self.ledger.board.work_left() == {repo: work for repo, work in left.items() if work}

    def phase(self, at: tuple[str, str]) -> str:
        return self.ledger._server.client.hget(f"{{ops}}:task:{at[0]}:{at[1]}", "phase") or ""

    def waiting(self) -> int:
        """Reviewers that have asked for a slot and have none."""
        asked = [name.split("/") for name in self.ledger._server.client.zrange("{ops}:seats", 0, -1)]
        records = [self.ledger.tasks.get(run, task) for run, task in asked]
        return sum(1 for one in records if one.state is TaskState.VERIFYING and one.stage == Stage.REVIEW)

    def is_implementing(self, record: TaskRecord) -> bool:
        return record.state is TaskState.RUNNING and record.stage == Stage.IMPLEMENT

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            for run in RUNS:
                check_story(self.ledger.events.read(run, count=10_000))


Records = dict[tuple[str, str], TaskRecord]


def check_story(events: list[Event]) -> None:
    """The story is whole, and tells of slots and attempts as they were: taken, then released; started, then ended."""
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    taken: set[int | None] = set()
    started: set[int | None] = set()
    for event in events:
        if event.kind is EventKind.SLOT_TAKEN:
            assert event.fence not in taken
            taken.add(event.fence)
        elif event.kind is EventKind.SLOT_RELEASED:
            taken.remove(event.fence)
        elif event.kind is EventKind.ATTEMPT_STARTED:
            assert event.fence in taken
            started.add(event.fence)
        elif event.kind is EventKind.ATTEMPT_ENDED:
            started.remove(event.fence)


LedgerMachine.TestCase.settings = settings(
    max_examples=examples(8),
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestLedger = LedgerMachine.TestCase
