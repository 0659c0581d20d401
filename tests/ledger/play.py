"""A run brought to the point that a test is about. Steps go through the ledger's own calls, never around them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ops_orchestrate.core.attempt import Outcome, OutcomeKind, StageKey
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.core.task import TaskSpec
from ops_orchestrate.ledger import Ledger
from tests.builders import make_outcome, make_request, make_settlement, make_task

LEASE = 30.0
DONE = {
    Stage.IMPLEMENT: make_outcome(OutcomeKind.SUCCEEDED, head="h1", files=("src/t1/a.py",)),
    Stage.REVIEW: make_outcome(OutcomeKind.SUCCEEDED, head="h1"),
    Stage.VERIFY: make_outcome(OutcomeKind.VERIFIED, head="h1", base="b1", tree="t1"),
    Stage.LAND: make_outcome(OutcomeKind.MERGED, head="h1", merge="m1"),
}


def planned(ledger: Ledger, *specs: TaskSpec, run: str = "r1", request: RunRequest | None = None) -> None:
    """A run with this plan; one task `t1` when none is given."""
    assert ledger.runs.begin(run, request or make_request(), host="h", parts=["git"])
    assert ledger.runs.store_plan(run, specs or (make_task(),), blocked={}, skipped=(), unknown=())


def granted(ledger: Ledger, task: str = "t1", run: str = "r1", lease: float = LEASE) -> StageKey:
    """The task is offered and granted."""
    assert ledger.board.offer(run, task)
    board = ledger.board.look(5)
    (grant,) = ledger.board.grant(board, [c for c in board.candidates if (c.run, c.task) == (run, task)], lease=lease)
    return StageKey(run=run, task=task, attempt=grant.attempt, fence=grant.fence)


def claimed(ledger: Ledger, key: StageKey, stage: Stage, holder: str = "me", lease: float = LEASE) -> None:
    """The stage is claimed."""
    assert ledger.attempts.claim(key, stage, holder=holder, host="h1", lease=lease, agent="scripted").ok


def ended(ledger: Ledger, key: StageKey, stage: Stage, outcome: Outcome | None = None, *, goes_on: bool = True) -> None:
    """The stage is claimed and ended."""
    claimed(ledger, key, stage)
    assert ledger.attempts.end(key, stage, holder="me", outcome=outcome or DONE[stage], goes_on=goes_on)


def at_stage(ledger: Ledger, stage: Stage, task: str = "t1", run: str = "r1") -> StageKey:
    """The task is granted and the stages before `stage` have ended."""
    key = granted(ledger, task, run)
    chain = [Stage.IMPLEMENT, Stage.VERIFY, Stage.LAND]
    for earlier in chain[: chain.index(Stage.VERIFY if stage is Stage.REVIEW else stage)]:
        ended(ledger, key, earlier)
    return asked(ledger, key) if stage is Stage.REVIEW else key


def asked(ledger: Ledger, key: StageKey) -> StageKey:
    """Verify finds that a review is due."""
    claimed(ledger, key, Stage.VERIFY)
    newer = ledger.attempts.again(key, holder="me", frm=Stage.VERIFY, to=Stage.REVIEW)
    assert newer is not None
    return newer


def completed(ledger: Ledger, task: str = "t1", run: str = "r1") -> StageKey:
    """The task went all the way."""
    key = at_stage(ledger, Stage.LAND, task, run)
    ended(ledger, key, Stage.LAND, goes_on=False)
    assert ledger.attempts.settle(key, make_settlement()).applied
    return key


def failed(ledger: Ledger, state: TaskState, kind: OutcomeKind = OutcomeKind.FAILED, task: str = "t1") -> StageKey:
    """An attempt failed and left its task in `state`."""
    key = granted(ledger, task)
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(kind), goes_on=False)
    assert ledger.attempts.settle(key, make_settlement(state, ask="retry")).applied
    return key


def story(ledger: Ledger, run: str = "r1") -> list[Event]:
    """All events of a run."""
    return ledger.events.read(run)


def kinds(events: Sequence[Event]) -> list[EventKind]:
    """What happened, in order."""
    return [event.kind for event in events]


def data_of(ledger: Ledger, kind: EventKind, run: str = "r1") -> list[dict[str, object]]:
    """The data of every event of a kind."""
    return [event.data for event in story(ledger, run) if event.kind is kind]


def snapshot(ledger: Ledger, run: str = "r1") -> tuple[object, ...]:
    """All that a stale call must leave as it was."""
    return ledger.tasks.all(run), ledger.board.slots(), ledger.board.owners(), story(ledger, run)


def expired(ledger: Ledger, seconds: float) -> None:
    """Wait until the server's clock has gone on by `seconds`."""
    deadline = ledger.now() + seconds
    while ledger.now() <= deadline:
        time.sleep(0.005)
