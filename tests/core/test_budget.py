"""May an attempt start for what the owner lets it cost? What it reserves, or the sentence that says why it waits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ops_orchestrate.core.admission import choose
from ops_orchestrate.core.board import Board, Candidate
from ops_orchestrate.core.budget import Budget, Wait, Wallet, waiting
from ops_orchestrate.core.spend import Amount, Caps, Day, Purse, Reserve

NOW = 1_700_000_000.0
DAY = Day(label="2026-11-27", begins=NOW - 3600, ends=NOW + 3600)
ONE = Candidate(run="r", task="t", repo="app", project="shop")


def cents(amount: int) -> Amount:
    return Amount(micros=amount * 10_000)


def budget(purses: dict[str, Purse] | None = None, *, wallet: Any = None, caps: Any = None, **kw: Any) -> Budget:
    """A budget of a ledger that has seen the whole day."""
    fields = {"caps": Caps(**(caps or {})), "purses": purses or {}, "wallets": {"r": wallet or Wallet()}}
    return Budget(**({"day": DAY, "born": 1.0, "now": NOW} | fields | kw))


def spent(micros: int = 0, reserved: int = 0, **kw: Any) -> Purse:
    return Purse(micros=micros * 10_000, reserved_micros=reserved * 10_000, **kw)


# What is set aside --------------------------------------------------------------------------------------------------


def test_without_a_cap_nothing_is_set_aside_and_all_is_written_down() -> None:
    assert budget().ask(ONE) == Reserve(day=DAY, task="task:r/t", project="shop")


def test_a_cap_of_an_attempt_alone_is_for_the_proxy_to_hold() -> None:
    assert budget(caps={"attempt": cents(5)}).ask(ONE) == Reserve(day=DAY, task="task:r/t", project="shop")


@pytest.mark.parametrize(
    ("caps", "purses", "set_aside"),
    [
        ({"attempt": 100, "day": 500}, {}, 100),
        ({"attempt": 100, "day": 500}, {"day:2026-11-27": (300, 100)}, 100),
        ({"attempt": 100, "day": 500}, {"day:2026-11-27": (300, 130)}, 70),  # what is left
        ({"attempt": 100, "day": 500}, {"day:2026-11-27": (300, 175)}, 25),  # a quarter of it, no less
        ({"attempt": 100, "day": 500}, {"day:2026-11-27": (300, 176)}, None),
        ({"attempt": 100, "day": 500}, {"day:2026-11-26": (900, 0), "run:other": (900, 0)}, 100),
        ({"attempt": 100, "task": 200}, {"task:r/t": (150, 0)}, 50),
        ({"attempt": 100, "task": 200}, {"task:r/t": (190, 0)}, None),
        ({"attempt": 100, "run": 200}, {"run:r": (100, 100)}, None),
        ({"attempt": 100, "project": 200}, {"project:2026-11-27:shop": (150, 10)}, 40),
        ({"attempt": 100, "project": 200}, {"project:2026-11-27:other": (200, 0)}, 100),
        ({"day": 500}, {}, 100),  # a fifth
    ],
)
def test_what_an_attempt_sets_aside(
    caps: dict[str, int], purses: dict[str, tuple[int, int]], set_aside: int | None
) -> None:
    found = budget(
        {name: spent(*amounts) for name, amounts in purses.items()},
        caps={scope: cents(amount) for scope, amount in caps.items()},
    ).ask(ONE)
    assert (found.amount.micros if isinstance(found, Reserve) else None) == (set_aside and set_aside * 10_000)


PART = Candidate(run="r", task="big-1", repo="app", project="shop", part_of="big", of_parts=3)


@pytest.mark.parametrize(
    ("caps", "purses", "set_aside"),
    [
        ({"task": 300}, {}, 100),  # a third each, so that they can work at once
        ({"task": 300}, {"task:r/big": (150, 100)}, 50),  # the whole's purse, with what it used before it was split
        ({"task": 300}, {"task:r/big": (200, 100)}, None),
        ({"task": 300}, {"task:r/big-1": (300, 0)}, 100),  # none of its own
        ({"attempt": 200, "task": 300}, {}, 200),  # the owner has said what one attempt may use
        ({"task": 300, "run": 250}, {}, 50),
    ],
)
def test_parts_share_what_the_whole_may_cost(
    caps: dict[str, int], purses: dict[str, tuple[int, int]], set_aside: int | None
) -> None:
    found = budget(
        {name: spent(*amounts) for name, amounts in purses.items()},
        caps={scope: cents(amount) for scope, amount in caps.items()},
    ).ask(PART)
    assert (found.amount.micros if isinstance(found, Reserve) else None) == (set_aside and set_aside * 10_000)
    assert not isinstance(found, Reserve) or found.task == "task:r/big"


def test_a_part_says_whose_budget_is_used() -> None:
    found = budget({"task:r/big": spent(300)}, caps={"task": cents(300)}).ask(PART)
    words = "the budget that the parts of big share is used ($3.00 of $3.00): raise OPS_MAX_TASK_USD"
    assert found == Wait(text=words, over=True)


def test_what_nobody_knows_of_an_attempt_counts_as_all_that_it_might_have_used() -> None:
    caps = {"attempt": cents(100), "day": cents(500)}
    assert isinstance(budget({"day:2026-11-27": spent(0, unpriced=4)}, caps=caps).ask(ONE), Reserve)
    assert isinstance(budget({"day:2026-11-27": spent(0, unpriced=5)}, caps=caps).ask(ONE), Wait)
    assert isinstance(budget({"day:2026-11-27": spent(0, uncounted=9)}, caps=caps).ask(ONE), Reserve), "of its tokens"


def test_the_registrys_line_goes_before_the_general_one() -> None:
    wallet = Wallet(projects={"shop": cents(50)})
    found = budget(caps={"project": cents(400), "attempt": cents(100)}, wallet=wallet).ask(ONE)
    assert isinstance(found, Reserve)
    assert found.amount == cents(50)
    other = ONE.model_copy(update={"project": "blog"})
    asked = budget(caps={"project": cents(400), "attempt": cents(100)}, wallet=wallet).ask(other)
    assert isinstance(asked, Reserve)
    assert asked.amount == cents(100)


# Why it waits -------------------------------------------------------------------------------------------------------

DAYS = {"day": cents(500), "attempt": cents(100)}
UNKNOWN = "the price of the model nonsense-9 is not known, and there is a cap in dollars"
YOUNGER = "the ledger is younger than this day, so what was spent on it is not known"


@pytest.mark.parametrize(
    ("made", "words", "until", "over"),
    [
        (
            budget({"day:2026-11-27": spent(480)}, caps=DAYS),
            "the day's budget is used ($4.80 of $5.00): raise OPS_MAX_DAY_USD",
            DAY.ends,
            True,
        ),
        (
            budget({"day:2026-11-27": spent(200, 300)}, caps=DAYS),
            "what is under way may use up the day's budget ($2.00 used, $3.00 reserved, of $5.00)",
            None,
            False,
        ),
        (
            budget({"task:r/t": Purse(tokens=9_999)}, caps={"task": Amount(tokens=10_000)}),
            "the task's budget is used (9,999 tokens of 10,000 tokens): raise OPS_MAX_TASK_TOKENS",
            None,
            True,
        ),
        (
            budget({"run:r": spent(500)}, caps={"run": cents(500)}),
            "the run's budget is used ($5.00 of $5.00): raise OPS_MAX_RUN_USD",
            None,
            True,
        ),
        (
            budget({"project:2026-11-27:shop": spent(500)}, caps={"project": cents(500)}),
            "shop's day's budget is used ($5.00 of $5.00): raise OPS_MAX_PROJECT_USD or `ops.day_usd` of shop",
            DAY.ends,
            True,
        ),
        (
            budget(caps=DAYS, wallet=Wallet(priced=False, model="nonsense-9")),
            f"{UNKNOWN}: name it in the file of OPS_PRICES",
            None,
            True,
        ),
        (
            budget(caps=DAYS, born=DAY.begins + 1),
            f"{YOUNGER}: say it with `ops-orchestrate budget --spent-today DOLLARS`",
            DAY.ends,
            True,
        ),
    ],
)
def test_why_it_waits(made: Budget, words: str, until: float | None, over: bool) -> None:
    assert made.ask(ONE) == Wait(text=words, until=until, over=over)


@pytest.mark.parametrize(
    ("born", "purses", "starts"),
    [
        (0.0, {}, False),  # nobody knows when it began
        (DAY.begins, {}, True),
        (DAY.begins + 1, {"day:2026-11-27": Purse(known=True, micros=1_000_000)}, True),  # the owner has said it
        (DAY.begins + 1, {"day:2026-11-26": Purse(known=True)}, False),
    ],
)
def test_a_day_that_the_ledger_has_not_seen_from_its_beginning(
    born: float, purses: dict[str, Purse], starts: bool
) -> None:
    assert isinstance(budget(purses, caps=DAYS, born=born).ask(ONE), Reserve) is starts
    assert isinstance(budget(purses, caps={"run": cents(500)}, born=born).ask(ONE), Reserve), "a run is younger"


def test_an_unknown_price_matters_only_where_dollars_are_capped() -> None:
    unknown = Wallet(priced=False)
    assert isinstance(budget(caps={"day": Amount(tokens=5_000)}, wallet=unknown).ask(ONE), Reserve)
    assert isinstance(budget(caps={"attempt": cents(5)}, wallet=unknown).ask(ONE), Wait)


# Quotas -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accounts", "parked", "until"),
    [
        (("a/K",), {}, None),
        (("a/K",), {"b/K": NOW + 9}, None),
        (("a/K",), {"a/K": NOW + 9}, NOW + 9),
        (("a/K",), {"a/K": NOW}, None),
        (("a/K", "b/K"), {"a/K": NOW + 9}, None),  # the next in line works
        (("a/K", "b/K"), {"a/K": NOW + 9, "b/K": NOW + 5}, NOW + 5),
        ((), {"a/K": NOW + 9}, None),
    ],
)
def test_a_run_waits_while_none_of_its_accounts_has_quota(
    accounts: tuple[str, ...], parked: dict[str, float], until: float | None
) -> None:
    found = budget(wallet=Wallet(accounts=accounts), parked=parked).ask(ONE)
    assert (found.until if isinstance(found, Wait) else None) == until
    if isinstance(found, Wait):
        assert found.quota
        assert not found.over, "it goes on by itself"
        assert found.text == f"{', '.join(name[0] for name in accounts)} has no quota"


# With admission -----------------------------------------------------------------------------------------------------


def board(*tasks: str) -> Board:
    found = tuple(Candidate(run=name[0], task=name, repo=name, project=name[0]) for name in tasks)
    return Board(version=1, now=NOW, cap=5, capacity=9, candidates=found)


def test_what_one_pick_sets_aside_is_not_there_for_the_next() -> None:
    picks = choose(board("r1", "r2", "r3"), NOW, budget(caps={"attempt": cents(100), "day": cents(210)}))
    assert [pick.candidate.task for pick in picks] == ["r1", "r2"]
    assert [pick.reserve and pick.reserve.amount for pick in picks] == [cents(100), cents(100)]


def test_a_task_without_money_leaves_its_slot_to_others() -> None:
    wallets = {"a": Wallet(projects={"a": cents(1)}), "b": Wallet()}
    short = budget({"project:2026-11-27:a": spent(1)}, wallets=wallets)
    picks = choose(board("a1", "a2", "b1"), NOW, short)
    assert [pick.candidate.task for pick in picks] == ["b1"]
    assert set(waiting(short, board("a1", "b1").candidates)) == {("a", "a1")}


AMOUNTS = st.integers(0, 2_000)


@given(
    st.dictionaries(st.sampled_from(["attempt", "task", "project", "run", "day"]), st.integers(1, 2_000), min_size=1),
    st.dictionaries(
        st.sampled_from(["task:r/r1", "run:r", "day:2026-11-27", "project:2026-11-27:r"]), st.tuples(AMOUNTS, AMOUNTS)
    ),
    st.integers(1, 5),
)
@example(caps={"run": 1}, purses={}, agents=2)
def test_picks_never_set_aside_more_than_there_is(
    caps: dict[str, int], purses: dict[str, tuple[int, int]], agents: int
) -> None:
    made = budget(
        {name: Purse(tokens=used, reserved_tokens=aside) for name, (used, aside) in purses.items()},
        caps={scope: Amount(tokens=amount) for scope, amount in caps.items()},
        agents=agents,
    )
    picks = choose(board("r1", "r2", "r3", "r4", "r5"), NOW, made)
    taken = [pick.reserve.amount.tokens or 0 for pick in picks if pick.reserve]
    assert all(amount >= 0 for amount in taken)
    for scope, name in (("run", "run:r"), ("day", "day:2026-11-27"), ("project", "project:2026-11-27:r")):
        if scope in caps and taken:
            used, aside = purses.get(name, (0, 0))
            assert used + aside + sum(taken) <= caps[scope]
    if set(caps) != {"attempt"}:
        assert all(0 < amount <= min(caps.values()) for amount in taken)
