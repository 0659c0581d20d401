"""Leases, grants and snoozes that end: what the reaper and the wake-up do, and what they leave alone."""

from __future__ import annotations

from functools import partial

import pytest

from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.board import Host
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.core.task import TaskSpec
from ops_orchestrate.ledger import Ledger, Reaped, board
from tests.builders import make_outcome, make_settlement, make_task
from tests.ledger.play import (
    LEASE,
    at_stage,
    claimed,
    data_of,
    ended,
    expired,
    failed,
    granted,
    planned,
)

# Reaping ------------------------------------------------------------------------------------------------------------


def reap(ledger: Ledger, grant_timeout: float = 1000.0, max_redeliveries: int = 5) -> list[tuple[str, str, str]]:
    found = ledger.board.reap(grant_timeout=grant_timeout, max_redeliveries=max_redeliveries)
    return [(one.key.task, one.stage.value, one.what) for one in found]


def test_what_has_a_living_lease_is_left_alone(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2"), make_task("t3"))
    claimed(ledger, granted(ledger, "t1"), Stage.IMPLEMENT)
    claimed(ledger, at_stage(ledger, Stage.VERIFY, "t2"), Stage.VERIFY)
    granted(ledger, "t3")
    assert reap(ledger) == []


def test_a_grant_nobody_claims_counts_as_no_attempt(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    expired(ledger, 0.01)
    assert reap(ledger, grant_timeout=0.01) == [("t1", "implement", "ungranted")]
    assert (ledger.board.slots(), ledger.board.owners()) == ([], [])
    task = ledger.tasks.get("r1", "t1")
    assert (task.state, task.attempt, task.spent) == (TaskState.QUEUED, 0, 0)
    assert ledger.runs.candidates("r1") == 1
    assert ledger.attempts.claim(key, Stage.IMPLEMENT, holder="late", host="h", lease=1).kind == "stale"
    again = granted(ledger)
    assert again.fence > key.fence
    assert again.attempt == 1


def test_an_unclaimed_second_attempt_goes_back_to_retryable(ledger: Ledger) -> None:
    planned(ledger)
    failed(ledger, TaskState.RETRYABLE)
    granted(ledger)
    expired(ledger, 0.01)
    reap(ledger, grant_timeout=0.01)
    task = ledger.tasks.get("r1", "t1")
    assert (task.state, task.attempt, task.spent) == (TaskState.RETRYABLE, 1, 1)


def test_an_agent_whose_lease_ended_is_lost(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    claimed(ledger, key, Stage.IMPLEMENT, lease=0.02)
    expired(ledger, 0.02)
    assert reap(ledger) == [("t1", "implement", "lost")]
    assert (ledger.board.slots(), ledger.board.owners()) == ([], [])
    outcome = ledger.attempts.outcome(key)
    assert outcome is not None
    assert outcome.kind is OutcomeKind.LOST
    assert ledger.attempts.spent("r1", "t1") == 1
    assert not ledger.attempts.renew(key, Stage.IMPLEMENT, holder="me", lease=1).ok
    assert reap(ledger) == []  # settling it is the caller's turn
    assert ledger.attempts.settle(key, make_settlement(TaskState.RETRYABLE)).applied
    assert data_of(ledger, EventKind.ATTEMPT_ENDED)[0]["outcome"] == "lost"


def test_an_agent_that_died_is_found_behind_however_long_a_queue(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits to be verified may wait for an hour, and is watched since before the agent's lease ended."""
    monkeypatch.setattr(board, "BATCH", 2)
    planned(ledger, *(make_task(f"t{at}") for at in range(1, 4)))
    for task in ("t2", "t3"):
        at_stage(ledger, Stage.VERIFY, task)
    claimed(ledger, granted(ledger), Stage.IMPLEMENT, lease=0.02)
    expired(ledger, 0.02)
    assert reap(ledger) == [("t1", "implement", "lost")]


def test_who_is_found_by_its_slot_is_reported_once(ledger: Ledger) -> None:
    planned(ledger)
    claimed(ledger, granted(ledger), Stage.IMPLEMENT, lease=0.02)
    expired(ledger, 0.02)
    assert reap(ledger, grant_timeout=0) == [("t1", "implement", "lost")]


def test_after_a_late_look_a_lease_is_spared_once_and_its_holder_goes_on(ledger: Ledger) -> None:
    """As after the server's clock has jumped: by it all leases have ended, and all agents are at work."""
    planned(ledger)
    key = granted(ledger)
    look = partial(ledger.board.reap, grant_timeout=1000, lease=LEASE, late=0.05)
    assert look() == []
    claimed(ledger, key, Stage.IMPLEMENT, lease=0.01)
    expired(ledger, 0.1)
    assert look() == [], "nobody has looked for long, so perhaps nobody could renew"
    assert ledger.board.slots()[0].lease_until > ledger.now() + LEASE / 2
    assert ledger.attempts.renew(key, Stage.IMPLEMENT, holder="me", lease=0.01).ok
    expired(ledger, 0.1)
    assert look() == [], "it was renewed since it was spared"


def test_who_does_not_renew_a_spared_lease_is_lost_though_every_look_is_late(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    look = partial(ledger.board.reap, grant_timeout=1000, lease=0.05, late=0.01)
    look()
    claimed(ledger, key, Stage.IMPLEMENT, lease=0.01)
    expired(ledger, 0.1)
    assert look() == []
    expired(ledger, 0.1)
    assert [one.what for one in look()] == ["lost"]


def test_a_clock_that_goes_back_makes_no_lease_longer(ledger: Ledger, request: pytest.FixtureRequest) -> None:
    planned(ledger, make_task("t1"), make_task("t2"))
    claimed(ledger, granted(ledger, "t1"), Stage.IMPLEMENT, lease=5000)
    later = at_stage(ledger, Stage.VERIFY, "t2")
    server = ledger.board._server.client
    server.zadd("{ops}:watch", {"r1/t2": ledger.now() + 5000})
    server.hset("{ops}:board", "reaped_at", ledger.now() + 4000)
    ledger.board.reap(grant_timeout=1000, lease=LEASE, late=50)
    assert ledger.board.slots()[0].lease_until <= ledger.now() + LEASE
    assert server.zscore("{ops}:watch", "r1/t2") <= ledger.now()
    claimed(ledger, later, Stage.VERIFY)


def test_a_clock_that_goes_back_leaves_no_machine_alive_and_nothing_quiet_for_long(ledger: Ledger) -> None:
    """A machine that ended just before would be given tasks for as long as the clock went back."""
    server = ledger.board._server.client
    ledger.open(quiet=4000)
    ledger.hosts.announce(Host(name="ended", pools={"agent": 5}, seen_at=0), process="1", ttl=4000)
    ledger.hosts.announce(Host(name="lives", pools={"agent": 5}, seen_at=0), process="1", ttl=20)
    server.hset("{ops}:board", "reaped_at", ledger.now() + 4000)
    ledger.board.reap(grant_timeout=1000, lease=30)
    until = {name: score - ledger.now() for name, score in server.zrange("{ops}:hosts_until", 0, -1, withscores=True)}
    assert (until["ended/1"], until["lives/1"]) == (pytest.approx(30, abs=5), pytest.approx(20, abs=5))
    board = ledger.board.look(5)
    assert board.quiet_until - board.now == pytest.approx(30, abs=5)


def test_a_clock_that_goes_back_lets_nobody_sleep_for_longer(ledger: Ledger) -> None:
    """A change that waits for CI would stand for as long as the clock went back. A quota comes back by the world's."""
    planned(ledger, make_task("ci"), make_task("quota"))
    key = granted(ledger, "quota")
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(OutcomeKind.QUOTA), goes_on=False)
    resets = ledger.now() + 9000
    assert ledger.attempts.settle(key, make_settlement(TaskState.RETRYABLE, not_before=resets)).applied
    key = at_stage(ledger, Stage.LAND, "ci")
    claimed(ledger, key, Stage.LAND)
    assert ledger.attempts.snooze(key, Stage.LAND, holder="me", seconds=4050, note="CI is running")
    ledger.board._server.client.hset("{ops}:board", "reaped_at", ledger.now() + 4000)
    for _ in range(2):
        ledger.board.reap(grant_timeout=1000, lease=LEASE)
        due = ledger.board.next_wake()
        assert due == pytest.approx(ledger.now() + 50, abs=10)
        wakes = {name: ledger.tasks.get("r1", name).wake_at for name in ("ci", "quota")}
        assert wakes == {"ci": due, "quota": pytest.approx(resets, abs=0.01)}


def test_an_agent_lost_while_its_run_stops_does_not_count(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    claimed(ledger, key, Stage.IMPLEMENT, lease=0.02)
    ledger.attempts.describe(key, branch="b", brief_digest="d")
    ledger.runs.request_stop("r1", "salvage")
    expired(ledger, 0.02)
    assert reap(ledger) == [("t1", "implement", "lost")]
    assert ledger.attempts.spent("r1", "t1") == 0
    assert ledger.attempts.brief_digests("r1", "t1") == set()


@pytest.mark.parametrize("stage", [Stage.VERIFY, Stage.LAND])
def test_a_later_stage_whose_lease_ended_is_published_again(ledger: Ledger, stage: Stage) -> None:
    planned(ledger)
    key = at_stage(ledger, stage)
    claimed(ledger, key, stage, lease=0.02)
    expired(ledger, 0.02)
    (found,) = ledger.board.reap(grant_timeout=1000)
    newer = key.model_copy(update={"seq": 1})
    assert found == Reaped(key=newer, stage=stage, what="republish")
    assert ledger.attempts.claim(key, stage, holder="late", host="h", lease=1).kind == "stale"
    assert not ledger.attempts.renew(key, stage, holder="me", lease=1).ok
    claimed(ledger, newer, stage, holder="next")


def test_a_stage_that_keeps_losing_its_worker_is_given_up(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.VERIFY)
    for seq in range(3):
        claimed(ledger, key.model_copy(update={"seq": seq}), Stage.VERIFY, lease=0.01)
        expired(ledger, 0.01)
        what = reap(ledger, max_redeliveries=2)[0][2]
        assert what == ("republish" if seq < 2 else "settle")
    outcome = ledger.attempts.outcome(key)
    assert outcome is not None
    assert outcome.kind is OutcomeKind.LOST
    assert ledger.attempts.settle(key, make_settlement(TaskState.RETRYABLE)).applied


def test_a_stage_in_a_long_queue_stays_valid_and_the_wait_doubles(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.VERIFY)
    expired(ledger, 0.65)
    assert reap(ledger, grant_timeout=0.3) == [("t1", "verify", "republish")]
    expired(ledger, 0.65)
    assert reap(ledger, grant_timeout=0.3) == []  # twice the time for the second wait
    claimed(ledger, key, Stage.VERIFY, holder="first in the queue")
    newer = key.model_copy(update={"seq": 1})
    assert ledger.attempts.claim(newer, Stage.VERIFY, holder="second", host="h", lease=1).kind == "taken"


def test_an_attempt_that_nobody_settles_is_reported_again_and_again(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    ended(ledger, key, Stage.IMPLEMENT, goes_on=False)
    for _ in range(2):
        expired(ledger, 0.02)
        assert reap(ledger, grant_timeout=0.02) == [("t1", "implement", "settle")]
    ledger.attempts.settle(key, make_settlement(TaskState.BLOCKED))
    expired(ledger, 0.02)
    assert reap(ledger, grant_timeout=0.02) == []


# Snoozes ------------------------------------------------------------------------------------------------------------


def test_a_snooze_wakes_with_a_new_sequence_number(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    claimed(ledger, key, Stage.LAND)
    assert ledger.attempts.snooze(key, Stage.LAND, holder="me", seconds=0.4, note="CI is running")
    due = ledger.board.next_wake()
    assert due == pytest.approx(ledger.now() + 0.4, abs=1)
    assert ledger.tasks.get("r1", "t1").wake_at == pytest.approx(due, abs=0.001)
    assert (ledger.looks.due(), ledger.board.wake()) == (False, [])
    assert reap(ledger, grant_timeout=0) == []
    assert ledger.attempts.claim(key, Stage.LAND, holder="early", host="h", lease=1).kind == "stale"
    expired(ledger, 0.4)
    newer = key.model_copy(update={"seq": 1})
    assert ledger.looks.due()
    assert ledger.board.wake() == [(newer, Stage.LAND)]
    assert (ledger.board.wake(), ledger.board.next_wake()) == ([], None)
    assert not ledger.looks.due()
    assert ledger.attempts.claim(key, Stage.LAND, holder="old", host="h", lease=1).kind == "stale"
    claimed(ledger, newer, Stage.LAND, holder="next")
    assert data_of(ledger, EventKind.TASK_SNOOZED)[0]["note"] == "CI is running"


def test_cancelling_a_snoozed_task_wakes_it(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.VERIFY)
    claimed(ledger, key, Stage.VERIFY)
    ledger.attempts.snooze(key, Stage.VERIFY, holder="me", seconds=1000, note="")
    assert ledger.tasks.cancel("r1", "t1", by="ann", reason="no longer wanted") == "asked"
    ((newer, stage),) = ledger.board.wake()
    assert ledger.attempts.claim(newer, stage, holder="x", host="h", lease=1).stop == "cancel"


def test_an_agent_cannot_be_snoozed(ledger: Ledger) -> None:
    planned(ledger)
    key: StageKey = granted(ledger)
    claimed(ledger, key, Stage.IMPLEMENT)
    with pytest.raises(ValueError, match="slot"):
        ledger.attempts.snooze(key, Stage.IMPLEMENT, holder="me", seconds=1, note="")


def test_a_made_change_is_unmerged_until_it_has_merged(ledger: Ledger) -> None:
    spec: TaskSpec = make_task("t1")
    planned(ledger, spec)
    key = at_stage(ledger, Stage.LAND)
    (change,) = ledger.board.look(5).unmerged
    assert (change.run, change.task, change.repo, change.paths) == ("r1", "t1", "app", ("src/t1/a.py",))
    ended(ledger, key, Stage.LAND, goes_on=False)
    ledger.attempts.settle(key, make_settlement())
    assert ledger.board.look(5).unmerged == ()
