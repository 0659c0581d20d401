"""The shipped prices, and the owner's over them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ops_orchestrate.adapters.prices import load_prices, shipped
from ops_orchestrate.config import Settings
from ops_orchestrate.core.modelusage import Tokens
from ops_orchestrate.errors import UsageError

MILLION = Tokens(output=1_000_000)


def test_the_shipped_table_is_dated_and_names_its_source() -> None:
    assert date.fromisoformat(shipped().as_of)
    assert shipped().source.startswith("https://")
    for name, price in shipped().models.items():
        assert 0 < price.cache_read < price.input < price.cache_write < price.output, name


def test_the_default_model_has_a_price() -> None:
    assert shipped().of(Settings(data_dir=Path("/x")).model) is not None


def test_the_owners_file_wins(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('[models]\n"gpt-9" = { input = 1, output = 3, cache_read = 0, cache_write = 1 }\n')
    prices = load_prices(Settings(data_dir=tmp_path, prices=own))
    assert prices.micros("gpt-9", MILLION) == 3_000_000
    assert prices.micros("claude-sonnet-5", MILLION) == 10_000_000


def test_a_file_that_is_not_there_or_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml does not exist"):
        load_prices(Settings(data_dir=tmp_path, prices=tmp_path / "none.toml"))
    (tmp_path / "odd.toml").write_text("models = 1")
    with pytest.raises(UsageError, match=r"odd\.toml \(OPS_PRICES\)"):
        load_prices(Settings(data_dir=tmp_path, prices=tmp_path / "odd.toml"))
