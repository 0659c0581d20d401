"""Attempts: one holder a stage, the newest fence wins, an end is recorded once, and a stale call changes nothing."""

from __future__ import annotations

import time

import pytest

from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.project import GateSetting
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.errors import OpsError
from ops_orchestrate.ledger import Granted, Ledger
from tests.builders import make_outcome, make_settlement, make_task
from tests.ledger.play import (
    DONE,
    LEASE,
    at_stage,
    claimed,
    completed,
    data_of,
    ended,
    granted,
    kinds,
    planned,
    snapshot,
    story,
)


def claim(ledger: Ledger, key: StageKey, stage: Stage, holder: str = "me", lease: float = LEASE) -> tuple[str, str]:
    found = ledger.attempts.claim(key, stage, holder=holder, host="h1", lease=lease, agent="scripted")
    return found.kind, found.stop


# Claims -------------------------------------------------------------------------------------------------------------


def test_a_claimed_grant_is_an_attempt(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    assert claim(ledger, key, Stage.IMPLEMENT) == ("ok", "")
    (attempt,) = ledger.tasks.attempts("r1", "t1")
    assert (attempt.number, attempt.fence, attempt.agent, attempt.host) == (1, key.fence, "scripted", "h1")
    assert ledger.attempts.spent("r1", "t1") == 1
    assert ledger.board.slots()[0].host == ledger.board.owners()[0].host == ledger.tasks.get("r1", "t1").host == "h1"
    assert data_of(ledger, EventKind.ATTEMPT_STARTED) == [{"agent": "scripted", "host": "h1"}]


@pytest.mark.parametrize("stage", list(Stage))
def test_a_claim_brings_what_it_works_on(ledger: Ledger, stage: Stage) -> None:
    planned(ledger)
    gate = GateSetting(gate="make other", gate_seconds=9, gate_network=False, gate_hosts=())
    ledger.runs.take_gate("r1", "app", gate, task="t1", told={})
    key = at_stage(ledger, stage)
    another_process = Ledger(ledger.runs._server.client)
    for one in (
        another_process,
        another_process,
        ledger,
    ):  # at first it reads what the run was asked for, then never again
        found = one.attempts.claim(key, stage, holder="me", host="h1", lease=LEASE, agent="scripted")
        assert isinstance(found, Granted)
        assert (found.run, found.task) == (ledger.runs.get("r1"), ledger.tasks.get("r1", "t1"))
    ledger.runs.request_stop("r1", "salvage")
    found = ledger.attempts.claim(key, stage, holder="me", host="h1", lease=LEASE, agent="scripted")
    assert isinstance(found, Granted)
    assert (found.stop, found.run.stop) == ("salvage", "salvage")


@pytest.mark.parametrize("stage", list(Stage))
def test_a_stage_has_one_holder(ledger: Ledger, stage: Stage) -> None:
    planned(ledger)
    key = at_stage(ledger, stage)
    assert claim(ledger, key, stage, "me") == ("ok", "")
    before = snapshot(ledger)[3]
    assert claim(ledger, key, stage, "other") == ("taken", "")
    assert claim(ledger, key, stage, "me") == ("ok", "")
    assert snapshot(ledger)[3] == before  # the same holder's second claim is the first one, said again
    assert ledger.attempts.spent("r1", "t1") == 1


@pytest.mark.parametrize("changed", [{"fence": 1}, {"attempt": 2}, {"seq": 5}, {"task": "ghost"}, {"run": "no"}])
@pytest.mark.parametrize("stage", list(Stage))
def test_a_key_that_is_not_the_newest_is_stale(ledger: Ledger, stage: Stage, changed: dict[str, object]) -> None:
    planned(ledger)
    key = at_stage(ledger, stage)
    assert claim(ledger, key.model_copy(update=changed), stage) == ("stale", "")


def test_a_stage_that_has_ended_lets_the_chain_go_on(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    assert claim(ledger, key, Stage.IMPLEMENT, "late") == ("done", "")
    assert claim(ledger, key, Stage.VERIFY, "late") == ("done", "")
    ended(ledger, key, Stage.LAND, goes_on=False)
    assert claim(ledger, key, Stage.LAND, "late") == ("done", "")


def test_a_stage_whose_turn_has_not_come_is_stale(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    assert claim(ledger, key, Stage.VERIFY) == ("stale", "")


def test_after_a_failure_later_stages_pass(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.VERIFY)
    ended(ledger, key, Stage.VERIFY, make_outcome(OutcomeKind.REJECTED), goes_on=False)
    assert claim(ledger, key, Stage.LAND) == ("pass", "")
    assert claim(ledger, key, Stage.VERIFY, "late") == ("done", "")


def test_after_settling_every_claim_is_stale(ledger: Ledger) -> None:
    planned(ledger)
    key = completed(ledger)
    assert {claim(ledger, key, stage)[0] for stage in Stage} == {"stale"}


def test_an_expired_lease_of_a_later_stage_may_be_taken_over(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2"))
    agent, check = granted(ledger, "t1"), at_stage(ledger, Stage.VERIFY, "t2")
    claimed(ledger, agent, Stage.IMPLEMENT, "dead", lease=0.01)
    claimed(ledger, check, Stage.VERIFY, "dead", lease=0.01)
    time.sleep(0.02)
    assert claim(ledger, agent, Stage.IMPLEMENT, "next") == ("stale", "")  # two agents must not share an attempt
    assert claim(ledger, check, Stage.VERIFY, "next") == ("ok", "")
    assert not ledger.attempts.end(check, Stage.VERIFY, holder="dead", outcome=DONE[Stage.VERIFY], goes_on=True)


@pytest.mark.parametrize("how", ["salvage", "now"])
def test_claims_and_heartbeats_say_that_the_run_stops(ledger: Ledger, how: str) -> None:
    planned(ledger, make_task("t1"), make_task("t2"))
    working, waiting = granted(ledger, "t1"), granted(ledger, "t2")
    claimed(ledger, working, Stage.IMPLEMENT)
    assert ledger.attempts.stop_asked("r1", "t1") == ""
    ledger.runs.request_stop("r1", how)
    assert claim(ledger, waiting, Stage.IMPLEMENT) == ("ok", how)
    assert ledger.attempts.renew(working, Stage.IMPLEMENT, holder="me", lease=LEASE).stop == how
    assert ledger.attempts.stop_asked("r1", "t1") == how


def test_claims_and_heartbeats_say_that_the_task_is_cancelled(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    assert ledger.tasks.cancel("r1", "t1", by="ann", reason="no") == "asked"
    assert claim(ledger, key, Stage.IMPLEMENT) == ("ok", "cancel")
    assert ledger.attempts.renew(key, Stage.IMPLEMENT, holder="me", lease=LEASE).stop == "cancel"
    assert (ledger.attempts.stop_asked("r1", "t1"), ledger.looks.over(key).cancelled) == ("cancel", True)
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(OutcomeKind.INTERRUPTED), goes_on=False)
    ledger.attempts.settle(key, make_settlement(TaskState.CANCELLED))
    assert not ledger.looks.over(key).cancelled


# Leases -------------------------------------------------------------------------------------------------------------


def test_a_heartbeat_prolongs_claim_slot_and_ownership(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    claimed(ledger, key, Stage.IMPLEMENT, lease=1)
    before = ledger.board.slots()[0].lease_until
    assert ledger.attempts.renew(key, Stage.IMPLEMENT, holder="me", lease=100).ok
    assert ledger.board.slots()[0].lease_until > before + 90
    assert ledger.board.owners()[0].lease_until > before + 90
    assert ledger.attempts.living("r1", "t1", 1, key.fence)


@pytest.mark.parametrize(
    ("holder", "stage", "fence"), [("other", Stage.IMPLEMENT, 0), ("me", Stage.VERIFY, 0), ("me", Stage.IMPLEMENT, -1)]
)
def test_only_the_holder_renews(ledger: Ledger, holder: str, stage: Stage, fence: int) -> None:
    planned(ledger)
    key = granted(ledger)
    claimed(ledger, key, Stage.IMPLEMENT)
    stale = key.model_copy(update={"fence": key.fence + fence})
    assert not ledger.attempts.renew(stale, stage, holder=holder, lease=LEASE).ok


def test_an_ended_lease_that_nobody_has_acted_on_is_renewed_and_finished_work_counts(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    claimed(ledger, key, Stage.IMPLEMENT, lease=0.01)
    time.sleep(0.02)
    assert not ledger.attempts.living("r1", "t1", 1, key.fence)
    assert ledger.attempts.renew(key, Stage.IMPLEMENT, holder="me", lease=0.01).ok
    time.sleep(0.02)
    # Nobody has acted on the end of the lease yet, and what is handed in here is complete.
    assert ledger.attempts.end(key, Stage.IMPLEMENT, holder="me", outcome=DONE[Stage.IMPLEMENT], goes_on=True)


# Ends ---------------------------------------------------------------------------------------------------------------


def test_the_end_of_an_agent_gives_slot_and_ownership_back(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    claimed(ledger, key, Stage.IMPLEMENT)
    outcome = make_outcome(
        OutcomeKind.SUCCEEDED, head="h1", summary="Did it.", cost_usd=0.25, tokens=10, agent_version="2.1"
    )
    assert ledger.attempts.end(key, Stage.IMPLEMENT, holder="me", outcome=outcome, goes_on=True)
    assert (ledger.board.slots(), ledger.board.owners()) == ([], [])
    assert ledger.tasks.get("r1", "t1").state is TaskState.VERIFYING
    assert ledger.attempts.outcome(key) == outcome
    (data,) = data_of(ledger, EventKind.ATTEMPT_ENDED)
    assert data | {"seconds": 0} == {
        "outcome": "succeeded",
        "summary": "Did it.",
        "head": "h1",
        "cost_usd": 0.25,
        "tokens": 10,
        "unsandboxed": False,
        "agent_version": "2.1",
        "seconds": 0,
    }
    assert kinds(story(ledger))[-2:] == [EventKind.SLOT_RELEASED, EventKind.OWNERSHIP_RELEASED]


@pytest.mark.parametrize("stage", list(Stage))
def test_only_the_holder_ends_a_stage(ledger: Ledger, stage: Stage) -> None:
    planned(ledger)
    key = at_stage(ledger, stage)
    claimed(ledger, key, stage)
    before = snapshot(ledger)
    for holder, fence in (("other", key.fence), ("me", key.fence - 1)):
        stale = key.model_copy(update={"fence": fence})
        assert not ledger.attempts.end(stale, stage, holder=holder, outcome=DONE[stage], goes_on=True)
    assert snapshot(ledger) == before


@pytest.mark.parametrize("stage", list(Stage))
def test_an_end_said_twice_is_one_end(ledger: Ledger, stage: Stage) -> None:
    planned(ledger)
    key = at_stage(ledger, stage)
    ended(ledger, key, stage, goes_on=stage is not Stage.LAND)
    before = snapshot(ledger)
    assert ledger.attempts.end(key, stage, holder="me", outcome=DONE[stage], goes_on=True)
    assert snapshot(ledger) == before


def test_a_verdict_is_an_event(ledger: Ledger) -> None:
    planned(ledger)
    at_stage(ledger, Stage.LAND)
    (data,) = data_of(ledger, EventKind.VERDICT)
    assert data == {
        "kind": "verified",
        "rule": "",
        "summary": "It verified.",
        "head": "h1",
        "base": "b1",
        "tree": "t1",
        "ask": "",
        "command": "",
        "unsandboxed": False,
        "review": "",
    }


def test_outcomes_are_kept_per_stage_and_the_last_one_speaks(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.LAND)
    assert ledger.attempts.outcome(key) == ledger.attempts.verified(key) == DONE[Stage.VERIFY]
    assert ledger.attempts.outcome_of("r1", "t1", 1) == DONE[Stage.VERIFY]
    assert ledger.attempts.outcome_of("r1", "t1", 1, Stage.IMPLEMENT) == DONE[Stage.IMPLEMENT]
    assert ledger.attempts.outcome(key.model_copy(update={"fence": 1})) is None


def test_nothing_is_verified_before_verify(ledger: Ledger) -> None:
    planned(ledger)
    with pytest.raises(OpsError, match="t1"):
        ledger.attempts.verified(at_stage(ledger, Stage.VERIFY))


@pytest.mark.parametrize(
    "kind", [OutcomeKind.INTERRUPTED, OutcomeKind.QUOTA, OutcomeKind.REDIRECTED, OutcomeKind.PLANNED]
)
def test_an_attempt_that_failed_at_nothing_does_not_count_and_its_brief_may_be_used_again(
    ledger: Ledger, kind: OutcomeKind
) -> None:
    planned(ledger)
    key = granted(ledger)
    claimed(ledger, key, Stage.IMPLEMENT)
    assert ledger.attempts.describe(key, branch="ops/b1", brief_digest="d1")
    outcome = make_outcome(kind)
    ledger.attempts.end(key, Stage.IMPLEMENT, holder="me", outcome=outcome, goes_on=False)
    ledger.attempts.settle(key, make_settlement(TaskState.RETRYABLE))
    assert ledger.attempts.spent("r1", "t1") == 0
    second = granted(ledger)
    claimed(ledger, second, Stage.IMPLEMENT)
    assert second.attempt == 2
    assert ledger.attempts.describe(second, branch="ops/b2", brief_digest="d1")


def test_an_identical_brief_is_refused(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    claimed(ledger, key, Stage.IMPLEMENT)
    assert [ledger.attempts.describe(key, branch="ops/b1", brief_digest="d1") for _ in range(2)] == [True, True]
    assert not ledger.attempts.describe(key.model_copy(update={"fence": 1}), branch="x", brief_digest="d9")
    ledger.attempts.end(key, Stage.IMPLEMENT, holder="me", outcome=make_outcome(OutcomeKind.FAILED), goes_on=False)
    ledger.attempts.settle(key, make_settlement(TaskState.RETRYABLE))
    second = granted(ledger)
    claimed(ledger, second, Stage.IMPLEMENT)
    assert not ledger.attempts.describe(second, branch="ops/b2", brief_digest="d1")
    assert ledger.attempts.describe(second, branch="ops/b2", brief_digest="d2")
    assert ledger.attempts.brief_digests("r1", "t1") == {"d1", "d2"}
    assert [(a.branch, a.brief_digest) for a in ledger.tasks.attempts("r1", "t1")] == [
        ("ops/b1", "d1"),
        ("ops/b2", "d2"),
    ]
    assert ledger.tasks.get("r1", "t1").change == "ops/b2"
