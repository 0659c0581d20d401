"""Money: set aside by the grant, settled once by whatever ends the attempt; accounts without quota are let alone."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.board import Candidate
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.spend import Amount, Day, Limit, Parked, Purse, Reserve
from ops_orchestrate.core.states import RunState, Stage
from ops_orchestrate.ledger import Granted, Ledger
from tests.builders import make_outcome, make_task
from tests.ledger.play import LEASE, at_stage, claimed, data_of, expired, planned

DAY = Day(label="2026-11-27", begins=0.0, ends=9e12)
PURSES = ("task:r1/t1", "run:r1", "day:2026-11-27", "project:2026-11-27:app")
CENT = 10_000


def reserve(tokens: int | None = None, cents: int | None = None, *, cap: int = 1_000, **kw: Any) -> Reserve:
    """What an attempt sets aside, under a cap of the day in cents."""
    limits = (Limit(purse="day:2026-11-27", cap=Amount(micros=cap * CENT)),) if cents is not None else ()
    amount = Amount(tokens=tokens, micros=None if cents is None else cents * CENT)
    return Reserve(**({"day": DAY, "project": "app", "amount": amount, "each": amount, "limits": limits} | kw))


def grant(ledger: Ledger, aside: Reserve, task: str = "t1", run: str = "r1", lease: float = LEASE) -> StageKey | None:
    """The task is granted with what it sets aside, or it does not fit."""
    assert ledger.board.offer(run, task)
    board = ledger.board.look(5)
    picks = [Candidate(run=run, task=task, repo="app")]
    for given in ledger.board.grant(board, picks, lease=lease, reserves=[aside]):
        return StageKey(run=run, task=task, attempt=given.attempt, fence=given.fence)
    return None


def granted(ledger: Ledger, aside: Reserve, task: str = "t1") -> StageKey:
    key = grant(ledger, aside, task)
    assert key is not None
    return key


def end(ledger: Ledger, key: StageKey, usd: float | None, tokens: int | None, park: Parked | None = None) -> bool:
    kind = OutcomeKind.QUOTA if park else OutcomeKind.FAILED
    outcome = make_outcome(kind, cost_usd=usd, tokens=tokens)
    return ledger.attempts.end(key, Stage.IMPLEMENT, holder="me", outcome=outcome, goes_on=False, park=park)


def same(ledger: Ledger) -> Purse:
    """What every purse of the attempt holds: they were all paid the same."""
    (first, *others) = ledger.money.purses(PURSES).values()
    assert others == [first] * 3
    return first


# Set aside and settled ----------------------------------------------------------------------------------------------


def test_a_grant_sets_aside_and_its_attempt_is_told(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger, reserve(500, 20))
    assert same(ledger) == Purse(reserved_tokens=500, reserved_micros=20 * CENT)
    claim = ledger.attempts.claim(key, Stage.IMPLEMENT, holder="me", host="h", lease=LEASE)
    assert isinstance(claim, Granted)
    assert claim.reserved == Amount(tokens=500, micros=20 * CENT)
    again = ledger.attempts.claim(key, Stage.IMPLEMENT, holder="me", host="h", lease=LEASE)
    assert again == claim


@pytest.mark.parametrize(
    ("aside", "usd", "tokens", "purse"),
    [
        (reserve(500, 20), 0.05, 120, Purse(tokens=120, micros=5 * CENT)),
        (reserve(500, 20), 0.0, 0, Purse()),
        (reserve(500, 20), 0.31, 700, Purse(tokens=700, micros=31 * CENT)),  # one call more than it had
        (reserve(500, 20), None, None, Purse(tokens=500, micros=20 * CENT)),  # nobody knows: all of it
        (reserve(500, 20), None, 90, Purse(tokens=90, micros=20 * CENT)),
        (reserve(), 0.05, 120, Purse(tokens=120, micros=5 * CENT)),
        (reserve(), None, 120, Purse(tokens=120, unpriced=1)),
        (reserve(), None, None, Purse(uncounted=1, unpriced=1)),
        (reserve(500), 0.000_000_1, None, Purse(tokens=500, micros=1)),  # no part of a cent is lost
    ],
)
def test_an_attempt_is_paid_once(
    ledger: Ledger, aside: Reserve, usd: float | None, tokens: int | None, purse: Purse
) -> None:
    planned(ledger)
    key = granted(ledger, aside)
    claimed(ledger, key, Stage.IMPLEMENT)
    for _ in range(3):
        assert end(ledger, key, usd, tokens), "said again"
        assert same(ledger) == purse
    ledger.board.reap(grant_timeout=0)
    assert same(ledger) == purse


def test_a_grant_that_nobody_claims_gives_it_back(ledger: Ledger) -> None:
    planned(ledger)
    granted(ledger, reserve(500, 20))
    ledger.board.reap(grant_timeout=0)
    assert same(ledger) == Purse()
    granted(ledger, reserve(500, 20))
    assert same(ledger) == Purse(reserved_tokens=500, reserved_micros=20 * CENT)


def test_an_attempt_that_is_lost_counts_as_all_that_it_had(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger, reserve(500, 20))
    claimed(ledger, key, Stage.IMPLEMENT, lease=0.01)
    expired(ledger, 0.01)
    assert [found.what for found in ledger.board.reap(grant_timeout=LEASE)] == ["lost"]
    spent = Purse(tokens=500, micros=20 * CENT)
    assert same(ledger) == spent
    assert not end(ledger, key, 0.01, 3), "too late: nobody knows whether that is all"
    assert same(ledger) == spent


# Stages that ask a model beside the attempt's own agent -----------------------------------------------------------


def test_a_later_stage_sets_aside_too(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.VERIFY)
    claimed(ledger, key, Stage.VERIFY)
    for _ in range(2):
        assert ledger.money.reserve(key, Stage.VERIFY, holder="me", reserve=reserve(500, 20)), "said again"
        assert same(ledger) == Purse(reserved_tokens=500, reserved_micros=20 * CENT)
    assert not ledger.money.reserve(key, Stage.VERIFY, holder="other", reserve=reserve(500, 20))
    assert not ledger.money.pay(key, Stage.VERIFY, holder="other", used=Amount())
    for _ in range(2):
        assert ledger.money.pay(key, Stage.VERIFY, holder="me", used=Amount(tokens=70, micros=3 * CENT))
        assert same(ledger) == Purse(tokens=70, micros=3 * CENT), "no part of it is a reviewer's"
    assert not ledger.money.reserve(key, Stage.VERIFY, holder="me", reserve=reserve(cents=20, cap=22))


def test_a_later_stage_that_loses_its_worker_has_used_all_of_it(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.VERIFY)
    claimed(ledger, key, Stage.VERIFY, lease=0.01)
    assert ledger.money.reserve(key, Stage.VERIFY, holder="me", reserve=reserve(500, 20))
    expired(ledger, 0.01)
    assert [found.what for found in ledger.board.reap(grant_timeout=LEASE)] == ["republish"]
    assert same(ledger) == Purse(tokens=500, micros=20 * CENT)


# Caps ---------------------------------------------------------------------------------------------------------------


def test_five_that_looked_at_the_same_purse_cannot_pass_a_cap_together(ledger: Ledger) -> None:
    planned(ledger, *(make_task(f"t{n}", repo=f"r{n}") for n in range(5)))
    for n in range(5):
        assert ledger.board.offer("r1", f"t{n}")
    board = ledger.board.look(5)
    grants = ledger.board.grant(board, board.candidates, lease=LEASE, reserves=[reserve(cents=30, cap=100)] * 5)
    assert len(grants) == 3
    assert ledger.money.purses(["day:2026-11-27"])["day:2026-11-27"].reserved_micros == 90 * CENT
    assert grant(ledger, reserve(cents=30, cap=100), "t4") is None
    assert grant(ledger, reserve(cents=10, cap=100), "t4") is not None


def test_parts_that_start_together_cannot_pass_the_cap_of_the_whole_together(ledger: Ledger) -> None:
    """Each planner looked before the others set anything aside: the step that grants holds them to it."""
    parts = tuple(make_task(f"big-{n}", repo=f"r{n}", part_of="big", of_parts=5) for n in range(5))
    planned(ledger, *parts)
    cap = Limit(purse="task:r1/big", cap=Amount(micros=100 * CENT))
    aside = reserve(cents=30, limits=(cap,), task="task:r1/big")
    granted_ = [key for n in range(5) if (key := grant(ledger, aside, f"big-{n}")) is not None]
    assert len(granted_) == 3
    own = ledger.money.purses(["task:r1/big-0"])["task:r1/big-0"]
    whole = ledger.money.purses(["task:r1/big"])["task:r1/big"]
    assert (own, whole) == (Purse(), Purse(reserved_micros=90 * CENT))
    for key in granted_:
        claimed(ledger, key, Stage.IMPLEMENT)
        assert end(ledger, key, 0.30, 10)
    spent = ledger.money.purses(["task:r1/big"])["task:r1/big"]
    assert spent == Purse(tokens=30, micros=90 * CENT)
    assert grant(ledger, reserve(cents=30, limits=(cap,), task="task:r1/big"), "big-4") is None


def test_what_nobody_knows_fills_a_cap_too(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2"))
    claimed(ledger, key := granted(ledger, reserve()), Stage.IMPLEMENT)
    end(ledger, key, None, None)
    assert grant(ledger, reserve(cents=60, cap=100), "t2") is None
    assert grant(ledger, reserve(cents=50, cap=100), "t2") is not None


def test_nothing_is_granted_from_a_day_that_has_ended(ledger: Ledger) -> None:
    planned(ledger)
    ended = Day(label="2026-11-26", begins=0.0, ends=ledger.now() - 1)
    assert grant(ledger, reserve(day=ended)) is None
    assert grant(ledger, reserve()) is not None


def test_the_owner_says_what_a_day_has_cost(ledger: Ledger) -> None:
    planned(ledger)
    granted(ledger, reserve(500, 20))
    ledger.money.declare(DAY, Amount(micros=7 * CENT))
    purse = ledger.money.purses(["day:2026-11-27"])["day:2026-11-27"]
    assert purse == Purse(known=True, micros=7 * CENT, reserved_tokens=500, reserved_micros=20 * CENT)


def test_a_ledger_knows_since_when_it_is_there(ledger: Ledger) -> None:
    assert ledger.board.look(5).born == 0
    before = ledger.now()
    ledger.open(quiet=0)
    born = ledger.board.look(5).born
    assert before <= born <= ledger.now()
    ledger.open(quiet=0)
    assert ledger.board.look(5).born == born


# Accounts without quota ---------------------------------------------------------------------------------------------


def without_quota(ledger: Ledger, account: str, until: float) -> None:
    """An attempt finds its account without quota."""
    key = granted(ledger, reserve(accounts=()))
    claimed(ledger, key, Stage.IMPLEMENT)
    assert end(ledger, key, 0.0, 0, Parked(account=account, until=until))


def test_nothing_is_granted_for_an_account_without_quota(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2"), make_task("t3"))
    until = ledger.now() + 1000
    without_quota(ledger, "a/K", until)
    assert ledger.money.parked() == ledger.board.look(5).parked == {"a/K": pytest.approx(until, abs=1e-3)}
    assert data_of(ledger, EventKind.ACCOUNT_PARKED) == [{"account": "a/K", "until": pytest.approx(until, abs=1e-3)}]
    assert grant(ledger, reserve(accounts=("a/K",)), "t2") is None
    assert grant(ledger, reserve(accounts=("a/K", "b/K")), "t2") is not None, "another agent may work meanwhile"
    assert ledger.money.unpark("a/K")
    assert not ledger.money.unpark("a/K")
    assert grant(ledger, reserve(accounts=("a/K",)), "t3") is not None


def test_a_shorter_word_does_not_let_a_parked_account_go(ledger: Ledger) -> None:
    planned(ledger, *(make_task(f"t{n}") for n in (1, 2)))
    until = ledger.now() + 1000
    without_quota(ledger, "a/K", until)
    claimed(ledger, key := granted(ledger, reserve(), "t2"), Stage.IMPLEMENT)
    assert end(ledger, key, 0.0, 0, Parked(account="a/K", until=until - 100))
    assert ledger.money.parked() == {"a/K": pytest.approx(until, abs=1e-3)}


def test_a_parked_account_is_let_go_at_its_time(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger, reserve(accounts=()))
    claimed(ledger, key, Stage.IMPLEMENT)
    until = ledger.now() + 0.2
    assert end(ledger, key, 0.0, 0, Parked(account="a/K", until=until))
    expired(ledger, until - ledger.now())
    assert ledger.money.parked() == ledger.board.look(5).parked == {}


# Runs that wait -----------------------------------------------------------------------------------------------------


def test_why_a_run_waits_is_told_once_and_again_after_a_grant(ledger: Ledger) -> None:
    planned(ledger)
    assert ledger.runs.wait("r1", "no money", until=None, tasks=["t1"])
    assert not ledger.runs.wait("r1", "no money", until=None, tasks=["t1"])
    assert ledger.runs.wait("r1", "no quota", until=12.0, tasks=["t1"])
    granted(ledger, reserve())
    assert ledger.runs.wait("r1", "no quota", until=12.0, tasks=["t1"])
    reasons = [data["reason"] for data in data_of(ledger, EventKind.RUN_WAITING)]
    assert reasons == ["no money", "no quota", "no quota"]


def test_a_run_halts_for_money_and_goes_on_at_its_moment(ledger: Ledger) -> None:
    planned(ledger)
    ledger.board.offer("r1", "t1")
    assert not ledger.runs.finish("r1", RunState.HALTED, "no money")
    at = ledger.now() + 0.1
    assert ledger.runs.finish("r1", RunState.HALTED, "no money", held=True, goes_on_at=at)
    assert ledger.board.look(5).candidates == ()
    assert not ledger.runs.goes_on("r1")
    assert ledger.runs.get("r1").state is RunState.HALTED
    expired(ledger, 0.1)
    assert ledger.runs.woken() == ("r1",)
    assert ledger.runs.goes_on("r1")
    assert ledger.runs.get("r1").state is RunState.RUNNING
    assert ledger.board.offer("r1", "t1")


def test_a_run_that_a_person_resumed_is_not_resumed_again(ledger: Ledger) -> None:
    planned(ledger)
    assert ledger.runs.finish("r1", RunState.HALTED, "no money", held=True, goes_on_at=1.0)
    assert ledger.runs.resume("r1")
    assert ledger.runs.finish("r1", RunState.HALTED, "waits for you")
    assert not ledger.runs.goes_on("r1")
