"""What tokens cost: to the microdollar, never less, and never nothing for a model without a price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.modelusage import Tokens
from ops_orchestrate.core.price import LIMIT, ModelPrice, Prices, in_dollars, in_micros, parse_prices
from ops_orchestrate.errors import UsageError

SONNET = {"input": 2, "output": 10, "cache_read": Decimal("0.10"), "cache_write": Decimal("2.50")}
TABLE = Prices.model_validate({"models": {"sonnet-5": SONNET, "free": dict.fromkeys(SONNET, 0)}})
COUNTS = st.builds(Tokens, *[st.integers(0, 10**9)] * 5)
PRICES = st.builds(ModelPrice, **dict.fromkeys(SONNET, st.decimals(0, 1000, places=4)))


@pytest.mark.parametrize(
    ("tokens", "micros"),
    [
        (Tokens(), 0),
        (Tokens(input=1), 2),
        (Tokens(output=1_000_000), 10_000_000),
        (Tokens(cache_read=1), 1),  # a tenth of a microdollar: never nothing
        (Tokens(cache_read=10), 1),
        (Tokens(cache_read=11), 2),
        (Tokens(cache_write=1), 3),
        (Tokens(cache_write_hour=1_000_000), 4_000_000),  # twice the input, where nothing else is said
        (Tokens(1_000, 1_000, 1_000, 1_000, 1_000), 18_600),
    ],
)
def test_what_tokens_cost(tokens: Tokens, micros: int) -> None:
    assert TABLE.micros("sonnet-5", tokens) == micros


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("sonnet-5", True),
        ("sonnet-5-20260630", True),
        ("sonnet-5-2026-06-30", True),
        ("sonnet-5-latest", True),
        ("sonnet-5[1m]", True),
        ("sonnet-5-20260630[1m]", True),
        ("sonnet-5-5", False),  # another model, not a snapshot
        ("sonnet", False),
        ("Sonnet-5", False),
        ("", False),
    ],
)
def test_a_model_is_known_by_its_name_or_a_snapshots(model: str, known: bool) -> None:
    assert (TABLE.micros(model, Tokens(output=1)) is not None) is known


def test_a_price_of_nothing_is_a_price_and_no_price_is_none() -> None:
    assert TABLE.micros("free", Tokens(output=10**9)) == 0
    assert TABLE.micros("unheard-of", Tokens()) is None


@given(PRICES, COUNTS, COUNTS)
def test_no_part_of_a_cent_is_lost(price: ModelPrice, one: Tokens, other: Tokens) -> None:
    together = price.micros(one.plus(other))
    assert price.micros(one) + price.micros(other) - 1 <= together <= price.micros(one) + price.micros(other)
    assert price.micros(one) >= 0


@given(st.integers(0, 10**12))
def test_dollars_and_microdollars_are_the_same_money(micros: int) -> None:
    assert in_micros(in_dollars(micros)) == micros


LINE = "{ input = 1, output = 2.5, cache_read = 0.1, cache_write = 1.25 }"


def test_the_owners_lines_win() -> None:
    own = parse_prices(f'[models]\nsonnet-5 = {LINE}\n"my/model" = {LINE}\n'.encode(), origin="mine.toml")
    both = TABLE.with_own(own)
    assert both.micros("sonnet-5", Tokens(output=1_000_000)) == 2_500_000
    assert both.micros("my/model", Tokens(cache_write_hour=1_000_000)) == 2_000_000
    assert both.micros("free", Tokens(output=1)) == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("models = 3", "`models`"),
        ("", "`models`"),
        ("[models]\na = 3", "`models.a`"),
        ("[models]\na = { input = 1 }", "`models.a.output`"),
        (f"[models]\na = {LINE[:-1]}, output_long = 3 }}", "`models.a.output_long`"),
        (f"[models]\na = {LINE.replace('2.5', '-2.5')}", "`models.a.output`"),
        (f"[models]\na = {LINE.replace('2.5', 'nan')}", "`models.a.output`"),
        (f"[models]\na = {LINE.replace('2.5', '1e300')}", "`models.a.output`"),
        (f"[models]\na = {LINE.replace('2.5', 'true')}", "`models.a.output`"),
        (f"[models]\na = {LINE}\na = {LINE}", "is not TOML"),
        ("prices: []", "is not TOML"),
        ("[models]\na = { input = 1e999999999999999999999 }", "mine.toml"),
        ("x" * (LIMIT + 1), "larger than"),
    ],
)
def test_a_table_that_cannot_be_read_is_named_with_its_line(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=r"mine\.toml") as error:
        parse_prices(text.encode(), origin="mine.toml")
    assert told in str(error.value)
    assert len(str(error.value)) < 600


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(UsageError, match=r"mine\.toml is not TOML"):
        parse_prices(b"\xff\xfe", origin="mine.toml")


def line(**more: Any) -> dict[str, Any]:
    return SONNET | more


def test_an_hour_of_cache_costs_what_the_line_says() -> None:
    price = ModelPrice.model_validate(line(cache_write_hour=7))
    assert price.micros(Tokens(cache_write_hour=2)) == 14
