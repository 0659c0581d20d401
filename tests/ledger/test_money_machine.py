"""Grants, ends, crashes and repeats in any order, by planners that look at old purses: no cap is passed, nothing lost.

The bound that docs/operating.md gives: what is spent and set aside is never more than the cap, but for what attempts
used beyond what they had set aside, which is the proxy's one call each.
"""

from __future__ import annotations

from typing import Any

import fakeredis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.budget import Budget, Wallet
from ops_orchestrate.core.spend import Amount, Caps, Day, Parked, Purse, Reserve
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.ledger import Granted, Ledger
from tests.builders import make_outcome, make_request, make_settlement, make_task
from tests.laws import examples

NAMES = tuple(f"t{n}" for n in range(6))
#: The last two are parts of one task, and share its cap.
PART_OF = {"t4": "t3", "t5": "t3"}
DAY = Day(label="2026-11-27", begins=1.0, ends=9e12)
CAPS = Caps(attempt=Amount(tokens=100), task=Amount(tokens=250), run=Amount(tokens=700), day=Amount(tokens=400))
SCOPES = {"run:r1": CAPS.run, "day:2026-11-27": CAPS.day} | {f"task:r1/{name}": CAPS.task for name in NAMES}
ACCOUNTS = ("a/K", "b/K")
NEVER = 10_000.0


class MoneyMachine(RuleBasedStateMachine):
    """Remembers what was told, and holds the purses against it."""

    keys: Bundle[StageKey] = Bundle("keys")

    @initialize()
    def plan(self) -> None:
        self.ledger = Ledger(fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=True))
        self.ledger.open(quiet=0)
        self.ledger.runs.begin("r1", make_request(), host="h", parts=[])
        specs = [make_task(name, repo=name, part_of=PART_OF.get(name, "")) for name in NAMES]
        self.ledger.runs.store_plan("r1", specs, blocked={}, skipped=(), unknown=())
        self.aside: dict[StageKey, int] = {}
        self.used: dict[str, int] = {}
        self.beyond = 0
        self.until: dict[str, float] = {}
        self.old = self.budget()

    def budget(self) -> Budget:
        names = [*SCOPES, "project:2026-11-27:app"]
        wallet = Wallet(accounts=ACCOUNTS)
        purses, parked = self.ledger.money.purses(names), self.ledger.money.parked()
        now = self.ledger.now()
        return Budget(caps=CAPS, day=DAY, born=1.0, now=now, purses=purses, parked=parked, wallets={"r1": wallet})

    @rule()
    def look(self) -> None:
        """Some planner looks now, and grants later."""
        self.old = self.budget()

    @rule(target=keys, skip=st.integers(0, 4), stale=st.booleans())
    def grant(self, skip: int, stale: bool) -> Any:
        for name in NAMES:
            self.ledger.board.offer("r1", name)
        board = self.ledger.board.look(5)
        asked = [(one, (self.old if stale else self.budget()).ask(one)) for one in board.candidates[skip:]]
        picks = [(one, found) for one, found in asked if isinstance(found, Reserve)]
        grants = self.ledger.board.grant(
            board, [one for one, _ in picks], lease=NEVER, reserves=[found for _, found in picks]
        )
        assert not grants or len(self.until_now()) < len(ACCOUNTS), "no account has quota"
        made = []
        for given in grants:
            key = StageKey(run="r1", task=given.task, attempt=given.attempt, fence=given.fence)
            (reserve,) = (found for one, found in picks if one.task == given.task)
            self.aside[key] = reserve.amount.tokens or 0
            made.append(key)
        return multiple(*made)

    def until_now(self) -> dict[str, float]:
        return {account: until for account, until in self.until.items() if until > self.ledger.now()}

    @rule(key=keys, lease=st.sampled_from((NEVER, NEVER, 0.0)))
    def claim(self, key: StageKey, lease: float) -> None:
        found = self.ledger.attempts.claim(key, Stage.IMPLEMENT, holder="me", host="h", lease=lease)
        if isinstance(found, Granted):
            assert found.reserved.tokens == self.aside[key]

    @rule(
        key=keys,
        tokens=st.none() | st.integers(0, 130),
        account=st.none() | st.sampled_from(ACCOUNTS),
        ahead=st.integers(-5, 500),
    )
    def end(self, key: StageKey, tokens: int | None, account: str | None, ahead: int) -> None:
        park = Parked(account=account, until=self.ledger.now() + ahead) if account else None
        outcome = make_outcome(OutcomeKind.QUOTA if park else OutcomeKind.FAILED, tokens=tokens)
        told = self.ledger.attempts.end(key, Stage.IMPLEMENT, holder="me", outcome=outcome, goes_on=False, park=park)
        if told and key in self.aside:  # told once more, it is paid no second time
            self.pay(key, tokens)
            if park and park.until > self.ledger.now():
                self.until[park.account] = max(self.until.get(park.account, 0.0), park.until)

    @rule(key=keys, state=st.sampled_from((TaskState.RETRYABLE, TaskState.COMPLETED, TaskState.CANCELLED)))
    def settle(self, key: StageKey, state: TaskState) -> None:
        self.ledger.attempts.settle(key, make_settlement(state))

    @rule(timeout=st.sampled_from((NEVER, 0.0)))
    def reap(self, timeout: float) -> None:
        for found in self.ledger.board.reap(grant_timeout=timeout):
            key = found.key.model_copy(update={"seq": 0})
            if found.what == "ungranted":
                self.aside.pop(key)
            elif found.what == "lost":
                self.pay(key, None)

    def pay(self, key: StageKey, tokens: int | None) -> None:
        aside = self.aside.pop(key)
        used = aside if tokens is None else tokens
        whole = PART_OF.get(key.task, key.task)
        self.used[whole] = self.used.get(whole, 0) + used
        self.beyond += max(0, used - aside)

    @invariant()
    def purses_hold_what_was_used_and_set_aside(self) -> None:
        purses = self.ledger.money.purses(list(SCOPES))
        whole = Purse(tokens=sum(self.used.values()), reserved_tokens=sum(self.aside.values()))
        for name, purse in purses.items():
            task = name.partition("/")[2]
            aside = sum(amount for key, amount in self.aside.items() if PART_OF.get(key.task, key.task) == task)
            own = Purse(tokens=self.used.get(task, 0), reserved_tokens=aside) if task else whole
            assert (purse.tokens, purse.reserved_tokens) == (own.tokens, own.reserved_tokens), name
            assert min(purse.tokens, purse.reserved_tokens, purse.micros, purse.reserved_micros) >= 0

    @invariant()
    def no_cap_is_passed(self) -> None:
        for name, purse in self.ledger.money.purses(list(SCOPES)).items():
            assert purse.tokens + purse.reserved_tokens <= (SCOPES[name].tokens or 0) + self.beyond, name

    @invariant()
    def parking_only_grows(self) -> None:
        parked = self.ledger.money.parked()
        for account, until in self.until_now().items():
            assert abs(parked.get(account, until) - until) < 1e-3


TestMoney = MoneyMachine.TestCase
TestMoney.settings = settings(
    max_examples=examples(10), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
