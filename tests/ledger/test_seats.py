"""A reviewer takes a slot like any agent: never one too many, never waiting behind work that has not begun."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.spend import Amount, Day, Limit, Reserve, run_purse
from ops_orchestrate.core.states import Stage
from ops_orchestrate.ledger import Ledger
from ops_orchestrate.report.check import violations
from tests.builders import make_outcome, make_review, make_settlement, make_task
from tests.ledger.play import LEASE, at_stage, claimed, data_of, ended, granted, planned, story

NAMES = tuple(f"t{number}" for number in range(1, 7))


@pytest.fixture
def busy(ledger: Ledger) -> Ledger:
    """Six tasks; the first waits for its reviewer, and the others are to be begun."""
    planned(ledger, *(make_task(name, repo=name) for name in NAMES))
    return ledger


def seat(ledger: Ledger, key: object, cap: int = 5) -> int:
    return ledger.attempts.seat(key, holder="me", cap=cap, pause=600, note="full")  # type: ignore[arg-type]


def test_a_review_has_a_slot_and_owns_nothing(busy: Ledger) -> None:
    key = at_stage(busy, Stage.REVIEW)
    claimed(busy, key, Stage.REVIEW)
    assert seat(busy, key) == 1
    (slot,) = busy.board.slots()
    assert (slot.task, slot.fence, slot.host) == ("t1", key.fence, "h1")
    assert busy.board.owners() == []
    assert data_of(busy, EventKind.SLOT_TAKEN)[-1] == {"slot": 1, "for": "review"}
    assert busy.attempts.reviewed(key, holder="me", review=make_review(), told={"what": "security review"})
    ended(busy, key, Stage.REVIEW)
    assert busy.board.slots() == []
    assert busy.attempts.review(key) == make_review()
    ended(busy, key, Stage.VERIFY)
    assert violations(story(busy)) == []


def test_it_counts_against_the_cap(busy: Ledger) -> None:
    key = at_stage(busy, Stage.REVIEW)
    claimed(busy, key, Stage.REVIEW)
    assert seat(busy, key) == 1
    for name in NAMES[1:]:
        busy.board.offer("r1", name)
    board = busy.board.look(5)
    assert len(busy.board.grant(board, board.candidates, lease=LEASE)) == 4


def test_a_renewal_keeps_the_slot_and_a_lost_lease_gives_it_back(busy: Ledger) -> None:
    key = at_stage(busy, Stage.REVIEW)
    claimed(busy, key, Stage.REVIEW, lease=0.0)
    assert seat(busy, key) == 1
    busy.board.reap(grant_timeout=60)
    assert busy.board.slots() == []
    newer = key.model_copy(update={"seq": busy.tasks.get("r1", "t1").seq})
    claimed(busy, newer, Stage.REVIEW)
    assert seat(busy, newer) == 1
    before = busy.board.slots()[0].lease_until
    assert busy.attempts.renew(newer, Stage.REVIEW, holder="me", lease=LEASE * 2).ok
    assert busy.board.slots()[0].lease_until > before


def test_where_all_slots_are_taken_it_waits_and_the_next_free_one_is_its_own(busy: Ledger) -> None:
    key = at_stage(busy, Stage.REVIEW)
    claimed(busy, key, Stage.REVIEW)
    other = granted(busy, "t2")
    assert seat(busy, key, cap=1) == 0
    assert seat(busy, key, cap=1) == 0, "asked again it gets the same answer"
    assert busy.board.wake() == []
    ended(busy, other, Stage.IMPLEMENT)  # the slot is free
    busy.board.offer("r1", "t3")
    board = busy.board.look(1)
    assert (len(board.slots), board.reserved) == (0, 1)
    assert busy.board.grant(board, board.candidates, lease=LEASE) == [], "it is kept for the reviewer"
    ((woken, stage),) = busy.board.wake()
    assert (woken.task, stage) == ("t1", Stage.REVIEW)
    claimed(busy, woken, Stage.REVIEW)
    assert seat(busy, woken, cap=1) == 1
    assert busy.board.look(1).reserved == 0


def test_who_no_longer_waits_keeps_no_slot(busy: Ledger) -> None:
    """A task that is withdrawn while its reviewer waits: nothing is kept from the others."""
    key = at_stage(busy, Stage.REVIEW)
    claimed(busy, key, Stage.REVIEW)
    granted(busy, "t2")
    assert seat(busy, key, cap=1) == 0
    assert busy.tasks.cancel("r1", "t1", by="ann", reason="no") == "asked"
    ((woken, _),) = busy.board.wake()
    assert busy.attempts.claim(woken, Stage.REVIEW, holder="me", host="h1", lease=LEASE).stop == "cancel"
    outcome = make_outcome()
    assert busy.attempts.end(woken, Stage.REVIEW, holder="me", outcome=outcome, goes_on=False)
    assert busy.board.look(1).reserved == 0
    assert busy.attempts.settle(woken, make_settlement()).applied


def test_nobody_else_takes_a_slot_this_way(busy: Ledger) -> None:
    key = at_stage(busy, Stage.VERIFY)
    claimed(busy, key, Stage.VERIFY)
    assert seat(busy, key) == -1
    assert not busy.attempts.reviewed(key, holder="me", review=make_review(), told={"what": "security review"})
    assert busy.board.slots() == []


def test_it_reserves_under_the_caps_and_pays_what_it_used(busy: Ledger) -> None:
    day = Day(label="2026-11-27", begins=0, ends=busy.now() + 3600)
    cap = Limit(purse=run_purse("r1"), cap=Amount(tokens=100))
    reserve = Reserve(day=day, amount=Amount(tokens=80), each=Amount(tokens=80), limits=(cap,))
    key = at_stage(busy, Stage.REVIEW)
    claimed(busy, key, Stage.REVIEW)
    assert busy.attempts.seat(key, holder="me", cap=5, pause=60, note="", reserve=reserve) == 1
    assert busy.money.purses([run_purse("r1")])[run_purse("r1")].reserved_tokens == 80
    ended(busy, key, Stage.REVIEW, make_outcome(tokens=70))
    purse = busy.money.purses([run_purse("r1")])[run_purse("r1")]
    assert (purse.tokens, purse.reserved_tokens) == (70, 0)
    assert purse.review_tokens == 70, "shown apart: what its agent used before is not in it"
    claimed(busy, key, Stage.VERIFY)
    newer = busy.attempts.again(key, holder="me", frm=Stage.VERIFY, to=Stage.REVIEW)
    assert newer is not None
    claimed(busy, newer, Stage.REVIEW)
    assert busy.attempts.seat(newer, holder="me", cap=5, pause=60, note="", reserve=reserve) == -2
    assert busy.board.slots() == []
